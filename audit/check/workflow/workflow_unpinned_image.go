package workflow

import (
	"healthaudit/audit"
	"healthaudit/snapshot"
	model "healthaudit/snapshot/analyze/workflow"
)

// UnpinnedImage finds container images without a version.
var UnpinnedImage = &audit.Check{
	ID:       "workflow-unpinned-image",
	System:   snapshot.Workflows,
	Title:    "container image without a version",
	Severity: audit.Low,
	Doc: "An image without a tag, or with latest, is another one every week: a job that was green turns " +
		"red without a change, or runs what somebody else has pushed.",
	Hint:          "Name a version, or better the digest (image@sha256:…).",
	Discriminator: "none: one finding for all",
	Source:        "https://docs.zizmor.sh/audits/#unpinned-images",
	Still:         true,
	Judge:         judgeUnpinnedImage,
}

func judgeUnpinnedImage(p *audit.Pass) {
	sum(p, hits(p, model.UnpinnedImage), "", "use a container image without a version", 0)
}
