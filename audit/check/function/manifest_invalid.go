package function

import (
	"fmt"
	"path"
	"strconv"
	"strings"
	"time"

	"healthaudit/audit"
	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/netlify"
)

// ManifestInvalid finds lists of functions that say nothing, or not what is meant.
var ManifestInvalid = &audit.Check{
	ID:       "function-manifest-invalid",
	System:   snapshot.Functions,
	Title:    "list of functions is damaged",
	Severity: audit.Medium,
	Doc: "A list of functions (*functions-manifest*.json, or a file that systems.functions.manifests names) is read by scripts at run time. " +
		"One that is no JSON, or holds conflict markers, stops them all (high). A list that is missing, is no list, or has entries without a " +
		"name is medium; names and objects in one list (a search for a name passes over the objects), duplicates, a byte order mark, and a " +
		"generatedAt that is no time or lies in the future are low.",
	Hint:          "Write the list anew with the script that makes it; where an earlier run saw it whole, `audit restore latest ITEM --last-good` brings that one back.",
	Discriminator: "kind of defect: syntax, encoding, functions, entry, mixed, duplicate, generated, missing",
	Source:        "manifests seen in the wild: conflict markers, placeholders, mixed entries, one name twice",
	Judge: func(p *audit.Pass) {
		for _, it := range p.Items() {
			if it.Kind != kindFile || isConfig(it) {
				continue
			}
			if _, missing := it.Fact("missing"); missing {
				p.Report(audit.Report{Item: it.Key, Discriminator: "missing", At: audit.Location{Path: it.Path},
					Message: it.Path + " is named in systems.functions.manifests, and is not there",
					Hint:    "Generate it (the manifest of a build: build the site before the audit), correct the path, or take it out of the configuration."})
			} else if m, ok := manifest(p, it); ok {
				manifestDefects(p, it, m)
			} else {
				p.DoubtAll(it.Key)
			}
		}
	},
}

// skew is how far generatedAt may be ahead of our clock.
const skew = 24 * time.Hour

// manifestDefects reports each kind of defect once, at its first place.
func manifestDefects(p *audit.Pass, it *snapshot.Item, m *netlify.Manifest) {
	if p.Now.At.Add(skew).Before(m.Generated) {
		p.Report(audit.Report{Item: it.Key, Discriminator: netlify.DefectGenerated, Severity: audit.Low,
			Message: fmt.Sprintf("%s says that it was generated in the future", path.Base(it.Path)),
			Hint:    "Set the clock of the machine that writes it, or leave the time out: a list without one changes only when its functions do.",
			At:      at(it, m.GeneratedAt)})
	}
	if m.Broken() {
		for _, kind := range []string{netlify.DefectEntry, netlify.DefectMixed, netlify.DefectDuplicate, netlify.DefectGenerated} {
			p.Doubt(it.Key, kind)
		}
	}
	_, ours := it.Fact("folder")
	lines := map[string][]string{}
	for _, d := range m.Defects {
		lines[d.Kind] = append(lines[d.Kind], strconv.Itoa(d.Line))
	}
	for _, d := range m.Defects {
		of := lines[d.Kind]
		delete(lines, d.Kind)
		if of == nil || d.Kind == netlify.DefectFunctions && !ours { // told, or called so and about something else
			continue
		}
		r := audit.Report{Item: it.Key, Discriminator: d.Kind, Severity: defectSeverity(m, d.Kind), At: at(it, d.Place),
			Message: path.Base(it.Path) + ": " + d.Message}
		if n := len(of) - 1; n > 0 {
			r.Message += fmt.Sprintf(" (and %d more)", n)
			r.Evidence = []audit.Evidence{{Name: "lines", Value: strings.Join(of, ", ")}}
		}
		p.Report(r)
	}
}

func defectSeverity(m *netlify.Manifest, kind string) audit.Severity {
	switch kind {
	case netlify.DefectSyntax:
		return audit.High
	case netlify.DefectEncoding:
		if m.Broken() {
			return audit.High
		}
		return audit.Low
	case netlify.DefectMixed, netlify.DefectDuplicate, netlify.DefectGenerated:
		return audit.Low
	}
	return audit.Medium
}

func at(it *snapshot.Item, p netlify.Place) audit.Location {
	return audit.Location{Path: it.Path, Line: p.Line, Column: p.Column}
}

// manifest returns what a list of functions says.
func manifest(p *audit.Pass, it *snapshot.Item) (*netlify.Manifest, bool) {
	f, ok := it.OwnFile()
	if !ok || it.Kind != kindFile || isConfig(it) || it.Unknown != "" || f.SHA256 == "" || f.Link != "" {
		return nil, false
	}
	m, ok := netlify.CachedManifest(p.Derived, f, p.Bytes)
	return &m, ok
}
