package workflow

import (
	"healthaudit/audit"
	"healthaudit/snapshot"
	model "healthaudit/snapshot/analyze/workflow"
)

// HardcodedCredentials finds passwords that stand in a file.
var HardcodedCredentials = &audit.Check{
	ID:       "workflow-hardcoded-credentials",
	System:   snapshot.Workflows,
	Title:    "password stands in the file",
	Severity: audit.High,
	Doc: "The password of a container registry stands in the workflow in clear: everybody who can read the " +
		"repository has it, and its history keeps it after the line is gone.",
	Hint:          "Move it into a secret (password: ${{ secrets.NAME }}) and change it: it stands in the history.",
	Discriminator: "job key, and container or service",
	Source:        "https://docs.zizmor.sh/audits/#hardcoded-container-credentials; actionlint v1.7.12 rule credentials",
	Still:         true,
	Judge:         judgeHardcodedCredentials,
}

func judgeHardcodedCredentials(p *audit.Pass) {
	once(p, hits(p, model.HardcodedCredentials), func(pl place) audit.Report {
		return pl.at(pl.Detail, "the registry password of "+pl.Detail+" stands in the file")
	})
}
