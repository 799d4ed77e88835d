package workflow

import (
	"fmt"

	"healthaudit/audit"
	"healthaudit/snapshot"
	model "healthaudit/snapshot/analyze/workflow"
)

// PushRefused finds steps whose push GitHub never accepts.
var PushRefused = &audit.Check{
	ID:       "workflow-push-refused",
	System:   snapshot.Workflows,
	Title:    "push is refused",
	Severity: audit.High,
	Doc: "A step commits and pushes, but may not: `permissions:` gives GITHUB_TOKEN no write access to contents, or the checkout keeps no credentials (`persist-credentials: false`) and nothing " +
		"else brings some, or what is pushed lies in .github/workflows, which GITHUB_TOKEN may never change. Healers, formatters and reports of that kind work until the first day there is " +
		"something to push, and fail from then on: what they should mend stays broken. Where another token, an SSH key or another repository may be meant, nothing is said.",
	Hint:          "Give the job what it needs: `permissions: {contents: write}`; leave out `persist-credentials: false`; and for changes of workflows a token of a GitHub App with the permission workflows, at the checkout.",
	Discriminator: "the job and the step",
	Source:        "https://docs.github.com/actions/reference/workflows-and-actions/workflow-syntax#permissions; https://github.com/actions/checkout#usage; GitHub: \"refusing to allow a GitHub App to create or update workflow … without `workflows` permission\"",
	Still:         true,
	Judge:         judgePushRefused,
}

func judgePushRefused(p *audit.Pass) {
	var all []damage
	for _, n := range newJudge(p).notes(model.NotePushes) {
		why := map[string]string{
			model.RefusedPermission:  "permissions give GITHUB_TOKEN no write access to contents",
			model.RefusedCredentials: "the checkout keeps no credentials, and nothing else brings some",
			model.RefusedWorkflows:   "it changes .github/workflows, and GITHUB_TOKEN may never do that",
		}[n.Subject]
		if why == "" {
			continue
		}
		hint := map[string]string{
			model.RefusedPermission:  "Give the job `permissions: {contents: write}`.",
			model.RefusedCredentials: "Leave out `persist-credentials: false` in the job that pushes.",
			model.RefusedWorkflows:   "Give the checkout a token of a GitHub App or a person with the permission workflows, or let a person change workflows.",
		}[n.Subject]
		r := audit.Report{Hint: hint, Item: n.it.Key, Discriminator: n.Where, At: locate(n.it, n.Pos),
			Message: fmt.Sprintf("%s of %s pushes, and GitHub refuses it: %s", stepName(n.it, n.Where), short(n.it), why)}
		all = append(all, damage{n.Subject, "push, and GitHub refuses it: " + why, r, 0, n.it})
	}
	reportAll(p, all)
}
