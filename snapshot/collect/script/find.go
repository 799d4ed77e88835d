package script

import (
	"path"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/crontab"
	"healthaudit/snapshot/analyze/lazyregexp"
	"healthaudit/snapshot/analyze/litter"
	"healthaudit/snapshot/analyze/shell"
	"healthaudit/snapshot/collect"
	"healthaudit/snapshot/host"
)

// usual are the folders where automation lives, at the root or beside a package.json.
var usual = map[string]bool{"scripts": true, "bin": true, "tools": true, "automation": true, "ci": true, "cron": true, "jobs": true,
	"deploy": true, "ops": true, "hack": true}

// languages by extension. Declarations, components and styles are not scripts.
var languages = map[string]string{".sh": langShell, ".bash": langShell, ".zsh": langShell, ".ksh": langShell, ".bats": langShell,
	".js": langJS, ".mjs": langJS, ".cjs": langJS, ".ts": langTS, ".mts": langTS, ".cts": langTS, ".py": langPython}

// built are folders of products and of what belongs to tools.
var built = map[string]bool{"dist": true, "build": true, "out": true, ".next": true, ".nuxt": true, ".netlify": true, "coverage": true, "target": true,
	".git": true, ".audit": true}

// leftover reports whether a path is a copy or a backup: nobody runs those. The
// check cross-backup-litter tells of them.
func leftover(t *snapshot.Tree, p string) bool {
	c, ok := litter.Classify(p)
	return ok && (c.Sure || t.HasFile(c.Live))
}

// aside matches JavaScript that is no script: configuration, tests, bundles, declarations.
var aside = lazyregexp.New(`(\.d\.[cm]?ts|\.min\.js|\.(config|test|spec|stories|conf)\.[cm]?[jt]s)$|^ecosystem\.`)

// A finder says which paths of a tree are scripts.
type finder struct {
	s       *collect.Session
	outside host.Files // the root, for a look at the first bytes; nil when it cannot be opened
}

func newFinder(s *collect.Session) *finder {
	out, err := s.Host.Outside(s.Host.Root())
	if err != nil {
		out = nil
	}
	return &finder{s: s, outside: out}
}

func (f *finder) close() {
	if f.outside != nil {
		f.outside.Close()
	}
}

// project reports whether an entry is project and stands on disk.
func project(e snapshot.TreePath) bool {
	return e.State != snapshot.Ignored && e.Kind != snapshot.PathDir && e.Kind != snapshot.PathModule && e.Kind != snapshot.PathMissing &&
		!collect.Vendored(e.Path)
}

func (f *finder) excluded(p string) bool { return matches(f.s.Config.ScriptsOut, p) }

func matches(globs []string, p string) bool {
	for _, g := range globs {
		if ok, err := doublestar.Match(g, p); ok && err == nil {
			return true
		}
	}
	return false
}

// script reports whether the entry is listed by the source of files.
func (f *finder) script(e snapshot.TreePath) bool {
	if !project(e) || f.excluded(e.Path) {
		return false
	}
	if matches(f.s.Config.ScriptsIn, e.Path) {
		return true
	}
	if shell.Hook(e.Path) {
		return e.Kind != snapshot.PathOther
	}
	ext := path.Ext(e.Path)
	lang := languages[ext]
	if lang == "" && (ext != "" || e.Kind == snapshot.PathOther) || crontab.Is(e.Path) {
		return false
	}
	home := f.home(e.Path)
	if !home && e.Kind != snapshot.PathExec || leftover(f.s.Tree, e.Path) || aside().MatchString(path.Base(e.Path)) || inBuilt(e.Path) {
		return false
	}
	if lang != "" && home {
		return true
	}
	return e.Kind == snapshot.PathExec && f.hasShebang(e.Path)
}

// followed reports whether a file that something starts is a script.
func (f *finder) followed(e snapshot.TreePath) bool {
	if !project(e) || e.Kind == snapshot.PathOther || f.excluded(e.Path) || crontab.Is(e.Path) {
		return false
	}
	ext := path.Ext(e.Path)
	return languages[ext] != "" || ext == ".jsx" || ext == ".tsx" || ext == "" && f.hasShebang(e.Path)
}

// home reports whether a path lies where automation lives.
func (f *finder) home(p string) bool {
	first, _, nested := strings.Cut(p, "/")
	switch {
	case !nested:
		return path.Ext(p) == ".sh" || path.Ext(p) == ".bash"
	case usual[first], strings.HasPrefix(p, ".github/scripts/"):
		return true
	}
	for i := len(first) + 1; ; {
		part, _, more := strings.Cut(p[i:], "/")
		if !more {
			return false
		}
		if usual[part] && f.s.Tree.HasFile(p[:i]+"package.json") {
			return true
		}
		i += len(part) + 1
	}
}

func inBuilt(p string) bool {
	for part := range strings.SplitSeq(path.Dir(p), "/") {
		if built[part] {
			return true
		}
	}
	return collect.Fixture(p)
}

func (f *finder) hasShebang(p string) bool {
	if f.outside == nil {
		return false
	}
	b, err := f.outside.Tail(p, 0, 2)
	return err == nil && string(b) == "#!"
}

// packages returns the paths of every package.json of the project.
func packages(s *collect.Session) []string {
	return named(s, func(p string) bool { return path.Base(p) == "package.json" })
}

func crontabs(s *collect.Session) []string {
	out := named(s, crontab.Is)
	for _, p := range s.Config.Crontabs {
		out = append(out, path.Clean(p))
	}
	return out
}

func named(s *collect.Session, is func(string) bool) (out []string) {
	for _, e := range s.Tree.All() {
		if is(e.Path) && project(e) && !inBuilt(e.Path) && !leftover(s.Tree, e.Path) && !matches(s.Config.ScriptsOut, e.Path) {
			out = append(out, e.Path)
		}
	}
	return out
}
