package workflow

import (
	"healthaudit/audit"
	"healthaudit/snapshot"
	model "healthaudit/snapshot/analyze/workflow"
)

// Misfeature finds settings that make a job unreliable.
var Misfeature = &audit.Check{
	ID:       "workflow-misfeature",
	System:   snapshot.Workflows,
	Title:    "setting that does not do well",
	Severity: audit.Low,
	Doc: "The shell cmd goes on after a command that failed, so that a step is green although nothing worked; pip-install of " +
		"actions/setup-python installs into the runner's own Python, with another result on every image.",
	Hint:          "Use shell: bash or pwsh; install Python packages into a virtual environment.",
	Discriminator: "none: one finding for all",
	Source:        "https://docs.zizmor.sh/audits/#misfeature",
	Still:         true,
	Judge:         judgeMisfeature,
}

func judgeMisfeature(p *audit.Pass) {
	sum(p, hits(p, model.Misfeature), "", "use shell: cmd or pip-install of setup-python, which hide failures or install into the runner", 0)
}
