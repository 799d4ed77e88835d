package workflow

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"healthaudit/audit"
	"healthaudit/snapshot"
)

// BranchesCancel finds workflows whose runs for one branch end those for another.
var BranchesCancel = &audit.Check{
	ID:       "workflow-branches-cancel",
	System:   snapshot.Workflows,
	Title:    "branches cancel each other",
	Severity: audit.Medium,
	Doc: "The concurrency group is the same text for every run, with cancel-in-progress, and the workflow runs for pull requests or for pushes to any branch: " +
		"each push to one of them ends the checks of all others. A group that several workflows share is told by workflow-shared-concurrency.",
	Hint:          "End the group with -${{ github.ref }}, so that each branch has its own.",
	Discriminator: "the group, in lower case",
	Source:        "https://docs.github.com/actions/how-tos/write-workflows/choose-when-workflows-run/control-workflow-concurrency",
	Still:         true,
	Judge:         judgeBranchesCancel,
}

func judgeBranchesCancel(p *audit.Pass) {
	j := newJudge(p)
	groups := j.groups(func(group string) bool { return !strings.Contains(group, "${{") })
	for _, g := range slices.Sorted(maps.Keys(groups)) {
		ms := groups[g]
		if len(ms) > 1 || !ms[0].cancels {
			continue
		}
		it := ms[0].it
		if event := manyBranches(it); event != "" {
			p.Report(audit.Report{Item: it.Key, Discriminator: g, At: j.place(it, ms[0].fact),
				Message: fmt.Sprintf("%s has one concurrency group, %q, for all branches: each %s ends the runs of all others", short(it), g, event)})
		}
	}
}

// manyBranches returns the event that starts a workflow for more than one
// branch, in words, or "".
func manyBranches(it *snapshot.Item) string {
	for _, e := range onOf(it) {
		switch e {
		case "pull_request", "pull_request_target":
			return "pull request"
		case "push":
			_, some := it.Fact("on.push.branches")
			_, tags := it.Fact("on.push.tags")
			if !some && !tags {
				return "push"
			}
		}
	}
	return ""
}
