package function

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"healthaudit/audit"
	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/netlify"
)

// ManifestDrift finds lists of functions that differ from the functions there are.
var ManifestDrift = &audit.Check{
	ID:       "function-manifest-drift",
	System:   snapshot.Functions,
	Title:    "list and functions differ",
	Severity: audit.Medium,
	Doc: "Scripts take a list of functions (*functions-manifest*.json, or a file that systems.functions.manifests names) for what is deployed: " +
		"a name without a function answers 404 (medium), and so does a path without a file fail; a function that is not listed is watched and started by nobody " +
		"(low; medium when the list is empty). A list that suddenly holds less than half of what it held when it was last good, while " +
		"the functions are there, was written by a generator that failed: high, until they are back. A list that names the smaller part of the " +
		"functions, and always did, is taken for a selection. The manifest of a build (.netlify/functions/manifest.json) is low: it is only old.",
	Hint:          "Write the list anew with the script that makes it, and look why that did not happen.",
	Discriminator: "direction: listed (a name without a function), unlisted (a function without a name), paths (a path without a file)",
	Source:        "manifests seen in the wild: folders left out by the generator, an empty list as a placeholder",
	Limits: []audit.Limit{{Name: "collapse", Default: 0.5, Unit: "share of the last good count",
		Doc: "below this share the list has collapsed; 0 switches that off"}},
	Judge: func(p *audit.Pass) {
		helpers := helpers(p)
		for _, it := range p.Items() {
			if it.Kind != kindFile || isConfig(it) {
				continue
			}
			m, ok := manifest(p, it)
			folder, ours := it.Fact("folder")
			if _, missing := it.Fact("missing"); !ok || !ours || m.Broken() {
				if !missing {
					p.DoubtAll(it.Key)
				}
				continue
			}
			d := drift{p: p, it: it, m: m, folder: folder.Str(), there: map[string]*snapshot.Item{}}
			d.gather()
			d.listed()
			d.unlisted(helpers)
			d.paths()
		}
	},
}

// A drift compares one list with the functions of its site.
type drift struct {
	p      *audit.Pass
	it     *snapshot.Item
	m      *netlify.Manifest
	folder string
	there  map[string]*snapshot.Item // functions and edge functions by name
	names  []string                  // of the functions, sorted
	cased  map[string]bool           // functions that the list writes in other letters
	ghosts map[string]bool           // names without a function
}

func (d *drift) gather() {
	for _, it := range d.p.Items() {
		if it.Source == d.it.Source && (it.Kind == kindFunction || it.Kind == kindEdge) {
			if d.there[it.Name] == nil || it.Kind == kindFunction {
				d.there[it.Name] = it
			}
			if it.Kind == kindFunction {
				d.names = append(d.names, it.Name)
			}
		}
	}
	slices.Sort(d.names)
}

func (d *drift) report(r audit.Report, names []string) {
	r.Item = d.it.Key
	slices.Sort(names)
	more := ""
	if n := len(names) - most; n > 0 {
		more = fmt.Sprintf(", %d more", n)
	}
	r.Evidence = append(r.Evidence, audit.Evidence{Name: "functions", Value: strings.Join(names[:min(len(names), most)], ", ") + more})
	if d.m.Format == netlify.BuildOutput {
		r.Confidence = audit.Likely
		if r.Severity != audit.High {
			r.Severity, r.Hint = audit.Low, "Build the site again; the manifest is written by the build and never by hand."
		}
	}
	d.p.Report(r)
}

// most is how many names stand in the evidence.
const most = 50

// listed reports the names without a function.
func (d *drift) listed() {
	var names []string
	var first netlify.Place
	why := ""
	d.ghosts, d.cased = map[string]bool{}, map[string]bool{}
	for _, e := range d.m.Entries {
		if d.there[e.Name] != nil || e.Generated || d.elsewhere(e.Name) {
			continue
		}
		d.ghosts[e.Name] = true
		for _, n := range d.names {
			if strings.EqualFold(n, e.Name) {
				d.cased[n] = true
				why = fmt.Sprintf("; %s differs in upper and lower case", tidy(n))
			}
		}
		if names = append(names, tidy(e.Name)); len(names) == 1 {
			first = e.Place
		}
	}
	if len(names) == 0 {
		return
	}
	msg := fmt.Sprintf("%s lists %s, but there is no such function%s", d.base(), names[0], why)
	if len(names) > 1 {
		msg = fmt.Sprintf("%s lists %d functions that are not there: %s%s", d.base(), len(names), some(names), why)
	}
	d.report(audit.Report{Discriminator: "listed", Message: msg, At: at(d.it, first),
		Hint: "Restore the function, or take its name out of the list: whoever calls it by the list gets 404."}, names)
}

