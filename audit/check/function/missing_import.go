package function

import (
	"fmt"
	"path"
	"sort"

	"healthaudit/audit"
	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/netlify"
)

// MissingImport finds imports of project files that are not there.
var MissingImport = &audit.Check{
	ID:       "function-missing-import",
	System:   snapshot.Functions,
	Title:    "imported file is missing",
	Severity: audit.High,
	Doc: "The function, or a file it imports, asks for a file of the project that is not there, or whose name differs in upper and lower " +
		"case (which works on macOS and Windows and fails on Netlify's Linux). The build fails, or the function fails when it is called. " +
		"Imports that are expected to fail (in a try block, with a catch) do not count, nor files that git ignores.",
	Hint:          "Restore the file, or correct the path in the import.",
	Discriminator: "path of the importing file and the import",
	Source:        "Node.js module resolution; esbuild",
	Still:         true,
	Judge: func(p *audit.Pass) {
		found := map[missingKey]*missing{}
		for _, it := range p.Items() {
			said, links := closure(p, it)
			for _, src := range said {
				if len(src.Problems) > 0 { // what it imports is not seen, and not mended by that
					p.DoubtAll(it.Key)
					break
				}
			}
			for _, l := range links {
				k := missingKey{l.From, l.Import.Path}
				if l.Unread {
					p.Doubt(it.Key, k.discriminator())
				}
				if !l.Missing || l.Import.Optional {
					continue
				}
				if found[k] == nil {
					found[k] = &missing{link: l}
				}
				if n := len(found[k].items); n == 0 || found[k].items[n-1] != it {
					found[k].items = append(found[k].items, it)
				}
			}
		}
		reportMissing(p, found)
	},
}

type missingKey struct{ file, path string }

func (k missingKey) discriminator() string { return k.file + "\x00" + k.path }

type missing struct {
	link  netlify.Link
	items []*snapshot.Item
}

// reportMissing tells of each missing import once, on the first function that
// needs it, however many share the file that asks for it.
func reportMissing(p *audit.Pass, found map[missingKey]*missing) {
	keys := make([]missingKey, 0, len(found))
	for k := range found {
		keys = append(keys, k)
	}
	sort.Slice(keys, func(i, j int) bool {
		if keys[i].file != keys[j].file {
			return keys[i].file < keys[j].file
		}
		return keys[i].path < keys[j].path
	})
	for _, k := range keys {
		m := found[k]
		r := audit.Report{Item: m.items[0].Key, Discriminator: k.discriminator(),
			Message: fmt.Sprintf("%s needs %s, which is not there", names(m.items), path.Join(path.Dir(k.file), k.path)),
			At:      audit.Location{Path: k.file, Line: m.link.Import.Line, Column: m.link.Import.Column}}
		if o := m.link.OtherCase; o != "" {
			r.Message += fmt.Sprintf("; %s differs in upper and lower case", o)
			r.Hint = "Write the import exactly as the file is called: Netlify builds on Linux, where case matters."
		}
		if len(m.items) > 1 {
			r.Evidence = []audit.Evidence{{Name: "functions", Value: list(m.items, 20)}}
		}
		p.Report(r)
	}
}
