package workflow

import (
	"healthaudit/audit"
	"healthaudit/snapshot"
	model "healthaudit/snapshot/analyze/workflow"
)

// AdhocPackage finds packages that are installed past the lockfile.
var AdhocPackage = &audit.Check{
	ID:       "workflow-adhoc-package",
	System:   snapshot.Workflows,
	Title:    "package installed past the lockfile",
	Severity: audit.Low,
	Doc: "npm install NAME, gem install NAME and the like take the newest version of that day, with all it depends on, and no " +
		"lockfile says which: the job breaks without a change, and a taken-over package runs at once.",
	Hint:          "Put the package into the project's manifest and lockfile, or name the exact version.",
	Discriminator: "none: one finding for all",
	Source:        "https://docs.zizmor.sh/audits/#adhoc-packages",
	Still:         true,
	Judge:         judgeAdhocPackage,
}

func judgeAdhocPackage(p *audit.Pass) {
	sum(p, hits(p, model.AdhocPackage), "", "install a package by its name, past the lockfile", 0)
}
