package workflow

import (
	"fmt"
	"slices"
	"strings"

	"healthaudit/audit"
	"healthaudit/snapshot"
	model "healthaudit/snapshot/analyze/workflow"
)

// DangerousTrigger finds events with which strangers start runs that have rights.
var DangerousTrigger = &audit.Check{
	ID:       "workflow-dangerous-trigger",
	System:   snapshot.Workflows,
	Title:    "strangers start a run with rights",
	Severity: audit.High,
	Doc: "pull_request_target, workflow_run and issue_comment run with the repository's token and secrets although a stranger causes them. That is safe only as long as " +
		"nothing of the stranger's is run: once their commit is checked out, npm install, make or a test runs their code with your secrets.",
	Hint: "Build strangers' code under pull_request, which has neither secrets nor rights, and hand over " +
		"only data; or ask for an approval with a protected environment.",
	Discriminator: "the event; \"seen\" for all files in which nothing of a stranger's is seen to run",
	Source:        "https://securitylab.github.com/resources/github-actions-preventing-pwn-requests/ and https://docs.zizmor.sh/audits/#dangerous-triggers",
	Still:         true,
	Judge:         judgeDangerousTrigger,
}

// triggerDanger says of each kind how bad it is and what it does.
var triggerDanger = map[string]struct {
	sev  audit.Severity
	conf audit.Confidence
	say  string
}{
	model.RunsHead:      {audit.High, audit.Certain, "a stranger's %s event starts it, and it checks out and runs their code with rights or secrets"},
	model.RunsReduced:   {audit.Medium, audit.Certain, "a stranger's %s event starts it, and it checks out and runs their code, with a token that only reads"},
	model.UsesOutput:    {audit.Medium, audit.Likely, "on %s it takes the artifacts of a run that strangers can cause, and goes on with them with rights"},
	model.Guarded:       {audit.Low, audit.Likely, "on %s it runs code of the pull request with rights; a condition or an environment stands before it"},
	model.GuardedOutput: {audit.Low, audit.Guess, "on %s it takes the artifacts of a run of a pull request, and goes on with them with rights; a condition or an environment stands before it"},
}

func judgeDangerousTrigger(p *audit.Pass) {
	list := hits(p, model.DangerousTrigger)
	onlyTriggers(p, ofKind(list, model.OnlyTrigger))
	list = slices.DeleteFunc(slices.Clone(list), func(pl place) bool { return pl.Kind == model.OnlyTrigger })
	once(p, list, func(pl place) audit.Report {
		d := triggerDanger[pl.Kind]
		r := pl.at("", fmt.Sprintf(d.say, pl.Detail))
		r.Discriminator, r.Severity, r.Confidence = pl.Detail, d.sev, d.conf
		return r
	})
}

// onlyTriggers tells once of the files in which nothing of a stranger's is seen
// to run: that is what these events are for, and is to stay so.
func onlyTriggers(p *audit.Pass, list []place) {
	var names []string
	for _, pl := range list {
		if n := short(pl.it); !slices.Contains(names, n) {
			names = append(names, n)
		}
	}
	if len(names) == 0 {
		return
	}
	p.Report(audit.Report{Item: snapshot.Pseudo(snapshot.Workflows), Discriminator: "seen", At: locate(list[0].it, list[0].Pos),
		Severity: audit.Info, Confidence: audit.Guess,
		Message:  say(len(names), "is", "are") + " started by strangers, with rights; nothing of theirs is seen to run: " + and(names),
		Hint:     "Keep it so: in these files never check out or run what a pull request brings, nor what its runs leave.",
		Evidence: []audit.Evidence{{Name: "workflows", Value: strings.Join(names, ", ")}}})
}
