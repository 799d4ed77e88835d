package workflow

import (
	"healthaudit/audit"
	"healthaudit/snapshot"
	model "healthaudit/snapshot/analyze/workflow"
)

// UnpinnedAction finds actions that are not pinned to a commit.
var UnpinnedAction = &audit.Check{
	ID:       "workflow-unpinned-action",
	System:   snapshot.Workflows,
	Title:    "actions are not pinned",
	Severity: audit.Low,
	Doc: "A tag or a branch of an action can be moved: whoever takes over its repository runs their code in your next job, as happened to tj-actions/changed-files in March 2025. " +
		"Only a full commit id stays what it is. Nearly every repository has this, so it is one finding and never fails the gate by itself.",
	Hint: "Write the full commit id with the tag as a comment (uses: owner/name@<40 digits> # v4); Dependabot and " +
		"Renovate keep it up to date.",
	Discriminator: "none: one finding for all",
	Source:        "https://docs.zizmor.sh/audits/#unpinned-uses; https://docs.github.com/actions/reference/security/secure-use#using-third-party-actions",
	Still:         true,
	Judge:         judgeUnpinnedAction,
}

func judgeUnpinnedAction(p *audit.Pass) {
	list := hits(p, model.UnpinnedAction)
	if others := ofKind(list, model.ByOthers); len(others) > 0 {
		sum(p, others, "", "use an action of others by a tag or a branch, which can be moved", 0)
		return
	}
	sum(p, list, "", "use one of GitHub's own actions by a tag or a branch", audit.Info)
}
