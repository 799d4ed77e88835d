package workflow

import (
	"fmt"

	"healthaudit/audit"
	"healthaudit/snapshot"
	model "healthaudit/snapshot/analyze/workflow"
)

// ShellSyntax finds run steps that the shell cannot read to their end.
var ShellSyntax = &audit.Check{
	ID:       "workflow-shell-syntax",
	System:   snapshot.Workflows,
	Title:    "run step does not parse",
	Severity: audit.High,
	Version:  2,
	Doc: "A quote, a bracket or a `fi` is missing in the script of a run step. GitHub loads the workflow all the same; bash runs the lines before that place, and then ends with an error: " +
		"the step fails each time it runs, half done. GitHub's expressions count as words here.",
	Hint:          "Correct the script at the place named; to try it, put it into a file and let `bash -n FILE` read it.",
	Discriminator: "job and step key",
	Source:        "mvdan.cc/sh; measured: all of 1,213 run steps of real repositories that work parse",
	Still:         true,
	Judge: func(p *audit.Pass) {
		for _, n := range newJudge(p).notes(model.NoteShell) {
			r := audit.Report{Item: n.it.Key, Discriminator: n.Where, At: locate(n.it, n.Pos), Message: fmt.Sprintf("%s of %s does not parse: %s", stepName(n.it, n.Where), short(n.it), n.Text)}
			if n.it.Kind == string(model.Workflow) && starts(n.it) == "" {
				r.Severity = audit.Medium
			}
			p.Report(r)
		}
	},
}
