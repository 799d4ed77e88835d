package snapshot

import (
	"path"
	"strings"
	"sync"

	"github.com/bmatcuk/doublestar/v4"
)

// Bounds within which it is told what git would ignore. Where a project's rules are
// beyond them, nothing of it is: a rule that is not known may take back another.
const (
	maxIgnoreRules  = 1000
	maxIgnoreBytes  = 256 << 10 // of all rules, each with its folder
	maxIgnoreLength = 256       // bytes of one line
	maxIgnoreStars  = 2         // "**" in one line
	maxIgnoredPath  = 512       // bytes of a path that is asked for
	maxIgnoredDepth = 32        // its parts
)

// An IgnoreRule is a line of a .gitignore that says something, and the folder in
// which that file lies ("." for the root).
type IgnoreRule struct{ Dir, Line string }

// IgnoreRules returns the lines of a .gitignore that say something.
// Source: gitignore(5).
func IgnoreRules(dir, text string) []IgnoreRule {
	var out []IgnoreRule
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r")
		if !strings.HasSuffix(line, `\ `) {
			line = strings.TrimRight(line, " ")
		}
		if line != "" && line[0] != '#' {
			out = append(out, IgnoreRule{dir, line})
		}
	}
	return out
}

// bounded reports whether rules are few and short enough to be kept.
func bounded(rules []IgnoreRule) bool {
	bytes := 0
	for _, r := range rules {
		bytes += len(r.Dir) + len(r.Line)
		if len(r.Line) > maxIgnoreLength || strings.Contains(r.Line, "\x00") || strings.Contains(r.Dir, "\n") {
			return false
		}
	}
	return len(rules) <= maxIgnoreRules && bytes <= maxIgnoreBytes
}

// Ruled returns the tree with what the .gitignore files of the project say, those
// of outer folders first: so it knows of what is not there that git would ignore it.
// Too many or too long rules are none.
func (t *Tree) Ruled(rules []IgnoreRule) *Tree {
	if !bounded(rules) {
		rules = nil
	}
	return &Tree{Git: t.Git, paths: t.paths, torn: t.torn, rules: rules}
}

// WouldIgnore reports whether a path is not there, and git would ignore it if it
// were. A path that ends in a slash is a folder.
func (t *Tree) WouldIgnore(p string) bool {
	bare := strings.TrimSuffix(p, "/")
	if t == nil || len(t.rules) == 0 || bare == "" || bare == "." || strings.HasPrefix(p, "/") || bare == ".." || strings.HasPrefix(p, "../") {
		return false
	}
	if _, ok := t.At(bare); ok || t.HasDir(bare) {
		return false
	}
	t.ruled.Do(func() { t.ignores = readIgnores(t.rules) })
	return t.ignores.covers(p)
}

// Product reports whether a path that is not there is one that a build or an
// installation makes, as far as .gitignore files tell: a fresh clone has none of those.
// A folder that is ignored and holds what is in git is none, and neither is a file that
// nothing makes, such as a shell script.
func (t *Tree) Product(p string) bool {
	if !t.WouldIgnore(p) {
		return false
	}
	if dir := t.ignores.above(p); dir != "" {
		return !t.HasDir(dir)
	}
	return strings.HasSuffix(p, "/") || !handmade(p, t.ignores.says(p).plain)
}

// ignores answers whether git would ignore what is not there. It is safe for
// concurrent use.
type ignores struct {
	rules []ignoring

	mu   sync.Mutex
	dirs map[string]bool // answers for folders
}

// ignoring is a rule that was read.
type ignoring struct {
	below    string // "web/" for a rule of web/.gitignore; "" for the root
	pattern  string
	anchored bool // it is held against the path below that folder, not only against its last part
	plain    bool // no character in it has a meaning
	folder   bool // it is meant for folders alone
	not      bool
}

