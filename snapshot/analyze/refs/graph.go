package refs

import (
	"slices"

	"healthaudit/snapshot"
)

// A Graph says who starts or loads whom, items only, each list sorted.
type Graph struct {
	Starts    map[snapshot.Key][]snapshot.Key
	StartedBy map[snapshot.Key][]snapshot.Key
}

// Graph returns who starts whom. Nobody starts itself in it. It is shared, and
// not to be changed.
func (t *Table) Graph() Graph {
	t.graphOnce.Do(func() {
		g := Graph{map[snapshot.Key][]snapshot.Key{}, map[snapshot.Key][]snapshot.Key{}}
		for _, it := range t.now.Items {
			for _, r := range it.Refs.All() {
				if to := t.Resolve(r).Item; to != "" && to != it.Key && !slices.Contains(g.Starts[it.Key], to) {
					g.Starts[it.Key] = append(g.Starts[it.Key], to)
					g.StartedBy[to] = append(g.StartedBy[to], it.Key)
				}
			}
		}
		for _, m := range []map[snapshot.Key][]snapshot.Key{g.Starts, g.StartedBy} {
			for _, list := range m {
				slices.Sort(list)
			}
		}
		t.graph = g
	})
	return t.graph
}

// Roots returns what sets the item going, directly or through others, without
// a person: workflows, PM2 apps, functions, crontab entries and units. Sorted;
// the item itself is not among them.
func (t *Table) Roots(key snapshot.Key) (out []snapshot.Key) {
	by := t.Graph().StartedBy
	seen := map[snapshot.Key]bool{key: true}
	for todo := []snapshot.Key{key}; len(todo) > 0; {
		k := todo[0]
		todo = todo[1:]
		for _, from := range by[k] {
			if seen[from] {
				continue
			}
			seen[from] = true
			todo = append(todo, from)
			if it := t.now.Item(from); it != nil && rootKind(it) != "" {
				out = append(out, from)
			}
		}
	}
	slices.Sort(out)
	return out
}

// Missing returns what the item starts or loads and is not there, by the names
// of the targets: sorted, each once.
func (t *Table) Missing(it *snapshot.Item) (out []string) {
	for _, r := range it.Refs.All() {
		if t.Resolve(r).Status == Missing {
			out = append(out, r.Target())
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
