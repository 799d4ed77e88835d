package function

import (
	"cmp"
	"errors"
	"io/fs"
	"path"
	"slices"
	"sort"
	"strings"

	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/netlify"
	"healthaudit/snapshot/collect"
	"healthaudit/snapshot/host"
)

// A site is one netlify.toml, or the folder that is used without one.
type site struct {
	dir    string // folder of the netlify.toml, "." for the root
	prefix string // in front of keys: dir when there are several sites
	source string
	toml   string // path of the netlify.toml; empty when there is none
	held   snapshot.File
	why    string // why the netlify.toml could not be read; empty when it could
	config *netlify.Config

	functionsDir string // relative to the root; empty when there is none
	edgeDir      string
	closed       bool            // the folder of functions cannot be looked into: which there are is not known
	linked       string          // a folder of functions that is a symbolic link; empty when none is
	functions    []netlify.Found // one for each name, sorted
	shadowed     map[string][]string
	edges        []netlify.Found
	superseded   string         // the netlify.toml of the base, which Netlify takes instead of this one
	lost         []netlify.Lost // edge functions that something else takes the name of
}

// findSites returns the sites of the project in path order.
func findSites(s *collect.Session) []*site {
	var sites []*site
	for _, p := range tomlPaths(s.Tree) {
		sites = append(sites, readSite(s, p))
	}
	if len(sites) == 0 {
		usual := []string{netlify.DefaultDir, netlify.LegacyDir, netlify.EdgeDir}
		if !slices.ContainsFunc(usual, func(d string) bool { return s.Tree.HasDir(d) || linkAt(s.Tree, d) != "" }) {
			return nil
		}
		sites = []*site{{dir: ".", config: &netlify.Config{}}}
	}
	claimed := map[string]bool{}
	slices.SortStableFunc(sites, func(a, b *site) int { // the deepest file has the say over a folder
		return strings.Count(b.toml, "/") - strings.Count(a.toml, "/")
	})
	for _, site := range sites {
		site.source = "files"
		if len(sites) > 1 && site.dir != "." {
			site.prefix, site.source = site.dir, "files:"+site.dir
		}
		site.locate(s, claimed)
		site.discover(s)
	}
	sort.Slice(sites, func(i, j int) bool { return sites[i].dir < sites[j].dir })
	return sites
}

// tomlPaths returns every netlify.toml, also one that is a folder, but for what a
// build has left in .netlify.
func tomlPaths(t *snapshot.Tree) []string {
	var out []string
	for _, e := range t.All() {
		i := strings.LastIndex(e.Path, "netlify.toml")
		if i < 0 || e.State == snapshot.Ignored || e.State == snapshot.Unread || e.Kind == snapshot.PathMissing || i > 0 && e.Path[i-1] != '/' {
			continue
		}
		rest := e.Path[i+len("netlify.toml"):]
		if p := e.Path[:i+len("netlify.toml")]; (rest == "" || rest[0] == '/') && !collect.Vendored(p) && path.Base(path.Dir(p)) != ".netlify" && !slices.Contains(out, p) {
			out = append(out, p)
		}
	}
	return out
}

func readSite(s *collect.Session, p string) *site {
	site := &site{dir: path.Dir(p), toml: p, config: &netlify.Config{}}
	f, err := s.Files.File(p, snapshot.Own)
	site.held = f
	switch {
	case err != nil:
		site.why = reason(err)
	case f.Link != "":
		site.why = "a symbolic link, not followed"
	case f.Size > netlify.MaxConfig:
		site.why = "larger than 1 MiB"
	}
	if site.why != "" {
		return site
	}
	c := netlify.CachedConfig(s.Derived, f, func(f snapshot.File) []byte { return fileBytes(s, f) })
	site.config = &c
	return site
}

// unread says why the configuration is not known; "" when it is.
func (site *site) unread() string {
	if site.why == "" && site.config.Broken {
		return "it cannot be parsed"
	}
	return site.why
}

// notThere is the reason of a file that does not exist.
const notThere = "it is not there"

// reason says why a file could not be read, without naming it.
func reason(err error) string {
	switch {
	case errors.Is(err, fs.ErrPermission):
		return "permission denied"
	case errors.Is(err, fs.ErrNotExist):
		return notThere
	case errors.Is(err, host.ErrNotRegular):
		return "not a regular file"
	case errors.Is(err, host.ErrTooLarge):
		return "larger than 8 MiB"
	case errors.Is(err, collect.ErrSensitive):
		return "it may hold secrets and is not read"
	}
	return "it could not be read"
}

