package workflow

import (
	"healthaudit/audit"
	"healthaudit/snapshot"
	model "healthaudit/snapshot/analyze/workflow"
)

// UnpinnedTool finds actions that install the newest version of a tool.
var UnpinnedTool = &audit.Check{
	ID:            "workflow-unpinned-tool",
	System:        snapshot.Workflows,
	Title:         "tool is not pinned",
	Severity:      audit.Low,
	Doc:           "The action is pinned, but what it installs is whatever is newest on that day: a taken-over or broken release of the tool runs in your next job.",
	Hint:          "Give the action a version.",
	Discriminator: "none: one finding for all",
	Source:        "https://docs.zizmor.sh/audits/#unpinned-tools",
	Still:         true,
	Judge:         judgeUnpinnedTool,
}

func judgeUnpinnedTool(p *audit.Pass) {
	sum(p, hits(p, model.UnpinnedTool), "", "install the newest version of a tool, whatever it is", 0)
}
