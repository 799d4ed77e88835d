package workflow

import (
	"fmt"

	"healthaudit/audit"
	"healthaudit/snapshot"
	model "healthaudit/snapshot/analyze/workflow"
)

// StatusLost finds steps that ask how the step before ended, and cannot know.
var StatusLost = &audit.Check{
	ID:         "workflow-status-lost",
	System:     snapshot.Workflows,
	Title:      "asks for a status that is gone",
	Severity:   audit.Medium,
	Confidence: audit.Certain,
	Doc: "A run step begins with a look at $?, to tell how the step before it ended. Each step has a shell of its own, which begins with 0: the answer is success, always. " +
		"Where the step runs after a failure too (always(), failure(), !cancelled(), or a step before it may fail) it reports success for what failed; elsewhere (low) its other branch is dead.",
	Hint:          "Give the step that is meant an id and ask for steps.ID.outcome, or for job.status; or look at $? in the very script whose command it is about.",
	Discriminator: "job and step key",
	Source:        "https://docs.github.com/actions/reference/workflows-and-actions/contexts#steps-context; measured: 1 of 1,213 run steps of public workflows",
	Still:         true,
	Judge: func(p *audit.Pass) {
		for _, n := range newJudge(p).notes(model.NoteStatus) {
			r := audit.Report{Item: n.it.Key, Discriminator: n.Where, At: locate(n.it, n.Pos)}
			says := "its other branch is dead"
			if r.Severity = audit.Low; n.Subject != "" {
				r.Severity, says = audit.Medium, "it reports success after a failure too"
			}
			r.Message = fmt.Sprintf("%s of %s begins with $?, which is always 0 there, whatever ran before: %s", stepName(n.it, n.Where), short(n.it), says)
			p.Report(r)
		}
	},
}
