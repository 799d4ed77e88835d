package workflow

import (
	"healthaudit/audit"
	"healthaudit/snapshot"
	model "healthaudit/snapshot/analyze/workflow"
)

// OverprovisionedSecrets finds expressions that give a step all secrets.
var OverprovisionedSecrets = &audit.Check{
	ID:       "workflow-overprovisioned-secrets",
	System:   snapshot.Workflows,
	Title:    "step gets every secret",
	Severity: audit.Medium,
	Doc: "toJSON(secrets) or secrets[name] with a computed name makes GitHub hand every secret to the runner, not " +
		"only the one that is used. Whatever runs in the job can read them all.",
	Hint:          "Name the secret: ${{ secrets.NAME }}; with a matrix, write one line for each value.",
	Discriminator: "job and step key",
	Source:        "https://docs.zizmor.sh/audits/#overprovisioned-secrets",
	Still:         true,
	Judge:         judgeOverprovisionedSecrets,
}

func judgeOverprovisionedSecrets(p *audit.Pass) {
	once(p, hits(p, model.OverprovisionedSecrets), func(pl place) audit.Report {
		if pl.Kind == "all" {
			return pl.at("", "toJSON(secrets) hands all secrets to one step")
		}
		return pl.at("", "a secret whose name is computed makes GitHub hand all of them to the runner")
	})
}
