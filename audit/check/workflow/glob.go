package workflow

import (
	"path"
	"regexp"
	"strings"

	"healthaudit/snapshot"
)

// maxTests bounds how many paths are held against patterns in one snapshot.
const maxTests = 4_000_000

// globs answers whether any file of the project matches a filter pattern.
type globs struct {
	tree  *snapshot.Tree
	known map[string]bool
	tests int
}

// any reports whether a file matches one of the patterns, or whether that
// cannot be told. What "!" takes out again is left in.
func (g *globs) any(patterns []string) bool {
	for _, p := range patterns {
		if strings.HasPrefix(p, "!") {
			continue
		}
		hit, ok := g.known[p]
		if !ok {
			hit = g.matches(p)
			g.known[p] = hit
		}
		if hit {
			return true
		}
	}
	return false
}

func (g *globs) matches(pattern string) bool {
	if g.tree.Len() == 0 || strings.HasPrefix(pattern, "./") || strings.HasPrefix(pattern, "../") || strings.Contains(pattern, "${{") {
		return true // a linter tells of . and ..
	}
	plain, dir := pattern, "."
	if i := strings.IndexAny(pattern, `*?+[]\`); i >= 0 {
		plain = ""
		dir = path.Dir(pattern[:i] + "x")
	} else {
		dir = path.Dir(pattern)
	}
	if _, hidden := g.tree.Hidden(path.Join(dir, "x")); hidden || g.unknown(dir) {
		return true
	}
	if plain != "" {
		e, ok := g.tree.At(plain)
		return ok && e.State != snapshot.Ignored
	}
	re, err := regexp.Compile(globExpression(pattern))
	if err != nil {
		return true
	}
	for _, e := range g.tree.Under(dir) {
		if g.tests++; g.tests > maxTests {
			return true
		}
		if e.State != snapshot.Ignored && re.MatchString(e.Path) {
			return true
		}
	}
	return false
}

// unknown reports whether what is in a folder is not in the tree although git
// may have it.
func (g *globs) unknown(dir string) bool {
	for ; dir != "." && dir != "/"; dir = path.Dir(dir) {
		if e, ok := g.tree.At(dir); ok && (e.Kind == snapshot.PathModule || e.Kind == snapshot.PathLink || e.State == snapshot.Ignored && !g.tree.Git) {
			return true
		}
	}
	return false
}

// globExpression translates a filter pattern.
// Source: https://docs.github.com/actions/reference/workflows-and-actions/workflow-syntax#filter-pattern-cheat-sheet
func globExpression(p string) string {
	var b strings.Builder
	b.WriteString("^")
	for i := 0; i < len(p); i++ {
		switch c := p[i]; {
		case strings.HasPrefix(p[i:], "**/"):
			b.WriteString("(?:.*/)?")
			i += 2
		case strings.HasPrefix(p[i:], "**"):
			b.WriteString(".*")
			i++
		case c == '*':
			b.WriteString("[^/]*")
		case c == '?' || c == '+' || c == '[' || c == ']':
			b.WriteByte(c)
		case c == '\\' && i+1 < len(p):
			i++
			b.WriteString(regexp.QuoteMeta(p[i : i+1]))
		case c == '-' && strings.Contains(p[:i], "["):
			b.WriteByte(c)
		default:
			b.WriteString(regexp.QuoteMeta(p[i : i+1]))
		}
	}
	return b.String() + "$"
}
