package workflow

import (
	"fmt"

	"healthaudit/audit"
	"healthaudit/snapshot"
	model "healthaudit/snapshot/analyze/workflow"
)

// AlwaysGreen finds workflows that cannot fail.
var AlwaysGreen = &audit.Check{
	ID:         "workflow-always-green",
	System:     snapshot.Workflows,
	Title:      "failures never show",
	Severity:   audit.Medium,
	Confidence: audit.Likely,
	Doc: "Every step that does any work swallows its failure, by `|| true`, `|| echo` or continue-on-error, so that the workflow is green whatever happens. " +
		"Nobody is told when what it does has stopped working. A workflow that looks at the outcome of its steps is not meant; neither are steps that only prepare.",
	Hint:          "Let at least the step that matters fail: take `|| true` or continue-on-error off it. What may fail for good reasons can say so in its own step.",
	Discriminator: "none: one finding for each file; of five files or more one for all",
	Source:        "measured: `|| true` in 14 % of 283 workflows, but in every step of very few",
	Still:         true,
	Judge:         judgeAlwaysGreen,
}

func judgeAlwaysGreen(p *audit.Pass) {
	var all []damage
	for _, n := range newJudge(p).notes(model.NoteGreen) {
		r := audit.Report{Item: n.it.Key, At: locate(n.it, n.Pos), Severity: audit.Low,
			Message:  fmt.Sprintf("%s cannot fail: its only step that works hides its failure", short(n.it)),
			Evidence: []audit.Evidence{{Name: "steps that work", Value: n.Subject}}}
		if n.Subject != "1" {
			r.Severity = audit.Medium
			r.Message = fmt.Sprintf("%s cannot fail: all %s of its steps that work hide their failure", short(n.it), n.Subject)
		}
		all = append(all, damage{"green", "cannot fail, because every step that works hides its failure", r, 0, nil})
	}
	reportAll(p, all)
}
