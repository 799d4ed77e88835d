package workflow

import (
	"healthaudit/audit"
	"healthaudit/snapshot"
	model "healthaudit/snapshot/analyze/workflow"
)

// SelfHostedOnPR finds own runners that run code of strangers.
var SelfHostedOnPR = &audit.Check{
	ID:       "workflow-self-hosted-on-pr",
	System:   snapshot.Workflows,
	Title:    "own runner runs code of strangers",
	Severity: audit.Medium,
	Doc: "On a public repository a pull request of anybody runs on this runner, which is your machine: it sees your network, and what " +
		"is left on it the next job finds. On a private repository this is no danger: waive it.",
	Hint:          "Run pull requests on GitHub's runners, or ask in if: that the change comes from this repository.",
	Discriminator: "job key",
	Source:        "https://docs.zizmor.sh/audits/#self-hosted-runner; https://docs.github.com/actions/reference/security/secure-use#hardening-for-self-hosted-runners",
	Still:         true,
	Judge:         judgeSelfHostedOnPR,
}

func judgeSelfHostedOnPR(p *audit.Pass) {
	once(p, hits(p, model.SelfHosted), func(pl place) audit.Report {
		r := pl.at("", "strangers can start job "+pl.Detail+" on your own runner, when the repository is public")
		r.Confidence = audit.Likely
		return r
	})
}
