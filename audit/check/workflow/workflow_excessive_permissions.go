package workflow

import (
	"healthaudit/audit"
	"healthaudit/snapshot"
	model "healthaudit/snapshot/analyze/workflow"
)

// ExcessivePermissions finds tokens that may do more than the jobs need.
var ExcessivePermissions = &audit.Check{
	ID:       "workflow-excessive-permissions",
	System:   snapshot.Workflows,
	Title:    "token may do too much",
	Severity: audit.Medium,
	Doc: "Every job gets a token for the repository. With write-all, a hole in one step or in one action is a hole in everything: code, releases, packages, pages. Files without a permissions key get " +
		"what the repository's settings say, often the same; that, and a permission to write for every job of a file, most repositories have, so it is one finding.",
	Hint:          "Write permissions: contents: read at the top of the file, and give each job what it writes.",
	Discriminator: "job key for write-all; \"sum\" for the rest",
	Source:        "https://docs.zizmor.sh/audits/#excessive-permissions; https://docs.github.com/actions/reference/security/secure-use",
	Still:         true,
	Judge:         judgeExcessivePermissions,
}

func judgeExcessivePermissions(p *audit.Pass) {
	list := hits(p, model.ExcessivePermissions)
	once(p, ofKind(list, model.WriteAll), func(pl place) audit.Report {
		return pl.at("", "the token may write everything of the repository (write-all)")
	})
	sum(p, ofKind(list, model.DefaultToken, model.WideWrite, model.ReadAll), "sum",
		"leave the token more rights than its jobs need: those of the repository's settings, or the same wide ones for every job", audit.Low)
}
