package workflow

import (
	"fmt"
	"io/fs"

	"healthaudit/audit"
	"healthaudit/snapshot"
)

// Syntax finds files that GitHub does not load: nothing in them ever runs.
var Syntax = &audit.Check{
	ID:       "workflow-syntax",
	System:   snapshot.Workflows,
	Title:    "workflow cannot load",
	Severity: audit.High,
	Doc: "GitHub refuses the whole file, so nothing in it runs: no push, no schedule, no button starts it, and no red mark appears on a commit. " +
		"A file that broke is noticed only when somebody misses what it did. Five files or more that broke alike are one critical finding: a program did that, and most of the automation is gone.",
	Hint:          "Correct the first problem and look again: one wrong indent often causes all that follow.",
	Discriminator: "none: one finding for each file, with its first problem and their number; of five files or more with the same first problem one for all",
	Source:        "https://docs.github.com/actions/reference/workflows-and-actions/workflow-syntax; actionlint v1.7.12 kinds syntax-check, job-needs and id",
	Still:         true,
	Judge:         judgeSyntax,
}

func judgeSyntax(p *audit.Pass) {
	j := newJudge(p)
	var all []damage
	for _, it := range j.files {
		if it.Unknown != "" {
			p.Report(audit.Report{Item: it.Key, At: audit.Location{Path: it.Path, Line: 1, Column: 1}, Severity: unreadable(it),
				Message: fmt.Sprintf("%s cannot be judged: %s", short(it), it.Unknown),
				Hint:    "Make it a regular, readable file of less than 1 MiB, or remove it."})
			continue
		}
		v := j.verdict(it)
		if len(v.Problems) == 0 {
			continue
		}
		first := v.Problems[0]
		what := first.Message + belongs(first)
		msg := fmt.Sprintf("GitHub cannot load %s: it %s (line %d)", short(it), what, first.Line)
		if n := len(v.Problems) - 1; n > 0 {
			msg += fmt.Sprintf(", and %s", plural(n, "further problem"))
		}
		all = append(all, damage{first.Family + " " + first.Message, "cannot be loaded by GitHub, each for the same reason (" + what + ")",
			audit.Report{Item: it.Key, At: locate(it, first.Pos), Message: msg, Evidence: []audit.Evidence{{Name: "kind", Value: first.Family}}}, audit.Critical, it})
	}
	reportAll(p, all)
}

// unreadable grades what cannot be read: a folder is ignored by GitHub too,
// everything else may well be a workflow that no longer runs.
func unreadable(it *snapshot.Item) audit.Severity {
	f, _ := it.OwnFile()
	switch {
	case f.Mode.IsDir():
		return audit.Low
	case f.Mode&fs.ModeType != 0 || f.Size == 0:
		return audit.Medium
	}
	return audit.High
}
