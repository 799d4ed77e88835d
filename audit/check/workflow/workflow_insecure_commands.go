package workflow

import (
	"healthaudit/audit"
	"healthaudit/snapshot"
	model "healthaudit/snapshot/analyze/workflow"
)

// InsecureCommands finds steps that switch old workflow commands on again.
var InsecureCommands = &audit.Check{
	ID:       "workflow-insecure-commands",
	System:   snapshot.Workflows,
	Title:    "insecure workflow commands are on",
	Severity: audit.High,
	Doc: "ACTIONS_ALLOW_UNSECURE_COMMANDS brings set-env and add-path back, which GitHub took away in 2020: any line that a program prints, be " +
		"it from a downloaded file or an issue, can then set PATH or a variable for the steps that follow.",
	Hint:          "Remove the variable, and write to $GITHUB_ENV and $GITHUB_PATH instead.",
	Discriminator: "job and step key",
	Source:        "https://docs.zizmor.sh/audits/#insecure-commands; https://github.blog/changelog/2020-10-01-github-actions-deprecating-set-env-and-add-path-commands/",
	Still:         true,
	Judge:         judgeInsecureCommands,
}

func judgeInsecureCommands(p *audit.Pass) {
	once(p, hits(p, model.InsecureCommands), func(pl place) audit.Report {
		return pl.at("", "ACTIONS_ALLOW_UNSECURE_COMMANDS lets whatever is printed set variables and PATH")
	})
}
