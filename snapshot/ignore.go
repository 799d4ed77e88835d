package snapshot

import (
	"path"
	"strings"
	"sync"

	"github.com/bmatcuk/doublestar/v4"
)

// Bounds of what is kept of .gitignore files: what is beyond is not known to be
// ignored.
const (
	maxIgnoreRules  = 2000
	maxIgnoreLength = 256 // bytes of one line
	maxIgnoreStars  = 4   // "**" in one line
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
		if line == "" || line[0] == '#' || len(line) > maxIgnoreLength || strings.Contains(line, "\x00") || strings.Contains(dir, "\n") {
			continue
		}
		out = append(out, IgnoreRule{dir, line})
	}
	return out
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
	not      bool
}

func readIgnores(rules []IgnoreRule) *ignores {
	ig := &ignores{dirs: map[string]bool{}}
	for _, r := range rules[:min(len(rules), maxIgnoreRules)] {
		g := ignoring{pattern: r.Line}
		if r.Dir != "." {
			g.below = r.Dir + "/"
		}
		g.pattern, g.not = strings.CutPrefix(g.pattern, "!")
		g.pattern = strings.TrimSuffix(g.pattern, "/") // only for folders: what is not there may be one
		g.anchored = strings.Contains(g.pattern, "/")
		g.pattern = strings.TrimPrefix(g.pattern, "/")
		g.plain = !strings.ContainsAny(g.pattern, `*?[\`)
		if !g.plain {
			g.pattern = strings.NewReplacer("{", `\{`, "}", `\}`).Replace(g.pattern) // alternatives only to doublestar
			if strings.HasSuffix(g.pattern, "/**") {
				g.pattern += "/*" // what is in the folder, and not the folder
			}
		}
		if g.pattern == "" || strings.Count(g.pattern, "**") > maxIgnoreStars || !g.plain && !doublestar.ValidatePattern(g.pattern) {
			continue
		}
		ig.rules = append(ig.rules, g)
	}
	return ig
}

// covers reports whether git would ignore a path, or a folder that it lies in.
func (ig *ignores) covers(p string) bool {
	if ig == nil || len(ig.rules) == 0 {
		return false
	}
	if dir := path.Dir(p); dir != "." && dir != "/" && ig.folder(dir) {
		return true
	}
	r := ig.says(p)
	return r != nil && !r.not
}

// folder is covers for what many paths lie in.
func (ig *ignores) folder(dir string) bool {
	ig.mu.Lock()
	known, ok := ig.dirs[dir]
	ig.mu.Unlock()
	if ok {
		return known
	}
	known = ig.covers(dir)
	ig.mu.Lock()
	ig.dirs[dir] = known
	ig.mu.Unlock()
	return known
}

// says is the last rule that fits a path; nil where none does.
func (ig *ignores) says(p string) *ignoring {
	for i := len(ig.rules) - 1; i >= 0; i-- {
		if r := &ig.rules[i]; r.fits(p) {
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
