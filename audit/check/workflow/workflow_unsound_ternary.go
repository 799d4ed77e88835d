package workflow

import (
	"healthaudit/audit"
	"healthaudit/snapshot"
	model "healthaudit/snapshot/analyze/workflow"
)

// UnsoundTernary finds choices that never choose.
var UnsoundTernary = &audit.Check{
	ID:       "workflow-unsound-ternary",
	System:   snapshot.Workflows,
	Title:    "choice never takes its first value",
	Severity: audit.Low,
	Doc: "cond && '' || 'x' looks like a choice, but an empty text, 0, false and null count as false: the " +
		"result is always the second value, whatever the condition says.",
	Hint:          "Turn the condition round, so that the value behind && is never empty: !cond && 'x' || ''.",
	Discriminator: "job and step key",
	Source:        "https://docs.zizmor.sh/audits/#unsound-ternary",
	Still:         true,
	Judge:         judgeUnsoundTernary,
}

func judgeUnsoundTernary(p *audit.Pass) {
	once(p, hits(p, model.UnsoundTernary), func(pl place) audit.Report {
		return pl.at("", "the value behind && counts as false, so that the one behind || is always taken")
	})
}
