package function

import (
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"

	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/litter"
	"healthaudit/snapshot/analyze/netlify"
	"healthaudit/snapshot/collect"
)

// maxManifests bounds the lists of functions of a project.
const maxManifests = 200

// manifests makes an item of every list of functions: those that the
// configuration names, whether they are there or not, and those of the project
// that are called so.
func manifests(s *collect.Session, sites []*site) []*snapshot.Item {
	var paths []string
	for _, p := range s.Config.Manifests {
		paths = append(paths, path.Clean(p))
	}
	named := len(paths)
	for _, e := range s.Tree.All() {
		if isManifest(e.Path) && isProject(e) && !collect.Vendored(e.Path) && !slices.Contains(paths[:named], e.Path) {
			paths = append(paths, e.Path)
		}
	}
	slices.Sort(paths[:named])
	unique := append(slices.Compact(paths[:named:named]), paths[named:]...)
	out := make([]*snapshot.Item, 0, len(unique))
	for _, p := range unique[:min(len(unique), maxManifests)] {
		out = append(out, siteOf(sites, p).manifest(s, p))
	}
	return out
}

// isManifest reports whether a file is called like a list of functions that a
// project keeps for itself.
func isManifest(p string) bool {
	name := path.Base(p)
	return strings.Contains(name, "functions-manifest") && strings.HasSuffix(name, ".json") && !strings.Contains(name, ".schema.")
}

// siteOf returns the innermost site that a file lies in, the first if in none.
func siteOf(sites []*site, p string) *site {
	best := sites[0]
	for _, site := range sites {
		if (site.dir == "." || strings.HasPrefix(p, site.dir+"/")) && (best == sites[0] || len(site.dir) > len(best.dir)) {
			best = site
		}
	}
	return best
}

// manifest makes the item of one list of functions.
func (site *site) manifest(s *collect.Session, p string) *snapshot.Item {
	it := &snapshot.Item{Key: fileKey(p), Name: p, Kind: KindFile, Path: p, Source: site.source}
	f, err := s.Files.File(p, snapshot.Own)
	why := ""
	if err != nil {
		why = reason(err)
	}
	switch {
	case why == notThere:
		it.Add(snapshot.Semantic, "missing", snapshot.Bool(true))
	case err != nil:
		it.Add(snapshot.Semantic, "unreadable", snapshot.Text(why))
	case f.Link != "" || f.Size > netlify.MaxManifest:
		it.Unknown = "a link or larger than 1 MiB, not parsed"
	}
	if why != notThere {
		it.Files = []snapshot.File{f}
	}
	if err != nil || it.Unknown != "" {
		it.Torn = true
		remember(s, it, -1, true)
	} else {
		site.listed(s, it, f)
	}
	it.Sort()
	return it
}

// listed adds what a manifest says to its item. The facts hold the names and the
// form, not when it was generated: a date alone is no change.
func (site *site) listed(s *collect.Session, it *snapshot.Item, f snapshot.File) {
	m, ok := netlify.CachedManifest(s.Derived, f, func(f snapshot.File) []byte { return fileBytes(s, f) })
	switch {
	case !ok:
		it.Torn, it.Unknown = true, "its bytes could not be read"
	case m.Broken():
		it.Torn = true
		it.Add(snapshot.Semantic, "broken", snapshot.Text(m.Defects[0].Message))
	}
	if m.Broken() {
		remember(s, it, -1, true)
	} else {
		names := m.Names()
		it.Add(snapshot.Set, "functions", snapshot.SetOf(names...))
		it.Add(snapshot.Semantic, "format", snapshot.Text(m.Format))
		it.Add(snapshot.Volatile, "count", snapshot.Number(len(names)))
		remember(s, it, len(names), site.unlisted(names))
		archives(s, it, m)
	}
	if folder := site.about(s, it.Path, m); folder != "" {
		it.Add(snapshot.Semantic, "folder", snapshot.Text(folder))
	}
	it.Torn = it.Torn || site.unread() != ""
}

// maxArchive is the largest archive, in bytes, that Netlify accepts of a function.
// Source: docs.netlify.com/build/functions/configuration.
const maxArchive = 50 << 20

// archives adds which archives that a build made are not there, or too large.
func archives(s *collect.Session, it *snapshot.Item, m netlify.Manifest) {
	var missing, large []string
	for _, e := range m.Entries {
		if e.Built == nil || e.Built.Archive == "" || e.Built.Archive == "." {
			continue
		}
		switch st, err := s.Host.Stat(path.Join(path.Dir(it.Path), e.Built.Archive)); {
		case errors.Is(err, fs.ErrNotExist):
			missing = append(missing, e.Name)
		case err == nil && st.Size > maxArchive:
			large = append(large, e.Name)
		}
	}
	if len(missing) > 0 {
		it.Add(snapshot.Set, "archives.missing", snapshot.SetOf(missing...))
	}
	if len(large) > 0 {
		it.Add(snapshot.Set, "archives.large", snapshot.SetOf(large...))
	}
}

// remember carries the count of the last good list: while functions are missing
// from the list that is the largest one there was, else today's. -1 is a list
// that could not be read.
func remember(s *collect.Session, it *snapshot.Item, count int, unlisted bool) {
	good := count
	if was := s.Previous.Item(it.Key); was != nil && unlisted {
		before := 0
		if v, ok := was.Fact("count.good"); ok {
			n, _ := v.Num()
			before = int(n)
		} else if v, ok := was.Fact("functions"); ok {
			before = len(v.Strings())
		}
		good = max(good, before)
	}
	if good > 0 {
		it.Add(snapshot.Volatile, "count.good", snapshot.Number(good))
	}
}

// unlisted reports whether the site has functions that are not among the names.
func (site *site) unlisted(names []string) bool {
	return slices.ContainsFunc(site.functions, func(f netlify.Found) bool {
		_, ok := slices.BinarySearch(names, f.Name)
		return !ok
	})
}

// about returns the folder of functions that a list is about, "" when that is
// not known: a file of that name far from the functions may be about others, and
// so may a copy.
func (site *site) about(s *collect.Session, p string, m netlify.Manifest) string {
	if site.functionsDir == "" || site.closed || site.unread() != "" {
		return ""
	}
	if slices.ContainsFunc(s.Config.Manifests, func(c string) bool { return path.Clean(c) == p }) {
		return site.functionsDir
	}
	if _, isCopy := litter.Classify(p); isCopy {
		return ""
	}
	known := 0
	for _, n := range m.Names() {
		if site.has(n) {
			known++
		}
	}
	if strings.HasPrefix(p, site.functionsDir+"/") || known > 0 && 2*known >= len(m.Entries) {
		return site.functionsDir
	}
	return ""
}
