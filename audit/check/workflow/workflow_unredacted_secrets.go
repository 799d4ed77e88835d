package workflow

import (
	"healthaudit/audit"
	"healthaudit/snapshot"
	model "healthaudit/snapshot/analyze/workflow"
)

// UnredactedSecrets finds parts of a secret that logs show.
var UnredactedSecrets = &audit.Check{
	ID:       "workflow-unredacted-secrets",
	System:   snapshot.Workflows,
	Title:    "parts of a secret are not masked",
	Severity: audit.Medium,
	Doc: "GitHub masks a secret in logs by its whole text. What fromJSON(secrets.NAME).key takes out of it is another text, " +
		"which nothing masks: one echo, or one error message, and it stands in the log.",
	Hint:          "Keep each value in a secret of its own, or mask the part first with ::add-mask::.",
	Discriminator: "job and step key and name of the secret",
	Source:        "https://docs.zizmor.sh/audits/#unredacted-secrets",
	Still:         true,
	Judge:         judgeUnredactedSecrets,
}

func judgeUnredactedSecrets(p *audit.Pass) {
	once(p, hits(p, model.UnredactedSecrets), func(pl place) audit.Report {
		return pl.at(pl.Detail, "a part of the secret "+pl.Detail+" is taken out with fromJSON, and logs do not mask it")
	})
}
