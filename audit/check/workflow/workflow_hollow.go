package workflow

import (
	"fmt"
	"slices"
	"strings"

	"healthaudit/audit"
	"healthaudit/snapshot"
	model "healthaudit/snapshot/analyze/workflow"
)

// Hollow finds workflows in which nothing does anything.
var Hollow = &audit.Check{
	ID:       "workflow-hollow",
	System:   snapshot.Workflows,
	Title:    "workflow does nothing",
	Severity: audit.Medium,
	Doc: "Every step of the workflow only says something, prepares or installs; none does any work, asks anything or can find anything wrong, and no other workflow waits for it. " +
		"It is valid and green, and whoever looks at the list of workflows believes that something is taken care of. " +
		"A job that is known to have worked once is reported by workflow-gutted instead.",
	Hint:          "Look in git for what it did once (`git log -p` on the file) and bring that back, or remove the workflow.",
	Discriminator: "none: one finding for each file; of five files or more one for all",
	Source:        "measured: 1 % of 283 workflows; in one repository dozens, made by an automatic fixer",
	Still:         true,
	Judge:         judgeHollow,
}

func judgeHollow(p *audit.Pass) {
	j := newJudge(p)
	var all []damage
	for _, n := range j.notes(model.NoteHollow) {
		if gutted(n.it) || j.awaited(n.it) { // that it ran is what the other waits for
			continue
		}
		r := audit.Report{Item: n.it.Key, At: locate(n.it, n.Pos), Severity: audit.Low,
			Message: fmt.Sprintf("no step of %s does any work: they only say something", short(n.it))}
		if e := starts(n.it); e != "" {
			r.Severity = audit.Medium
			r.Message += fmt.Sprintf("; it is started by %s", e)
		}
		all = append(all, damage{"hollow", "do no work at all: their steps only say something", r, 0, n.it})
	}
	reportAll(p, all)
}

// awaited reports whether another workflow runs when this one has ended.
func (j *judge) awaited(it *snapshot.Item) bool {
	own := fact(it, "name")
	return slices.ContainsFunc(j.files, func(other *snapshot.Item) bool {
		v, ok := other.Fact("on.workflow_run.workflows")
		return ok && other != it && slices.ContainsFunc(v.Strings(), func(name string) bool {
			return strings.EqualFold(strings.TrimSpace(name), own) || strings.EqualFold(name, it.Path)
		})
	})
}

// gutted reports whether a job of the item once worked.
func gutted(it *snapshot.Item) bool {
	for _, f := range it.Facts.All() {
		if strings.HasSuffix(f.Name, ".gutted-from") {
			return true
		}
	}
	return false
}
