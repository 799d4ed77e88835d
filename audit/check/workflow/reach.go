package workflow

import (
	"path"
	"slices"
	"strings"

	"healthaudit/audit"
	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/refs"
	model "healthaudit/snapshot/analyze/workflow"
)

// A reach knows in whose workspace files run: a reusable workflow and a composite
// action run in that of whoever calls them, often another repository.
type reach struct {
	tree   *snapshot.Tree
	here   map[snapshot.Key]bool // they are run by a workflow that runs in this project
	called map[snapshot.Key]bool // another of them calls it
	mounts map[string]bool       // top folders of the workspace below which actions expect the project
	broken bool                  // a file that may call others cannot be read
}

// reachOf is the key of the reach of a snapshot in what a run shares.
type reachOf struct{ now *snapshot.Snapshot }

func newReach(p *audit.Pass) *reach {
	return snapshot.Once(p.Derived, reachOf{p.Now}, func() *reach {
		r := &reach{tree: p.Now.Tree, here: map[snapshot.Key]bool{}, called: map[snapshot.Key]bool{}, mounts: map[string]bool{}, broken: len(broken(p)) > 0}
		table := refs.NewTable(p.Now, p.Derived)
		for _, it := range files(p) {
			r.broken = r.broken || it.Unknown != "" || it.Torn
			if it.Kind == string(model.Workflow) && slices.ContainsFunc(onOf(it), func(e string) bool { return e != "workflow_call" }) {
				r.follow(p.Now, table, it)
			}
			if it.Kind == string(model.Action) {
				r.mounted(table, it)
			}
		}
		return r
	})
}

// follow notes a file that runs here, and all that it calls.
func (r *reach) follow(now *snapshot.Snapshot, table *refs.Table, it *snapshot.Item) {
	if it == nil || r.here[it.Key] {
		return
	}
	r.here[it.Key] = true
	for _, ref := range it.Refs.All() {
		if ref.Kind == snapshot.RefWorkflow || ref.Kind == snapshot.RefAction {
			if res := table.Resolve(ref); res.Item != "" {
				r.called[res.Item] = true
				r.follow(now, table, now.Item(res.Item))
			}
		}
	}
}

// mounted notes under which folder of the workspace an action expects the project:
// src, when it starts src/web/tools/x.sh and the project has tools/x.sh.
func (r *reach) mounted(table *refs.Table, it *snapshot.Item) {
	for _, ref := range it.Refs.All() {
		top, rest, ok := strings.Cut(ref.Path, "/")
		if !ok || ref.Kind != snapshot.RefFile && ref.Kind != snapshot.RefAction || r.mounts[top] || r.tree.HasDir(top) {
			continue
		}
		for ; ok && !r.mounts[top]; _, rest, ok = strings.Cut(rest, "/") {
			inner := ref
			inner.Path = rest
			r.mounts[top] = strings.Contains(rest, "/") && table.Resolve(inner).Status == refs.Found
		}
	}
}

// elsewhere reports whether what a ref of a file leads to is not looked for in this project.
func (r *reach) elsewhere(it *snapshot.Item, ref snapshot.Ref) bool {
	action := it.Kind == string(model.Action)
	switch {
	case ref.Kind == snapshot.RefWorkflow, action && fact(it, "using") != "composite": // in the repository of the file itself
		return false
	case !r.here[it.Key]:
		own := path.Dir(it.Path)
		return !action || own == "." || !strings.HasPrefix(ref.Path, own+"/")
	}
	top, _, _ := strings.Cut(path.Clean(ref.Path), "/")
	return action && r.mounts[top]
}

// lent reports whether a workflow that only a person starts here is there to be
// called as well: one kept for other repositories may be started in none.
func (r *reach) lent(it *snapshot.Item) bool {
	return slices.Contains(onOf(it), "workflow_call") && starts(it) == "" && !r.called[it.Key]
}

// byFullName reports whether a workflow calls another of this repository as one of a
// commit or a branch, which need not be this.
func byFullName(it *snapshot.Item, r snapshot.Ref) bool {
	return r.Kind == snapshot.RefWorkflow && r.Guarded && it.Kind == string(model.Workflow) && !strings.Contains(r.Where, "/")
}
