package workflow

import (
	"slices"

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
		"called file belongs to somebody else, or is taken over, all of them are lost at once. What stays in the repository is one low finding for all calls.",
	Hint:          "Name the secrets that the called workflow needs: secrets: {NAME: ${{ secrets.NAME }}}.",
	Discriminator: "job key; \"inside\" for all calls of workflows of this repository, or of a fixed commit",
	Source:        "https://docs.zizmor.sh/audits/#secrets-inherit",
	Still:         true,
	Judge:         judgeSecretsInherit,
}

func judgeSecretsInherit(p *audit.Pass) {
	var outside, inside []place
	for _, pl := range hits(p, model.SecretsInherit) {
		if pl.Kind == model.Outside && !slices.ContainsFunc(pl.it.Refs.All(), func(r snapshot.Ref) bool { return r.Where == pl.Where && byFullName(pl.it, r) }) {
			outside = append(outside, pl)
		} else {
			inside = append(inside, pl)
		}
	}
	once(p, outside, func(pl place) audit.Report {
		return pl.at("", "every secret is handed on to "+pl.Detail+", a file of another repository that can change")
	})
	sum(p, inside, "inside", "hand every secret on to a workflow of this repository, or of a fixed commit", audit.Low)
}