// elsewhere reports whether a function may be there although it was not found:
// in what git ignores, behind a link, or gone a moment ago, which is told there.
func (d *drift) elsewhere(name string) bool {
	stem := path.Join(d.folder, name)
	for _, ext := range []string{"", ".js", ".mjs", ".cjs", ".ts", ".mts", ".cts", ".tsx", ".zip"} {
		if d.p.Now.Tree.InIgnored(stem + ext) {
			return true
		}
	}
	return slices.ContainsFunc(d.p.Gone, func(g audit.Gone) bool {
		return g.Name == name && g.Item.System() == snapshot.Functions
	})
}

// unlisted reports the functions that the list leaves out.
func (d *drift) unlisted(helpers map[string][]string) {
	listed := map[string]bool{}
	for _, e := range d.m.Entries {
		listed[e.Name] = true
	}
	var names []string
	in := 0
	for _, n := range d.names {
		switch {
		case listed[n] || d.cased[n]:
			in++
		case !d.isNone(d.there[n], helpers):
			names = append(names, tidy(n))
		}
	}
	good, _ := d.it.Fact("count.good")
	was, _ := good.Num()
	could := min(was, float64(in+len(names))) // what it can hold at most today
	fallen := float64(len(d.m.Entries)) < could*d.p.Limit("collapse")
	if len(names) == 0 || !fallen && len(d.m.Entries) > 0 && len(names) > in {
		return
	}
	r := audit.Report{Discriminator: "unlisted", Severity: audit.Low, At: at(d.it, d.m.List),
		Message: fmt.Sprintf("%s leaves out %s", d.base(), some(names)),
		Hint:    "Write the list anew, so that whatever goes by it sees the function, too."}
	switch {
	case fallen:
		r.Severity, r.Title = audit.High, "list of functions collapsed"
		r.Message = fmt.Sprintf("%s lists %d of %d functions, and listed %v when it was last good", d.base(), in, in+len(names), was)
		r.Hint = "Its generator failed half-way. `audit restore` brings the last good list back; then look at the script that writes it."
		r.Evidence = []audit.Evidence{{Name: "last good count", Value: strconv.Itoa(int(was))}}
	case len(d.m.Entries) == 0:
		r.Severity = audit.Medium
		r.Message = fmt.Sprintf("%s is empty, but there are %d functions", d.base(), len(names))
		if len(names) == 1 {
			r.Message = fmt.Sprintf("%s is empty, but there is a function: %s", d.base(), names[0])
		}
	}
	d.report(r, names)
}

// isNone reports whether a file is only by its place a function: another check
// tells of it.
func (d *drift) isNone(it *snapshot.Item, helpers map[string][]string) bool {
	fn, ok := analysis(d.p, it)
	return ok && fn.State == netlify.HandlerMissing || isNoFunction(it.Path) != "" || len(helpers[it.Path]) > 0 ||
		netlify.Reserved(it.Name)
}

// paths reports the entries whose path leads to no file.
func (d *drift) paths() {
	var names []string
	var first netlify.Entry
	for _, e := range d.m.Entries {
		if e.Path == "" || d.ghosts[e.Name] || e.Generated || d.exists(e.Path) {
			continue
		}
		if names = append(names, tidy(e.Name)); len(names) == 1 {
			first = e
		}
	}
	if len(names) == 0 {
		return
	}
	msg := fmt.Sprintf("%s gives %s the path %s, where there is no file", d.base(), names[0], tidy(first.Path))
	if len(names) > 1 {
		msg = fmt.Sprintf("%s gives %d functions a path where there is no file: %s", d.base(), len(names), some(names))
	}
	d.report(audit.Report{Discriminator: "paths", Message: msg, At: at(d.it, first.Place),
		Hint: "Correct the path, or write the list anew."}, names)
}

// exists reports whether a path may lead to a file: from the root, from where
// the list lies, or from the folder of functions.
func (d *drift) exists(p string) bool {
	for _, from := range []string{".", path.Dir(d.it.Path), d.folder, path.Dir(d.folder)} {
		c := path.Join(from, p)
		if strings.HasPrefix(c, "../") || d.p.Now.Tree.HasFile(c) || d.p.Now.Tree.InIgnored(c) {
			return true
		}
	}
	return false
}

func (d *drift) base() string { return path.Base(d.it.Path) }

// tidy quotes a name that would break a line.
func tidy(name string) string {
	if q := strconv.Quote(name); len(q) != len(name)+2 {
		return q
	}
	return name
}
