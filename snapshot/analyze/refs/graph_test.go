package refs

import (
	"fmt"
	"testing"

	"healthaudit/snapshot"
)

// A circle and a file that starts itself end the search; a root that is one of
// others is a root all the same.
func TestGraph(t *testing.T) {
	file := func(p string, starts ...string) *snapshot.Item {
		it := &snapshot.Item{Key: snapshot.NewKey(snapshot.Scripts, p), Kind: "script", Path: p}
		for _, s := range starts {
			it.Refs.Add(snapshot.Ref{Kind: snapshot.RefFile, Path: s})
		}
		return it
	}
	root := file("w.yml", "a.sh", "gone.sh", "gone.sh")
	root.Key, root.Kind = "workflows/w.yml", "workflow"
	now := &snapshot.Snapshot{Items: []*snapshot.Item{file("a.sh", "b.sh", "b.sh", "a.sh"), file("b.sh", "a.sh"), root}}
	now.Tree = snapshot.NewTree(false, []snapshot.TreePath{{Path: "a.sh", Kind: snapshot.PathFile}, {Path: "b.sh", Kind: snapshot.PathFile}, {Path: "w.yml", Kind: snapshot.PathFile}})
	now.Sort()
	table := NewTable(now, nil)
	g := table.Graph()
	for what, c := range map[string][2]string{
		"starts of a":     {fmt.Sprint(g.Starts["scripts/a.sh"]), "[scripts/b.sh]"},
		"starters of a":   {fmt.Sprint(g.StartedBy["scripts/a.sh"]), "[scripts/b.sh workflows/w.yml]"},
		"roots of b":      {fmt.Sprint(table.Roots("scripts/b.sh")), "[workflows/w.yml]"},
		"roots of itself": {fmt.Sprint(table.Roots("workflows/w.yml")), "[]"},
		"missing":         {fmt.Sprint(table.Missing(root)), "[gone.sh]"},
	} {
		if c[0] != c[1] {
			t.Errorf("%s: %s, want %s", what, c[0], c[1])
		}
	}
}
