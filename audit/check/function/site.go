package function

import (
	"path"
	"slices"
	"sort"
	"strings"

	"healthaudit/audit"
	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/netlify"
	"healthaudit/snapshot/analyze/pkgjson"
)

// beside returns the functions of the folder that a file item is about, by name;
// false when it is not known which there are.
func beside(p *audit.Pass, it *snapshot.Item) (map[string]*snapshot.Item, bool) {
	dir, ok := it.Fact("directory")
	if !ok || it.Unknown != "" || it.Torn {
		return nil, false
	}
	out := map[string]*snapshot.Item{}
	for _, f := range p.Items() {
		if f.Kind == kindFunction && strings.HasPrefix(f.Path, dir.Str()+"/") {
			out[f.Name] = f
		}
	}
	return out, true
}

// unlisted reports whether there may be functions that could not be listed: none is
// known to be missing then.
func unlisted(p *audit.Pass) bool {
	return p.Now.System(snapshot.Functions).Status != snapshot.StatusOK || len(p.Now.Tree.Unread()) > 0
}

// redirects returns the redirects of a netlify.toml or _redirects file.
func redirects(p *audit.Pass, it *snapshot.Item) []netlify.Redirect {
	if c, ok := config(p, it); ok {
		return c.Redirects
	}
	f, ok := it.OwnFile()
	if it.Kind != kindRedirects || !ok || f.SHA256 == "" || f.Link != "" || f.Size > netlify.MaxConfig {
		return nil
	}
	return netlify.ParseRedirects(p.Bytes(f))
}

// effective returns the schedule of a function that takes effect.
func effective(it *snapshot.Item) (snapshot.Schedule, bool) {
	for _, s := range it.Schedules {
		if s.Effective {
			return s, true
		}
	}
	return snapshot.Schedule{}, false
}

// A spot is one thing in a file that functions share, with those that do.
type spot struct {
	file  string
	at    netlify.Place
	what  string // its discriminator beside the file
	items []*snapshot.Item
}

// spots gathers by file and discriminator, so that what stands in a shared helper
// is told once.
type spots map[string]*spot

func (s spots) add(it *snapshot.Item, file, what string, at netlify.Place) {
	k := file + "\x00" + what
	if s[k] == nil {
		s[k] = &spot{file: file, at: at, what: what}
	}
	if n := len(s[k].items); n == 0 || s[k].items[n-1] != it {
		s[k].items = append(s[k].items, it)
	}
}

func (s spots) each(do func(*spot)) {
	keys := make([]string, 0, len(s))
	for k := range s {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	for _, k := range keys {
		do(s[k])
	}
}

// report is a finding on the first function, about all of them.
func (s *spot) report(message string) audit.Report {
	r := audit.Report{Item: s.items[0].Key, Discriminator: s.file + "\x00" + s.what, Message: names(s.items) + " " + message,
		At: audit.Location{Path: s.file, Line: s.at.Line, Column: s.at.Column}}
	if len(s.items) > 1 {
		r.Evidence = []audit.Evidence{{Name: "functions", Value: list(s.items, 20)}}
	}
	return r
}

// deeds gathers the deeds of one kind in the code of all functions. What a file
// that cannot be parsed does is not known.
func deeds(p *audit.Pass, kind string, keep func(file string, d netlify.Deed) bool) spots {
	out := spots{}
	for _, it := range p.Items() {
		if it.Kind != kindFunction {
			continue
		}
		said, _ := closure(p, it)
		for file, src := range said {
			if len(src.Problems) > 0 || src.Unjudged != "" {
				p.DoubtAll(it.Key)
			}
			for _, d := range src.Deeds {
				if d.Kind == kind && keep(file, d) {
					out.add(it, file, d.From+" "+d.What, d.At)
				}
			}
		}
	}
	return out
}

// onDisk returns the project path that a deed means, as far as it can be told: a
// function runs in the folder of the site, its code where it lies.
func onDisk(file string, d netlify.Deed) string {
	switch d.From {
	case "dir":
		return path.Join(path.Dir(file), d.What)
	case "cwd":
		return path.Clean(d.What)
	}
	return ""
}

// packageOf returns what the package.json of a folder says.
func packageOf(p *audit.Pass, dir string) (pkgjson.Package, bool) {
	f, ok := p.Now.ContextFile(path.Join(dir, "package.json"))
	if !ok || f.SHA256 == "" || f.Link != "" {
		return pkgjson.Package{}, false
	}
	compute := func() pkgjson.Package { return pkgjson.Parse(p.Bytes(f)) }
	m := snapshot.Derive(p.Derived, "netlify.package", 1, []string{f.SHA256}, compute)
	if m.Broken() != nil { // what could not be read once may be readable now
		m = compute()
	}
	return m, true
}

// included reports whether the settings of a function put a file into its bundle.
func included(s netlify.Settings, fn netlify.Function, file string) bool {
	return slices.ContainsFunc(slices.Concat(s.Included, fn.Included), func(pattern string) bool {
		return !strings.HasPrefix(pattern, "!") && netlify.Includes(pattern, file)
	})
}

// A siteConfig is a folder of functions, with what its netlify.toml says.
type siteConfig struct {
	dir    string
	config *netlify.Config // nil: it cannot be read
}

type siteConfigs struct{ *snapshot.Snapshot }

// settingsOf returns what the netlify.toml of its site says of a function; false
// when that cannot be read.
func settingsOf(p *audit.Pass, it *snapshot.Item) (netlify.Settings, bool) {
	all := snapshot.Once(p.Derived, siteConfigs{p.Now}, func() (out []siteConfig) {
		for _, f := range p.Items() {
			if dir, ok := f.Fact("directory"); ok && isConfig(f) {
				c, ok := config(p, f)
				if ok && c.Broken {
					c = nil
				}
				out = append(out, siteConfig{dir.Str(), c})
			}
		}
		return out
	})
	for _, c := range all {
		if !under(it.Path, c.dir) {
			continue
		}
		if c.config == nil {
			return netlify.Settings{}, false
		}
		return c.config.For(it.Name), true
	}
	return netlify.Settings{}, true
}

func sorted[T any](m map[string]T) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	sort.Strings(out)
	return out
}

func under(p, dir string) bool { return strings.HasPrefix(p, dir+"/") }
