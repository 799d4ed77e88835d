package workflow

import (
	"healthaudit/audit"
	"healthaudit/snapshot"
	model "healthaudit/snapshot/analyze/workflow"
)

// SecretsInherit finds calls that hand on every secret.
var SecretsInherit = &audit.Check{
	ID:       "workflow-secrets-inherit",
	System:   snapshot.Workflows,
	Title:    "every secret is handed on",
	Severity: audit.Medium,
	Doc: "secrets: inherit gives the called workflow all secrets of the repository and the organisation, whatever it needs. When the " +
		"called file belongs to somebody else, or is taken over, all of them are lost at once.",
	Hint:          "Name the secrets that the called workflow needs: secrets: {NAME: ${{ secrets.NAME }}}.",
	Discriminator: "job key",
	Source:        "https://docs.zizmor.sh/audits/#secrets-inherit",
	Still:         true,
	Judge:         judgeSecretsInherit,
}

func judgeSecretsInherit(p *audit.Pass) {
	once(p, hits(p, model.SecretsInherit), func(pl place) audit.Report {
		if pl.Kind == model.Outside {
			return pl.at("", "every secret is handed on to "+pl.Detail+", a file of another repository that can change")
		}
		r := pl.at("", "every secret is handed on to "+pl.Detail)
		r.Severity = audit.Low
		return r
	})
}
