package workflow

import (
	"healthaudit/audit"
	"healthaudit/snapshot"
	model "healthaudit/snapshot/analyze/workflow"
)

// UnsoundContains finds conditions that ask for a part of a text.
var UnsoundContains = &audit.Check{
	ID:       "workflow-unsound-contains",
	System:   snapshot.Workflows,
	Title:    "condition can be talked round",
	Severity: audit.Medium,
	Doc: "contains('refs/heads/main refs/heads/develop', github.ref) asks whether the branch is a part of that text, not one of its " +
		"words: a branch called mai passes too. Whoever can name a branch can pass the condition.",
	Hint:          "Compare with a list: contains(fromJSON('[\"refs/heads/main\", \"refs/heads/develop\"]'), github.ref).",
	Discriminator: "job and step key and context",
	Source:        "https://docs.zizmor.sh/audits/#unsound-contains",
	Still:         true,
	Judge:         judgeUnsoundContains,
}

func judgeUnsoundContains(p *audit.Pass) {
	once(p, hits(p, model.UnsoundContains), func(pl place) audit.Report {
		return pl.at(pl.Detail, "contains() looks for "+pl.Detail+" as a part of a text, so that a part of a name passes")
	})
}