// locate decides the functions folders: functions.directory, else the usual
// folder if it exists. What an unreadable configuration says is taken from the
// last snapshot. A folder belongs to one site only.
func (site *site) locate(s *collect.Session, claimed map[string]bool) {
	base := site.base(s.Tree)
	if inner := path.Join(base, "netlify.toml"); base != site.dir && inner != site.toml && s.Tree.HasFile(inner) {
		site.superseded = inner
	}
	dir, edge := site.config.Directory, site.config.Edge
	if site.unread() != "" {
		dir, edge = site.remembered(s)
		base = "."
		if dir == "" {
			base = site.dir
		}
	}
	bases := []string{base, site.dir, "."} // of a monorepo, Netlify may be told another base in its user interface
	site.functionsDir = firstDir(s.Tree, dir, bases, netlify.DefaultDir, netlify.LegacyDir)
	site.edgeDir = firstDir(s.Tree, edge, bases, netlify.EdgeDir)
	if site.functionsDir == "" {
		site.linked = firstLink(s.Tree, bases, cmp.Or(dir, netlify.DefaultDir), netlify.LegacyDir)
	}
	if site.edgeDir == "" && site.linked == "" {
		site.linked = firstLink(s.Tree, bases, cmp.Or(edge, netlify.EdgeDir))
	}
	_, site.closed = s.Tree.InUnread(site.functionsDir)
	site.closed = site.closed || site.linked != ""
	for _, d := range []*string{&site.functionsDir, &site.edgeDir} {
		if *d != "" && claimed[*d] {
			*d = ""
		}
		claimed[*d] = true
	}
}

// base is the folder that paths of the configuration are relative to.
func (site *site) base(t *snapshot.Tree) string {
	b := strings.Trim(site.config.Base, "/")
	if b == "" || b == "." {
		return site.dir
	}
	if t.HasDir(b) {
		return b
	}
	return path.Join(site.dir, b)
}

func (site *site) remembered(s *collect.Session) (dir, edge string) {
	if it := s.Previous.Item(fileKey(site.toml)); it != nil {
		d, _ := it.Fact("directory")
		e, _ := it.Fact("directory.edge")
		return d.Str(), e.Str()
	}
	return "", ""
}

// firstDir returns the configured folder below the first base that has it, or
// else the first default one that exists.
func firstDir(t *snapshot.Tree, configured string, bases []string, defaults ...string) string {
	if configured != "" {
		for _, b := range bases {
			d := path.Join(b, configured)
			if !strings.HasPrefix(d, "../") && d != ".." && t.HasDir(d) {
				return d
			}
		}
		return ""
	}
	for _, name := range defaults {
		if d := path.Join(bases[0], name); t.HasDir(d) {
			return d
		}
	}
	return ""
}

// firstLink returns the first symbolic link that is, or leads to, one of these
// folders, or "".
func firstLink(t *snapshot.Tree, bases []string, names ...string) string {
	for _, b := range bases {
		for _, name := range names {
			if link := linkAt(t, path.Join(b, name)); link != "" {
				return link
			}
		}
	}
	return ""
}

// linkAt returns the symbolic link that a folder is or is behind, or "".
func linkAt(t *snapshot.Tree, dir string) string {
	link, _ := t.Behind(path.Join(dir, "x"))
	if e, _ := t.At(link); e.State == snapshot.Ignored {
		return ""
	}
	return link
}

// discover fills the functions: of several candidates of one name the first is
// built, the others are shadowed by it.
func (site *site) discover(s *collect.Session) {
	site.shadowed = map[string][]string{}
	if site.functionsDir != "" {
		for _, f := range inProject(s, netlify.Discover(s.Tree, site.functionsDir, programs(s))) {
			if n := len(site.functions); n > 0 && site.functions[n-1].Name == f.Name {
				site.shadowed[f.Name] = append(site.shadowed[f.Name], f.Main)
				continue
			}
			site.functions = append(site.functions, f)
		}
	}
	if site.edgeDir != "" {
		found, lost := netlify.DiscoverEdge(s.Tree, site.edgeDir)
		site.edges = inProject(s, found)
		for _, l := range lost {
			if e, ok := s.Tree.At(l.Main); ok && isProject(e) {
				site.lost = append(site.lost, l)
			}
		}
	}
}

// has reports whether the site has a function of that name.
func (site *site) has(name string) bool {
	i := sort.Search(len(site.functions), func(i int) bool { return site.functions[i].Name >= name })
	return i < len(site.functions) && site.functions[i].Name == name
}
