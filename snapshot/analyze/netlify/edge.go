package netlify

import (
	"path"
	"slices"
	"strings"

	"healthaudit/snapshot"
)

var edgeExtensions = []string{".js", ".jsx", ".mjs", ".mts", ".ts", ".tsx"}

// DiscoverEdge lists the edge functions of a folder, one for each name: its
// direct children with a known ending, and folders with a main file. A file
// with any other ending takes the name away from both (hello.json beside
// hello.js makes hello vanish). Sorted by name.
func DiscoverEdge(t *snapshot.Tree, dir string) []Found {
	byName := map[string]Found{}
	taken := map[string]bool{}
	prefix := dir + "/"
	for _, e := range t.Under(dir) {
		child, _, nested := strings.Cut(strings.TrimPrefix(e.Path, prefix), "/")
		if e.Kind == snapshot.PathMissing || e.Kind == snapshot.PathDir || child == "node_modules" {
			continue
		}
		name := baseName(child)
		if !nested {
			if slices.Contains(edgeExtensions, path.Ext(child)) {
				if old, ok := byName[name]; !ok || old.Dir == "" && edgeRank(e.Path) < edgeRank(old.Main) {
					byName[name] = Found{Name: name, Main: e.Path, Runtime: JavaScript}
				}
			} else {
				taken[name] = true
			}
			continue
		}
		if _, done := byName[child]; done && byName[child].Dir != "" {
			continue
		}
		if main, ok := edgeMain(t, prefix+child); ok {
			byName[child] = Found{Name: child, Main: main, Dir: prefix + child, Runtime: JavaScript}
		}
	}
	var out []Found
	for name, f := range byName {
		if !taken[name] {
			out = append(out, f)
		}
	}
	slices.SortFunc(out, func(a, b Found) int { return strings.Compare(a.Name, b.Name) })
	return out
}

func edgeRank(p string) int { return slices.Index(edgeExtensions, path.Ext(p)) }

func edgeMain(t *snapshot.Tree, dir string) (string, bool) {
	for _, ext := range edgeExtensions {
		for _, main := range []string{path.Base(dir) + ext, "index" + ext} {
			if t.HasFile(dir + "/" + main) {
				return dir + "/" + main, true
			}
		}
	}
	return "", false
}
