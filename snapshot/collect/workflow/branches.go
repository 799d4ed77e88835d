package workflow

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"healthaudit/snapshot"
)

// NoBranch ends the name of a detail of an event, "on.push.no-branch": the branches
// that its filter names, where the repository has none of them. It is empty where that
// was so, the filter is another one now, and git could not tell this time.
const NoBranch = ".no-branch"

// filtered are the events whose branches: names branches of the repository.
var filtered = []string{"push", "pull_request", "pull_request_target", "workflow_run"}

const branchCursor = "branches"

// A doubtful is what is kept of filters that do not name the branch that is checked
// out: to look at the facts of two thousand unchanged files takes longer than all else.
type doubtful struct {
	Of  string                         `json:"of"` // what was looked at: files with their digests, and the branch
	All map[string]map[string][]string `json:"all,omitempty"`
}

// tellBranches adds to the items which of their filters name no branch that is there,
// and returns what to keep. It asks git only where a filter does not name the branch
// that is checked out. Where git cannot tell, what was told before stays.
func (r *reader) tellBranches(ctx context.Context, items []*snapshot.Item) json.RawMessage {
	d := r.doubtfulOf(items)
	if len(d.All) > 0 {
		known, err := r.s.Branches(ctx)
		for i, it := range items {
			filters, ok := d.All[it.Path]
			if !ok {
				continue
			}
			gone := map[string][]string{}
			for event, names := range filters {
				if err != nil {
					r.stillGone(it.Key, event, names, gone)
				} else if !slices.ContainsFunc(names, func(name string) bool { return known[name] }) {
					gone[event] = names
				}
			}
			items[i] = withBranches(it, gone)
		}
	}
	keep, err := json.Marshal(d)
	if err != nil {
		return nil
	}
	return keep
}

// stillGone adds to gone what the last run told of a filter.
func (r *reader) stillGone(key snapshot.Key, event string, names []string, gone map[string][]string) {
	old := r.s.Previous.Item(key)
	if old == nil {
		return
	}
	if v, told := old.Fact("on." + event + NoBranch); told {
		if gone[event] = names; !v.Equal(snapshot.SetOf(names...)) {
			gone[event] = nil
		}
	}
}

// doubtfulOf returns the filters that name branches, and not the one that is checked out.
func (r *reader) doubtfulOf(items []*snapshot.Item) (d doubtful) {
	branch := ""
	if r.s.Repository != nil {
		branch = r.s.Repository.Branch
	}
	var b strings.Builder
	b.WriteString(branch)
	for _, it := range items {
		f, _ := it.OwnFile()
		b.WriteString("\x00" + it.Path + "\x00" + f.SHA256)
	}
	of := snapshot.Sum([]byte(b.String()))
	if r.reuse && !r.fresh && json.Unmarshal(r.s.Cursors(snapshot.Workflows, branchCursor), &d) == nil && d.Of == of {
		return d
	}
	d = doubtful{Of: of, All: map[string]map[string][]string{}}
	for _, it := range items {
		for _, event := range filtered {
			if _, told := it.Fact("on." + event + NoBranch); told && d.All[it.Path] == nil {
				d.All[it.Path] = map[string][]string{} // it may be to be taken back
			}
			v, ok := it.Fact("on." + event + ".branches")
			names := v.Strings()
			if !ok || len(names) == 0 || slices.ContainsFunc(names, pattern) || slices.Contains(names, branch) {
				continue
			}
			if d.All[it.Path] == nil {
				d.All[it.Path] = map[string][]string{}
			}
			d.All[it.Path][event] = names
		}
	}
	return d
}

// pattern reports whether a name in a filter may stand for several branches.
func pattern(name string) bool { return strings.ContainsAny(name, `*?+[]!\$`) }

// withBranches returns the item with these details. An item of the last run is left
// as it is.
func withBranches(it *snapshot.Item, gone map[string][]string) *snapshot.Item {
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
