package function

import (
	"fmt"
	"path"
	"strings"

	"healthaudit/audit"
	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/netlify"
)

// Refused finds functions on which Netlify's build fails.
var Refused = &audit.Check{
	ID:       "function-refused",
	System:   snapshot.Functions,
	Title:    "Netlify's build refuses it",
	Severity: audit.High,
	Doc: "The function asks for something that Netlify's build refuses, and the whole deploy fails with it: a path or method that is none, memory or " +
		"vcpu out of bounds, a region that does not exist, schedule() imported and not used as the handler, a schedule or an event together with a path, " +
		"a composed require() that the default bundler cannot follow, or the name that Netlify keeps for itself.",
	Hint:          "Correct the value; nothing is deployed before.",
	Discriminator: "config, schedule and path, event and path, name, or composed require and the file",
	Source:        "@netlify/zip-it-and-ship-it 16 (in_source_config) and @netlify/build 37, measured",
	Still:         true,
	Judge: func(p *audit.Pass) {
		for _, it := range p.Items() {
			if it.Kind == kindFunction {
				refused(p, it)
			}
		}
	},
}

func refused(p *audit.Pass, it *snapshot.Item) {
	report := func(discriminator, message, hint string, at netlify.Place) {
		refusal(p, it, audit.Report{Discriminator: discriminator, Message: message, Hint: hint, At: audit.Location{Path: it.Path, Line: at.Line, Column: at.Column}})
	}
	if netlify.Reserved(it.Name) {
		report("name", fmt.Sprintf("%s is a name that Netlify keeps for itself: its build fails", it.Name), "Rename the function.", netlify.Place{})
	}
	fn, ok := analysis(p, it)
	if !ok {
		return
	}
	if len(fn.Problems) > 0 {
		p.DoubtAll(it.Key)
		return
	}
	refusedFiles(p, it)
	schedule, scheduled := effective(it)
	switch {
	case fn.Refused != nil && !told(fn):
		report("config", fmt.Sprintf("Netlify's build fails on %s: %s", it.Name, fn.Refused.Message), "", fn.Refused.Place)
	case len(fn.Routes) == 0:
	case scheduled:
		report("schedule and path", fmt.Sprintf("%s has a schedule (%s) and a path (%s): Netlify's build fails", it.Name, schedule.Expression, fn.Routes[0]),
			"Take one of them away: a scheduled function has no address. What should do both calls a third file from two functions.", fn.HandlerAt)
	case netlify.EventNamed(it.Name):
		report("event and path", fmt.Sprintf("%s is started by an event of its name and has a path (%s): Netlify's build fails", it.Name, fn.Routes[0]),
			"Rename the function, or take the path away.", fn.HandlerAt)
	}
}

// refusal reports with a place that is always one.
func refusal(p *audit.Pass, it *snapshot.Item, r audit.Report) {
	r.Item, r.At.Line, r.At.Column = it.Key, max(r.At.Line, 1), max(r.At.Column, 1)
	p.Report(r)
}

// refusedFiles judges the files that a function brings: one with the name that
// Netlify keeps, and what its oldest bundler cannot follow.
func refusedFiles(p *audit.Pass, it *snapshot.Item) {
	bundler, _ := it.Fact("bundler")
	said, _ := closure(p, it)
	for _, file := range sorted(said) {
		for part := range strings.SplitSeq(file, "/") {
			if file != it.Path && netlify.Reserved(strings.TrimSuffix(part, path.Ext(part))) {
				refusal(p, it, audit.Report{Discriminator: "name " + file, At: audit.Location{Path: file}, Hint: "Rename the file or folder.",
					Message: fmt.Sprintf("%s brings %s, a name that Netlify keeps for itself: its build fails", it.Name, file)})
				break
			}
		}
		for _, d := range said[file].Deeds {
			if d.Kind == netlify.DeedCompose && bundler.Str() == netlify.BundlerZISI {
				refusal(p, it, audit.Report{Discriminator: "composed require " + file, At: audit.Location{Path: file, Line: d.At.Line, Column: d.At.Column},
					Message: fmt.Sprintf("%s asks for a module by a name that it composes, require(`…`), which Netlify's default bundler cannot follow: its build fails", it.Name),
					Hint:    "Set node_bundler = \"esbuild\" under [functions], or name the modules in a table: { a: () => require(\"./a\") }."})
			}
		}
	}
}

// told reports whether function-schedule-ignored says it already.
func told(fn netlify.Function) bool {
	for _, d := range fn.Declared {
		if d.Form == netlify.FormHelper && d.Why != "" {
			return true
		}
	}
	return false
}
