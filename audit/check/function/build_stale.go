package function

import (
	"fmt"

	"healthaudit/audit"
	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/netlify"
)

// BuildStale finds builds that are not what the functions are now, or that went
// another way than they were told to.
var BuildStale = &audit.Check{
	ID:       "function-build-stale",
	System:   snapshot.Functions,
	Title:    "build is not what it should be",
	Severity: audit.Medium,
	Doc: "The manifest of the last build (.netlify/functions/manifest.json, named in systems.functions.manifests) says how each function was packed. One that " +
		"another bundler packed than it should was broken when it was built: esbuild failed, and Netlify's build fell back to another one in silence. One without a " +
		"version of the API could not be read. One with another schedule or version than its source is from an older state. An archive that is missing or above 50 MB cannot be deployed (high).",
	Hint:          "Build the site again, and look at what the build says of the function: netlify build.",
	Discriminator: "fallback, unread, old, missing or large",
	Source:        "@netlify/zip-it-and-ship-it 16: the manifest, and the silent fallback, measured",
	Still:         true,
	Judge: func(p *audit.Pass) {
		for _, it := range p.Items() {
			m, ok := manifest(p, it)
			if !ok || m.Format != netlify.BuildOutput {
				continue
			}
			b := stale{p: p, it: it, found: map[string][]*snapshot.Item{}, first: map[string]netlify.Place{}}
			b.compare(m)
			b.report()
			b.archives()
		}
	},
}

// A stale compares the manifest of one build with the functions.
type stale struct {
	p     *audit.Pass
	it    *snapshot.Item
	found map[string][]*snapshot.Item
	first map[string]netlify.Place
}

func (b *stale) add(kind string, f *snapshot.Item, at netlify.Place) {
	if b.found[kind] = append(b.found[kind], f); len(b.found[kind]) == 1 {
		b.first[kind] = at
	}
}

func (b *stale) compare(m *netlify.Manifest) {
	functions := map[string]*snapshot.Item{}
	for _, f := range b.p.Items() {
		if f.Kind == kindFunction && f.Source == b.it.Source {
			functions[f.Name] = f
		}
	}
	for _, e := range m.Entries {
		f := functions[e.Name]
		if f == nil || e.Built == nil || e.Generated || e.Built.Runtime != netlify.JavaScript {
			continue
		}
		fn, ok := analysis(b.p, f)
		settings, known := settingsOf(b.p, f)
		if !ok || !known {
			continue
		}
		schedule, _ := effective(f)
		version := map[int]string{1: netlify.V1, 2: netlify.V2}[e.Built.API]
		switch {
		case e.Built.API == 0 && fn.Unparsed == "":
			b.add("unread", f, e.Place)
		case len(fn.Problems) > 0 || fn.Unparsed != "":
		case version != fn.Version || e.Built.Schedule != schedule.Expression:
			b.add("old", f, e.Place)
		case e.Built.Bundler != "" && e.Built.Bundler != fn.EffectiveBundler(f.Path, settings.Bundler):
			b.add("fallback", f, e.Place)
		}
	}
}

func (b *stale) report() {
	for _, kind := range sorted(b.found) {
		said := map[string]string{
			"unread":   "could not be parsed when the site was built, and was packed all the same",
			"old":      "was built from an older state: its schedule or version is another one now",
			"fallback": "was not packed by the bundler that it should be: the build fell back to another",
		}[kind]
		b.p.Report(audit.Report{Item: b.it.Key, Discriminator: kind, At: at(b.it, b.first[kind]),
			Message: fmt.Sprintf("%s %s", names(b.found[kind]), said), Evidence: []audit.Evidence{{Name: "functions", Value: list(b.found[kind], 20)}}})
	}
}

func (b *stale) archives() {
	for _, k := range []struct{ fact, kind, said string }{
		{"archives.missing", "missing", "has no archive beside the manifest"},
		{"archives.large", "large", "has an archive of more than 50 MB, which Netlify does not accept"},
	} {
		if v, ok := b.it.Fact(k.fact); ok {
			b.p.Report(audit.Report{Item: b.it.Key, Discriminator: k.kind, Severity: audit.High, At: audit.Location{Path: b.it.Path},
				Message: fmt.Sprintf("%s %s", some(v.Strings()), k.said)})
		}
	}
}
