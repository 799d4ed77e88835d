package workflow

import (
	"healthaudit/audit"
	"healthaudit/snapshot"
	model "healthaudit/snapshot/analyze/workflow"
)

// BotCondition finds conditions that trust whoever pushed last.
var BotCondition = &audit.Check{
	ID:       "workflow-bot-condition",
	System:   snapshot.Workflows,
	Title:    "bot can be impersonated",
	Severity: audit.Medium,
	Doc: "github.actor is who caused this very run, not who wrote the pull request. A stranger opens a pull request of their own, makes " +
		"the bot touch it (a rebase command, a comment), and the condition holds for their code.",
	Hint:          "Ask who opened the pull request: github.event.pull_request.user.login == 'dependabot[bot]'.",
	Discriminator: "job and step key",
	Source:        "https://docs.zizmor.sh/audits/#bot-conditions; https://www.synacktiv.com/publications/github-actions-exploitation-dependabot",
	Still:         true,
	Judge:         judgeBotCondition,
}

func judgeBotCondition(p *audit.Pass) {
	once(p, ofKind(hits(p, model.BotCondition), "open", "forks"), func(pl place) audit.Report {
		r := pl.at("", pl.Detail+" is compared with a bot: it names who caused the run, not whose change it is")
		if r.Confidence = audit.Likely; pl.Kind == "forks" {
			r.Severity = audit.Low
		}
		return r
	})
}
