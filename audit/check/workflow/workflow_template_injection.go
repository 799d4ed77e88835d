package workflow

import (
	"fmt"

	"healthaudit/audit"
	"healthaudit/snapshot"
	model "healthaudit/snapshot/analyze/workflow"
)

// TemplateInjection finds expressions that put text of strangers into a script.
var TemplateInjection = &audit.Check{
	ID:       "workflow-template-injection",
	System:   snapshot.Workflows,
	Title:    "text of others becomes a command",
	Severity: audit.High,
	Doc: "GitHub puts the value of ${{ }} into the script before a shell sees it. Where somebody else chooses that text, a title of an issue or the name of a branch, it is no longer text but a part of the program: " +
		"it runs with the token and the secrets of the job. Values are followed through env, matrices and outputs of jobs; an event that never carries the text is no danger.",
	Hint: "Put the value into env: of the step and use the variable in the script, in double quotes; in " +
		"actions/github-script read it from context.payload or process.env.",
	Discriminator: "job and step key; \"writers\" for the sum of places that only people with rights can reach",
	Source:        "https://docs.zizmor.sh/audits/#template-injection; untrusted contexts of actionlint v1.7.12; https://securitylab.github.com/resources/github-actions-untrusted-input/",
	Still:         true,
	Judge:         judgeTemplateInjection,
}

// injectionBy says of each kind how bad it is and who it is.
var injectionBy = map[string]struct {
	sev  audit.Severity
	conf audit.Confidence
	who  string
}{
	model.ByAnyone:  {audit.High, audit.Certain, "anybody with a GitHub account can set"},
	model.ByForks:   {audit.Medium, audit.Certain, "whoever opens a pull request can set"},
	model.ByCommits: {audit.Medium, audit.Likely, "the author of any commit that is merged can set"},
	model.ByCallers: {audit.Medium, audit.Likely, "strangers can set, when such an event calls this file,"},
	model.Guarded:   {audit.Low, audit.Likely, "strangers can set, unless the condition keeps them out,"},
}

func judgeTemplateInjection(p *audit.Pass) {
	list := hits(p, model.TemplateInjection)
	type step struct {
		item  snapshot.Key
		where string
	}
	worst := map[step]place{}
	var order []step
	for _, pl := range list {
		if pl.Kind == model.ByWriters {
			continue
		}
		at := step{pl.it.Key, pl.Where}
		old, seen := worst[at]
		if !seen {
			order = append(order, at)
		}
		if !seen || injectionBy[pl.Kind].sev > injectionBy[old.Kind].sev {
			worst[at] = pl
		}
	}
	for _, at := range order {
		pl := worst[at]
		by := injectionBy[pl.Kind]
		r := pl.at("", fmt.Sprintf("what %s becomes a command here: %s", by.who, pl.Detail))
		r.Severity, r.Confidence = by.sev, by.conf
		p.Report(r)
	}
	sum(p, ofKind(list, model.ByWriters), "writers", "put an input or the name of a branch, tag or label into a script: who may start runs or push can add commands", audit.Low)
}
