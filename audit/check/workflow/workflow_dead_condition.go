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
	Doc: "A job or a step asks for an event that does not start its workflow, for a cron expression that is not among its schedules, for a result that there is not (failed instead of failure), or for " +
		"github.ref without its refs/ (not looked at where an event may come with a bare name, as a merged pull request does): GitHub skips it each time, and a skipped job " +
		"is green. It happens when a trigger is taken out, or a schedule is changed in one of the two places where it stands. A step is low: it often comes along from another workflow. " +
		"Of reusable workflows the event is that of their caller, and not looked at.",
	Hint:          "Add the trigger to on:, write the condition as on: has it (a cron expression is compared as a text), or take the job or step out.",
	Discriminator: "job and step key",
	Source:        "https://docs.github.com/actions/reference/workflows-and-actions/events-that-trigger-workflows#schedule (github.event.schedule)",
	Still:         true,
	Judge:         judgeDeadCondition,
}

func judgeDeadCondition(p *audit.Pass) {
	var all []damage
	for _, n := range newJudge(p).notes(model.NoteNever) {
		why, hint := neverBecause(n.Subject)
		r := audit.Report{Item: n.it.Key, Discriminator: n.Where, At: locate(n.it, n.Pos), Hint: hint,
			Message: fmt.Sprintf("%s of %s %s: it is skipped each time", stepName(n.it, n.Where), short(n.it), why)}
		if strings.Contains(n.Where, "/") {
			r.Severity = audit.Low
		}
		if strings.HasPrefix(n.Subject, "is github.ref ") {
			r.Confidence = audit.Likely
		}
		all = append(all, damage{n.Where + "\x00" + n.Subject, fmt.Sprintf("have a condition that is never true (%s)", strings.TrimPrefix(n.Subject, "is ")), r, 0, nil})
	}
	reportAll(p, all)
}

// neverBecause says why a condition is never true, and where it is not the check's
// own, what to do.
func neverBecause(subject string) (why, hint string) {
	if cron, ok := strings.CutPrefix(subject, "schedule "); ok {
		return fmt.Sprintf("runs only on the schedule %q, which does not start the workflow", cron), ""
	}
	if is, ok := strings.CutPrefix(subject, "is "); ok {
		context, value, _ := strings.Cut(is, " ")
		if context == "github.ref" {
			return fmt.Sprintf("asks whether github.ref is %q, and that always begins with refs/", value),
				fmt.Sprintf("Ask for refs/heads/%[1]s, or compare github.ref_name with %[1]s.", value)
		}
		return fmt.Sprintf("asks whether %s is %q, which it never is", context, value), "Write success, failure, cancelled or skipped."
	}
	return "runs only on the event " + subject + ", which does not start the workflow", ""
}
