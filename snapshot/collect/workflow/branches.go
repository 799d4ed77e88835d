package workflow

import (
	"context"
	"slices"
	"strings"

	"healthaudit/snapshot"
)

// NoBranch ends the name of a detail of an event, "on.push.no-branch": the branches
// that its filter names, where the repository has none of them.
const NoBranch = ".no-branch"

// filtered are the events whose branches: names branches of the repository.
var filtered = []string{"push", "pull_request", "pull_request_target", "workflow_run"}

// tellBranches adds to the items which of their filters name no branch that is there.
// It asks git only where a filter does not name the branch that is checked out.
func (r *reader) tellBranches(ctx context.Context, items []*snapshot.Item) {
	var known map[string]bool
	asked := false
	for i, it := range items {
		gone := map[string][]string{}
		for _, event := range filtered {
			v, ok := it.Fact("on." + event + ".branches")
			names := v.Strings()
			if !ok || len(names) == 0 || slices.ContainsFunc(names, pattern) || r.s.Repository == nil || slices.Contains(names, r.s.Repository.Branch) {
				continue
			}
			if !asked {
				known, _ = r.s.Branches(ctx)
				asked = true
			}
			if known != nil && !slices.ContainsFunc(names, func(name string) bool { return known[name] }) {
				gone[event] = names
			}
		}
		items[i] = withoutBranches(it, gone)
	}
}

// pattern reports whether a name in a filter may stand for several branches.
func pattern(name string) bool { return strings.ContainsAny(name, `*?+[]!\$`) }

// withoutBranches returns the item with these details. An item of the last run is
// left as it is.
func withoutBranches(it *snapshot.Item, gone map[string][]string) *snapshot.Item {
	old := func(f snapshot.Fact) bool {
		return strings.HasPrefix(f.Name, "on.") && strings.HasSuffix(f.Name, NoBranch)
	}
	if len(gone) == 0 && !slices.ContainsFunc(it.Facts.All(), old) {
		return it
	}
	c := *it
	c.Facts = snapshot.PartsOf(slices.DeleteFunc(slices.Clone(it.Facts.All()), old)...)
	for event, names := range gone {
		c.Add(snapshot.Detail, "on."+event+NoBranch, snapshot.SetOf(names...))
	}
	c.Sort()
	return &c
}
