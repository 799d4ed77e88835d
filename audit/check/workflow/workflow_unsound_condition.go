package workflow

import (
	"healthaudit/audit"
	"healthaudit/snapshot"
	model "healthaudit/snapshot/analyze/workflow"
)

// UnsoundCondition finds conditions that are always true.
var UnsoundCondition = &audit.Check{
	ID:       "workflow-unsound-condition",
	System:   snapshot.Workflows,
	Title:    "condition is always true",
	Severity: audit.High,
	Doc: "GitHub evaluates what stands within ${{ }} and then sees a text. When anything stands around it, a word or only the line break at the end of a block, the text " +
		"is not empty, and not empty is true: the step runs always, also where it must not, such as a deployment outside of main.",
	Hint:          "Put the whole condition inside one ${{ }}, or leave ${{ }} away; for a block write if: |- instead of if: |.",
	Discriminator: "job and step key",
	Source:        "https://docs.zizmor.sh/audits/#unsound-condition; actionlint v1.7.12 rule if-cond",
	Still:         true,
	Judge:         judgeUnsoundCondition,
}

func judgeUnsoundCondition(p *audit.Pass) {
	once(p, hits(p, model.UnsoundCondition), func(pl place) audit.Report {
		if pl.Kind == "newline" {
			return pl.at("", "the condition is always true, because white space stands outside of ${{ }}: a block ends with a line break")
		}
		return pl.at("", "the condition is always true, because something stands outside of ${{ }}")
	})
}
