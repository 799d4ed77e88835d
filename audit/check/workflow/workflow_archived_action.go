package workflow

import (
	"maps"
	"slices"

	"healthaudit/audit"
	"healthaudit/snapshot"
	model "healthaudit/snapshot/analyze/workflow"
)

// ArchivedAction finds actions that nobody maintains.
var ArchivedAction = &audit.Check{
	ID:       "workflow-archived-action",
	System:   snapshot.Workflows,
	Title:    "action is archived",
	Severity: audit.Low,
	Doc: "The repository of the action is archived: no fault in it will be mended, and one day GitHub " +
		"takes away the Node version that it needs, and the job fails.",
	Hint:          "Replace it; its README usually names the successor.",
	Discriminator: "the action",
	Source:        "list of zizmor 11bbf7e6, crates/zizmor/data/archived-repos.txt",
	Still:         true,
	Judge:         judgeArchivedAction,
}

func judgeArchivedAction(p *audit.Pass) {
	if len(broken(p)) > 0 { // one of them may be in there
		p.DoubtAll(snapshot.Pseudo(snapshot.Workflows))
	}
	byName := map[string][]place{}
	for _, pl := range hits(p, model.ArchivedAction) {
		byName[pl.Detail] = append(byName[pl.Detail], pl)
	}
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		sum(p, byName[name], name, "use "+name+", whose repository is archived", 0)
	}
}
