package workflow

import (
	"fmt"
	"strings"

	"healthaudit/audit"
	"healthaudit/snapshot"
	model "healthaudit/snapshot/analyze/workflow"
)

// DeadCondition finds jobs and steps whose condition can never be true.
var DeadCondition = &audit.Check{
	ID:         "workflow-dead-condition",
	System:     snapshot.Workflows,
	Title:      "condition is never true",
	Severity:   audit.Medium,
	Confidence: audit.Certain,
	Doc: "A job or a step asks for an event that does not start its workflow, or for a cron expression that is not among its schedules: GitHub skips it each time, and a skipped job " +
		"is green. It happens when a trigger is taken out, or a schedule is changed in one of the two places where it stands. A step is low: it often comes along from another workflow. " +
		"Reusable workflows, whose event is that of their caller, are left out.",
	Hint:          "Add the trigger to on:, write the condition as on: has it (a cron expression is compared as a text), or take the job or step out.",
	Discriminator: "job and step key",
	Source:        "https://docs.github.com/actions/reference/workflows-and-actions/events-that-trigger-workflows#schedule (github.event.schedule)",
	Still:         true,
	Judge: func(p *audit.Pass) {
		var all []damage
		for _, n := range newJudge(p).notes(model.NoteNever) {
			what := "on the event " + n.Subject
			if cron, ok := strings.CutPrefix(n.Subject, "schedule "); ok {
				what = fmt.Sprintf("on the schedule %q", cron)
			}
			r := audit.Report{Item: n.it.Key, Discriminator: n.Where, At: locate(n.it, n.Pos),
				Message: fmt.Sprintf("%s of %s runs only %s, which does not start the workflow: it is skipped each time", stepName(n.it, n.Where), short(n.it), what)}
			if strings.Contains(n.Where, "/") {
				r.Severity = audit.Low
			}
			all = append(all, damage{n.Where + "\x00" + n.Subject, fmt.Sprintf("have a condition that asks for an occasion they do not have (%s)", n.Subject), r, 0, nil})
		}
		reportAll(p, all)
	},
}
