package script

import (
	"fmt"
	"iter"
	"slices"
	"strings"

	"healthaudit/audit"
	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/refs"
)

// NPMRecursion reports npm scripts that start themselves.
var NPMRecursion = &audit.Check{
	ID:       "script-npm-recursion",
	System:   snapshot.Scripts,
	Title:    "npm script starts itself",
	Severity: audit.Medium,
	Doc: "An npm script runs itself, directly or through others, through its pre or post script too: it never ends, and each round takes another process until the machine " +
		"has no more. It is usually the trace of a script that was renamed together with its caller. It is high where something starts it. " +
		"Calls whose failure or absence the text provides for are left out.",
	Hint:          "Let the innermost call be the program that is meant (`tsc`, `vite build`), not `npm run` of the same name.",
	Discriminator: "none: one finding for each circle, at its first script",
	Source:        "https://docs.npmjs.com/cli/commands/npm-run-script; npm has no guard against it",
	Still:         true,
	Judge:         judgeNPMRecursion,
}

func judgeNPMRecursion(p *audit.Pass) {
	table := refs.NewTable(p.Now, p.Derived)
	calls := npmCalls(p, table)
	done := map[snapshot.Key]bool{}
	for _, it := range p.Items() {
		if it.Kind != "npm" || done[it.Key] {
			continue
		}
		circle := refs.Circle(it.Key, func(k snapshot.Key) iter.Seq[snapshot.Key] { return slices.Values(calls[k]) })
		if circle == nil {
			continue
		}
		var names []string
		for _, k := range append(circle, circle[0]) {
			names = append(names, p.Now.Item(k).Name)
			done[k] = true
		}
		r := audit.Report{Item: it.Key, At: audit.Location{Path: it.Path, Line: it.Line}, Message: fmt.Sprintf("%s starts itself and never ends: %s", what(it), strings.Join(names, " → "))}
		if by := table.Started()[it.Key].By(); by != "" {
			r.Severity = audit.High
			r.Evidence = []audit.Evidence{{Name: "started by", Value: string(by)}}
		}
		for _, ref := range it.Refs.All() {
			if table.Resolve(ref).Item == circle[1%len(circle)] {
				r.At = where(it, ref)
				break
			}
		}
		p.Report(r)
	}
}

// npmCalls maps each npm script to those that it is sure to start: what it calls,
// and what npm runs before and after it.
func npmCalls(p *audit.Pass, table *refs.Table) map[snapshot.Key][]snapshot.Key {
	calls := map[snapshot.Key][]snapshot.Key{}
	for _, it := range p.Items() {
		if it.Kind != "npm" {
			continue
		}
		for _, r := range it.Refs.All() {
			if k := table.Resolve(r).Item; k != "" && !r.Guarded && p.Now.Item(k).Kind == "npm" {
				calls[it.Key] = append(calls[it.Key], k)
			}
		}
		dir, name, ok := strings.Cut(it.Key.Name(), "npm:")
		for _, hook := range []string{"pre", "post"} {
			if k := snapshot.NewKey(snapshot.Scripts, dir+"npm:"+hook+name); ok && p.Now.Item(k) != nil {
				calls[it.Key] = append(calls[it.Key], k)
			}
		}
	}
	return calls
}
