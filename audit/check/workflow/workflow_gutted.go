package workflow

import (
	"fmt"
	"slices"
	"strings"

	"healthaudit/audit"
	"healthaudit/snapshot"
)

// Gutted finds jobs whose commands were replaced by talk.
var Gutted = &audit.Check{
	ID:       "workflow-gutted",
	System:   snapshot.Workflows,
	Title:    "job was gutted",
	Severity: audit.High,
	Version:  2,
	Doc: "The job once did real work; now its steps only say something (echo, true, exit 0), so it is valid, green, and does nothing. " +
		"A job that keeps its actions is told when the last of its own commands gave way to talk, and no other action came. " +
		"Automatic fixers do this to make a failing check pass. The finding stays until real commands are back, also when the change is long ago; " +
		"a job that never did anything else is not reported.",
	Hint:          "See what was there before with `audit diff`, and bring it back with `audit restore`; if it is meant to do nothing, remove the job.",
	Discriminator: "job",
	Source:        "facts of the job, carried from the last snapshot in which it worked; seen in the wild as \"Workflow completed successfully\"",
	Still:         true,
	Judge:         judgeGutted,
}

func judgeGutted(p *audit.Pass) {
	j := newJudge(p)
	for _, it := range j.files {
		for _, id := range jobNames(it) {
			v, ok := it.Fact("jobs." + id + ".gutted-from")
			if !ok {
				continue
			}
			now, _ := it.Fact("jobs." + id + ".runs")
			gone := slices.DeleteFunc(slices.Clone(v.Strings()), func(name string) bool { return slices.Contains(now.Strings(), name) })
			p.Report(audit.Report{Item: it.Key, Discriminator: id, At: j.place(it, "jobs."+id),
				Message: fmt.Sprintf("job %q of %s ran %s, and now only %s", id, short(it), and(plain(gone)), and(plain(now.Strings()))),
				Evidence: []audit.Evidence{
					{Name: "before", Value: strings.Join(plain(v.Strings()), ", ")},
					{Name: "now", Value: strings.Join(plain(now.Strings()), ", ")},
				}})
		}
	}
}

func plain(runs []string) []string {
	out := make([]string, len(runs))
	for i, r := range runs {
		out[i] = strings.TrimPrefix(r, "uses:")
	}
	return out
}
