package workflow

import (
	"fmt"

	"healthaudit/audit"
	"healthaudit/snapshot"
	model "healthaudit/snapshot/analyze/workflow"
)

// Language finds scripts that are given to the wrong interpreter.
var Language = &audit.Check{
	ID:         "workflow-language",
	System:     snapshot.Workflows,
	Title:      "script is in another language",
	Severity:   audit.High,
	Confidence: audit.Likely,
	Doc: "The text of a run step is Python or PowerShell and its shell is bash, or the other way round. The step ends at the first line that makes no sense there, " +
		"or does something else altogether: `import os` in bash starts ImageMagick. Two different constructs of the other language are asked for, outside of here-documents and quotes.",
	Hint:          "Set `shell: python` (or pwsh, or bash) on the step, or move the script into a file and start that.",
	Discriminator: "job and step key",
	Source:        "seen in the wild: the workflow that was to repair all others had `invalid_files = []` in bash",
	Still:         true,
	Judge: func(p *audit.Pass) {
		for _, n := range newJudge(p).notes(model.NoteLanguage) {
			r := audit.Report{Item: n.it.Key, Discriminator: n.Where, At: locate(n.it, n.Pos), Message: fmt.Sprintf("%s of %s cannot work: %s", stepName(n.it, n.Where), short(n.it), n.Text)}
			if n.it.Kind == string(model.Workflow) && starts(n.it) == "" {
				r.Severity = audit.Medium
			}
			p.Report(r)
		}
	},
}