// readIgnores reads the rules. One that is not understood ignores nothing; one that is
// not understood and takes others back makes all of them void.
func readIgnores(rules []IgnoreRule) *ignores {
	ig := &ignores{dirs: map[string]bool{}}
	for _, r := range rules {
		g := ignoring{pattern: r.Line}
		if r.Dir != "." {
			g.below = r.Dir + "/"
		}
		g.pattern, g.not = strings.CutPrefix(g.pattern, "!")
		g.pattern, g.folder = strings.CutSuffix(g.pattern, "/")
		g.anchored = strings.Contains(g.pattern, "/")
		g.pattern = strings.TrimPrefix(g.pattern, "/")
		g.plain = !strings.ContainsAny(g.pattern, `*?[\`)
		braced := strings.ContainsAny(g.pattern, "{}")
		if !g.plain {
			g.pattern = strings.NewReplacer("{", `\{`, "}", `\}`).Replace(g.pattern) // alternatives only to doublestar
			if strings.HasSuffix(g.pattern, "/**") {
				g.pattern += "/*" // what is in the folder, and not the folder
			}
		}
		understood := g.plain || !(braced && strings.Contains(r.Line, `\`)) && strings.Count(g.pattern, "**") <= maxIgnoreStars && doublestar.ValidatePattern(g.pattern)
		switch {
		case g.pattern == "":
		case understood:
			ig.rules = append(ig.rules, g)
		case g.not:
			return &ignores{}
		}
	}
	return ig
}

// covers reports whether git would ignore a path, or a folder that it lies in. A path
// that ends in a slash is a folder.
func (ig *ignores) covers(p string) bool {
	if ig == nil || len(ig.rules) == 0 || len(p) > maxIgnoredPath || strings.Count(p, "/") >= maxIgnoredDepth {
		return false
	}
	if ig.above(p) != "" {
		return true
	}
	r := ig.says(p)
	return r != nil && !r.not
}

// above returns the outermost folder that git would ignore and in which a path lies; ""
// where there is none.
func (ig *ignores) above(p string) string {
	p = strings.TrimSuffix(p, "/")
	for i := 0; i < len(p); i++ {
		if p[i] == '/' && ig.folder(p[:i]) {
			return p[:i]
		}
	}
	return ""
}

// folder reports whether a folder is ignored, and not for one that it lies in.
func (ig *ignores) folder(dir string) bool {
	ig.mu.Lock()
	known, ok := ig.dirs[dir]
	ig.mu.Unlock()
	if ok {
		return known
	}
	r := ig.says(dir + "/")
	known = r != nil && !r.not
	ig.mu.Lock()
	ig.dirs[dir] = known
	ig.mu.Unlock()
	return known
}

// says is the last rule that fits a path; nil where none does.
func (ig *ignores) says(p string) *ignoring {
	p, folder := strings.CutSuffix(p, "/")
	for i := len(ig.rules) - 1; i >= 0; i-- {
		if r := &ig.rules[i]; (folder || !r.folder) && r.fits(p) {
			return r
		}
	}
	return nil
}

func (r *ignoring) fits(p string) bool {
	p, ok := strings.CutPrefix(p, r.below)
	if !ok {
		return false
	}
	if !r.anchored {
		p = path.Base(p)
	}
	if r.plain {
		return p == r.pattern
	}
	ok, _ = doublestar.Match(r.pattern, p)
	return ok
}

// written are the endings of scripts that people write. What a compiler makes ends
// like those of the second kind too.
var (
	written  = map[string]bool{".sh": true, ".bash": true, ".zsh": true, ".py": true, ".rb": true, ".pl": true, ".ps1": true, ".ts": true, ".mts": true, ".cts": true, ".tsx": true}
	compiled = map[string]bool{".js": true, ".mjs": true, ".cjs": true}
)

// handmade reports whether a file that a rule ignores is called like what people write
// and nothing makes. A rule that names it may be for what a compiler makes.
func handmade(p string, named bool) bool {
	base, ext := strings.ToLower(path.Base(p)), path.Ext(p)
	for _, s := range []string{"gen.", "generated", ".min.", "bundle", "compiled", "built"} {
		if strings.Contains(base, s) {
			return false
		}
	}
	return written[ext] || compiled[ext] && !named
}
