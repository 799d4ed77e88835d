package workflow

import (
	"fmt"
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
	Judge:         judgeOldRuntime,
}

func judgeOldRuntime(p *audit.Pass) {
	list := newJudge(p).notes(model.NoteRuntime)
	if len(list) == 0 {
		return
	}
	var actions []string
	for _, n := range list {
		for a := range strings.SplitSeq(n.Subject, " ") {
			if !slices.Contains(actions, a) {
				actions = append(actions, a)
			}
		}
	}
	slices.Sort(actions)
	p.Report(audit.Report{Item: snapshot.Pseudo(snapshot.Workflows), At: locate(list[0].it, list[0].Pos),
		Message:  fmt.Sprintf("%s: %s", say(len(list), "uses actions that are written for Node 20", "use actions that are written for Node 20"), and(actions)),
		Evidence: []audit.Evidence{{Name: "actions", Value: strings.Join(actions, ", ")}}})
}

// say begins a sentence about a number of workflows.
func say(n int, one, many string) string {
	if n == 1 {
		return "1 workflow " + one
	}
	return fmt.Sprintf("%d workflows %s", n, many)
}
