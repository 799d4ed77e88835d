package workflow

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"healthaudit/audit"
	"healthaudit/snapshot"
	model "healthaudit/snapshot/analyze/workflow"
)

// Lint passes on what actionlint says of files that load.
var Lint = &audit.Check{
	ID:       "workflow-lint",
	System:   snapshot.Workflows,
	Title:    "workflow lint",
	Severity: audit.Medium,
	Version:  2,
	Doc: "The file loads, but a part of it cannot do what it says: an expression that is always empty, a schedule that GitHub refuses, " +
		"a runner that no longer exists, an action whose runtime is gone. Found by actionlint and a table of removed runners.",
	Hint:          "The message names the place; https://rhysd.github.io/actionlint/ tries a correction at once.",
	Discriminator: "kind of message and job and step key, or the runner; the kind alone when it stands in more than three places of a file, and for old actions; on the system the runner that five files or more ask for",
	Source:        "https://github.com/rhysd/actionlint v1.7.12, without what is only newer than it; GitHub changelog for removed runners",
	Still:         true,
	Judge:         judgeLint,
}

// lintSeverity grades the kinds of messages; what is not here has the check's
// own severity.
var lintSeverity = map[string]audit.Severity{
	"cron-invalid": audit.High, "cron-never": audit.High, "timezone-invalid": audit.High,
	"event-unknown": audit.High, "event-filter": audit.High, "event-type": audit.High, "event-workflows": audit.High, "event": audit.High,
	"expression-syntax": audit.High, "expression-context": audit.High,
	"action-format": audit.High, "call-format": audit.High, "permission-value": audit.High, "permission-scope": audit.High,
	"runner-retired": audit.High, "runner-misspelt": audit.High, "action-retired": audit.High, "command-disabled": audit.High,

	"action-outdated":    audit.Low, // GitHub runs it on a newer runtime, and mostly that works
	"command-deprecated": audit.Low, "action-input-unknown": audit.Low, "action-input-deprecated": audit.Low, "expression-type": audit.Low,
	"needs-twice": audit.Low, "empty": audit.Low, "bad-value": audit.Low, "other": audit.Low, "input-declaration": audit.Low,
	"condition-constant": audit.Info, "input-default": audit.Info, "anchor-unused": audit.Info, "runner-unknown": audit.Info, "runner-conflict": audit.Info, "linter": audit.Info,
}

// lintHints replace the check's hint where there is something better to say.
var lintHints = map[string]string{
	"action-retired":  "Use the latest major version: v4 or later.",
	"action-outdated": "Use the action's latest major version; its release notes name what changed.",
	"runner-retired":  "Ask for a runner that exists; jobs for a removed one wait for a day and are then cancelled.",
	"runner-misspelt": "Correct the label: a job for a runner that nobody has waits for a day and is then cancelled. If it is your own runner, list its label in .github/actionlint.yaml.",
	"input-default":   "Remove required: or the default.",
	"runner-unknown":  "If it is your own runner, list its label in .github/actionlint.yaml.",
	"cron-too-often":  "Ask for five minutes or more.",
}

// aggregate are the kinds that are one finding for each file: one habit, one cure.
var aggregate = map[string]string{
	"action-retired":  "GitHub refuses %[3]s, so that %[2]s of %[1]s cannot succeed",
	"action-outdated": "%s has %s with an action for a Node version that GitHub has retired and replaces by a newer one: %s",
}

// crowd is how many places of one kind in one file are still told one by one.
const crowd = 3

func judgeLint(p *audit.Pass) {
	j := newJudge(p)
	fleet := ownRunners(j)
	for _, it := range j.files {
		byFamily := map[string][]model.Message{}
		for _, m := range j.verdict(it).Lint {
			if fleet[m.Text] {
				continue
			}
			same := func(o model.Message) bool { return told(o) == told(m) }
			if !slices.ContainsFunc(byFamily[m.Family], same) {
				byFamily[m.Family] = append(byFamily[m.Family], m)
			}
		}
		for family, list := range byFamily {
			if say := aggregate[family]; say != "" {
				reportLint(p, it, list[0], family, fmt.Sprintf(say, short(it), plural(len(list), "step"), and(subjects(list))))
				continue
			}
			if len(list) > crowd {
				m := list[0]
				reportLint(p, it, m, family, fmt.Sprintf("%s: %s, and the like in %s", short(it), m.Text, plural(len(list)-1, "further place")))
				continue
			}
			for _, m := range list {
				reportLint(p, it, m, family+" "+told(m), fmt.Sprintf("%s: %s", short(it), m.Text))
			}
		}
	}
}

// told is what tells messages of one kind in one file apart: where it stands, and
// of an unknown runner which it is, however many jobs ask for it.
func told(m model.Message) string {
	if m.Family == "runner-unknown" {
		return m.Text
	}
	return m.Where
}

// ownRunners reports each unknown runner that crowdOf files or more ask for once
// for all of them, and returns what was said of it: nobody misspells so often.
func ownRunners(j *judge) map[string]bool {
	by := map[string][]note{}
	for _, it := range j.files {
		told := map[string]bool{}
		for _, m := range j.verdict(it).Lint {
			if m.Family == "runner-unknown" && !told[m.Text] {
				told[m.Text] = true
				by[m.Text] = append(by[m.Text], note{it, m})
			}
		}
	}
	out := map[string]bool{}
	for _, text := range slices.Sorted(maps.Keys(by)) {
		list := by[text]
		if len(list) < crowdOf {
			continue
		}
		out[text] = true
		var names []string
		for _, n := range list {
			names = append(names, n.it.Path)
		}
		j.p.Report(audit.Report{Item: snapshot.Pseudo(snapshot.Workflows), Discriminator: "runner-unknown " + text, At: locate(list[0].it, list[0].Pos),
			Severity: audit.Info, Message: fmt.Sprintf("%s, and %s ask for it", text, plural(len(list), "file")), Hint: lintHints["runner-unknown"],
			Evidence: []audit.Evidence{{Name: "kind", Value: "runner-unknown"}, {Name: "files", Value: strings.Join(names, ", ")}}})
	}
	return out
}

func subjects(list []model.Message) []string {
	var out []string
	for _, m := range list {
		if !slices.Contains(out, m.Subject) {
			out = append(out, m.Subject)
		}
	}
	return out
}

func reportLint(p *audit.Pass, it *snapshot.Item, m model.Message, discriminator, message string) {
	r := audit.Report{Item: it.Key, Discriminator: discriminator, At: locate(it, m.Pos), Message: message,
		Severity: lintSeverity[m.Family], Hint: lintHints[m.Family], Evidence: []audit.Evidence{{Name: "kind", Value: m.Family}}}
	if m.Where != "" && discriminator != m.Family {
		r.Evidence = append(r.Evidence, audit.Evidence{Name: "step", Value: m.Where})
	}
	if m.Family == "permission-scope" || m.Family == "event-unknown" || m.Family == "event-type" {
		r.Confidence = audit.Likely // GitHub gains such names faster than linters learn them
	}
	p.Report(r)
}
