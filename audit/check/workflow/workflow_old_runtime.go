package workflow

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"healthaudit/audit"
	"healthaudit/snapshot"
	model "healthaudit/snapshot/analyze/workflow"
)

// OldRuntime counts actions that are written for Node 20.
var OldRuntime = &audit.Check{
	ID:       "workflow-old-runtime",
	System:   snapshot.Workflows,
	Title:    "actions for an old Node",
	Severity: audit.Info,
	Doc: "GitHub's own actions in these versions are written for Node 20, which runners replace by Node 24. They mostly work; a new major version is out. " +
		"Actions for Node 16 and older are told file by file by workflow-lint.",
	Hint:          "Let Dependabot or Renovate raise them together; the release notes of each new major version name what changed.",
	Discriminator: "none: one finding for the repository",
	Source:        "https://github.blog/changelog/2025-09-19-deprecation-of-node-20-on-github-actions-runners/",
	Still:         true,
	Judge:         judgeOldRuntime,
}

func judgeOldRuntime(p *audit.Pass) {
	known := map[string]string{} // uses → the old action, if it is one: most files use the same
	found := map[string]bool{}
	var first *snapshot.Item
	n := 0
	for _, it := range files(p) {
		old := false
		for _, f := range it.Facts.All() {
			if !strings.HasSuffix(f.Name, "].uses") {
				continue
			}
			uses := f.Value.Str()
			a, ok := known[uses]
			if !ok {
				a = model.OldRuntime(uses)
				known[uses] = a
			}
			if a != "" {
				old, found[a] = true, true
			}
		}
		if !old {
			continue
		}
		if n++; n == 1 {
			first = it
		}
	}
	if n == 0 {
		return
	}
	actions := slices.Sorted(maps.Keys(found))
	p.Report(audit.Report{Item: snapshot.Pseudo(snapshot.Workflows), At: locate(first, usesAt(p, first)), Wide: n > 1,
		Message:  fmt.Sprintf("%s: %s", say(n, "uses actions that are written for Node 20", "use actions that are written for Node 20"), and(actions)),
		Evidence: []audit.Evidence{{Name: "actions", Value: strings.Join(actions, ", ")}}})
}

// usesAt returns where the file of an item first uses one of them.
func usesAt(p *audit.Pass, it *snapshot.Item) model.Pos {
	f, _ := it.OwnFile()
	b := p.Bytes(f)
	if b == nil {
		return model.Pos{Line: 1, Column: 1}
	}
	return model.Parse(it.Path, b).UsesAt(func(uses string) bool { return model.OldRuntime(uses) != "" })
}

// say begins a sentence about a number of workflows.
func say(n int, one, many string) string {
	if n == 1 {
		return "1 workflow " + one
	}
	return fmt.Sprintf("%d workflows %s", n, many)
}
