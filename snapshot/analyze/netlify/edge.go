package netlify

import (
	"path"
	"slices"
	"strings"

	"healthaudit/snapshot"
)

var edgeExtensions = []string{".js", ".jsx", ".mjs", ".mts", ".ts", ".tsx"}

// A Lost edge function is one that Netlify passes over because something else in
// the folder has its name.
type Lost struct {
	Found
	By string // the file or folder that takes the name
}

// DiscoverEdge lists the edge functions of a folder: of its direct children one
// for each name, a file with a known ending or a folder with a main file. What
// has no known ending takes a name before all others, whether it is a function or
// not: hello.json beside hello.js makes hello vanish. Both lists are sorted by name.
// Source: @netlify/edge-bundler 16, node/finder.js.
func DiscoverEdge(t *snapshot.Tree, dir string) (found []Found, lost []Lost) {
	byName := map[string][]Found{} // in the order in which they are read
	for _, f := range edgeChildren(t, dir) {
		stem := baseName(f.Dir + f.Main) // one of both is empty
		byName[stem] = append(byName[stem], f)
	}
	for _, all := range byName {
		winner := slices.MinFunc(all, func(a, b Found) int { return edgeRank(a) - edgeRank(b) })
		if f, ok := edgeFunction(t, winner); ok {
			found = append(found, f)
			continue
		}
		for _, other := range all {
			if f, ok := edgeFunction(t, other); ok {
				lost = append(lost, Lost{f, winner.Dir + winner.Main})
				break
			}
		}
	}
	slices.SortFunc(found, func(a, b Found) int { return strings.Compare(a.Name, b.Name) })
	slices.SortFunc(lost, func(a, b Lost) int { return strings.Compare(a.Name, b.Name) })
	return found, lost
}

// edgeChildren lists the direct children of a folder: files by Main, folders by Dir.
func edgeChildren(t *snapshot.Tree, dir string) (out []Found) {
	prefix := dir + "/"
	if dir == "." {
		prefix = ""
	}
	seen := map[string]bool{}
	for _, e := range t.Under(dir) {
		child, _, nested := strings.Cut(strings.TrimPrefix(e.Path, prefix), "/")
		switch {
		case e.Kind == snapshot.PathMissing || e.Kind == snapshot.PathDir || seen[child]:
		case nested:
			seen[child] = true
			out = append(out, Found{Dir: prefix + child})
		default:
			seen[child] = true
			out = append(out, Found{Main: e.Path})
		}
	}
	slices.SortFunc(out, func(a, b Found) int { return strings.Compare(a.Dir+a.Main, b.Dir+b.Main) })
	return out
}

// edgeRank orders children of one name: no known ending comes first.
func edgeRank(f Found) int { return slices.Index(edgeExtensions, path.Ext(f.Dir+f.Main)) }

func edgeFunction(t *snapshot.Tree, f Found) (Found, bool) {
	if f.Dir == "" {
		return Found{Name: baseName(f.Main), Main: f.Main, Runtime: JavaScript}, edgeRank(f) >= 0
	}
	base := path.Base(f.Dir)
	for _, ext := range edgeExtensions {
		for _, main := range []string{base + ext, "index" + ext} {
			if p := f.Dir + "/" + main; t.HasFile(p) {
				return Found{Name: base, Main: p, Dir: f.Dir, Runtime: JavaScript}, true
			}
		}
	}
	return Found{}, false
}
