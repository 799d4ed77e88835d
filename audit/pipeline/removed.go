package pipeline

import (
	"context"
	"maps"
	"slices"

	"healthaudit/report"
	"healthaudit/snapshot"
	"healthaudit/snapshot/collect"
	"healthaudit/snapshot/store"
)

// A deletions is what git says of files that are no longer there.
type deletions struct {
	known bool              // git could tell: what is not in by was not committed
	by    map[string]string // path → commit that deleted it; "" where only that it is gone from the commit is known
}

// committed reports whether a file left with a commit, as far as git could tell.
func (d deletions) committed(path string) bool {
	_, ok := d.by[path]
	return ok || !d.known
}

// deleted asks git which files of items that are gone went with a commit since
// the reference. It asks only when something is gone.
func (s *session) deleted(ctx context.Context) (d deletions) {
	if s.past == nil || s.info.Git == nil || s.past.info.Git == nil || s.info.Git.Commit == "" || s.past.info.Git.Commit == "" {
		return d
	}
	paths := map[string]bool{}
	for _, it := range s.cmp.gone {
		paths[it.Path] = true
	}
	for _, g := range s.past.info.Gone {
		paths[g.Path] = true
	}
	maps.DeleteFunc(paths, func(p string, _ bool) bool { return p == "" || s.snap.Tree.HasFile(p) })
	if len(paths) == 0 || s.info.Git.Commit == s.past.info.Git.Commit {
		d.known = true
		return d
	}
	by, err := collect.Deletions(ctx, s.Host, s.past.info.Git.Commit, s.info.Git.Commit, slices.Sorted(maps.Keys(paths)))
	if err != nil {
		return d // a shallow clone, or a history that was written anew
	}
	return deletions{true, by}
}

// removedBy names, for every item that left, the commit that deleted its file.
func removedBy(changes []snapshot.Change, gone []*snapshot.Item, d deletions) map[snapshot.Key]string {
	path := map[snapshot.Key]string{}
	for _, it := range gone {
		path[it.Key] = it.Path
	}
	var out map[snapshot.Key]string
	for _, c := range changes {
		if commit := d.by[path[c.Item]]; c.Op == snapshot.OpRemoved && commit != "" {
			if out == nil {
				out = map[snapshot.Key]string{}
			}
			out[c.Item] = commit
		}
	}
	return out
}

// acceptedGone returns the items whose removal a person accepted since their
// system was last read: behind a link or not, they are not carried on.
func acceptedGone(p *past) (map[snapshot.Key]bool, error) {
	at, out := map[snapshot.Key]uint64{}, map[snapshot.Key]bool{}
	if err := acceptedRemovals(p.tx, at); err != nil {
		return nil, err
	}
	for key, seq := range at {
		if seq >= p.info.observed(key.System(), p.seq) {
			out[key] = true
		}
	}
	return out, nil
}

// RemovedBy returns the commits that deleted what left in the snapshots after one
// and up to another.
func RemovedBy(tx *store.Tx, after, upto uint64) (map[snapshot.Key]string, error) {
	out := map[snapshot.Key]string{}
	for seq := after + 1; seq <= upto; seq++ {
		if _, ok, err := tx.Header(seq); err != nil || !ok {
			if err != nil && !tx.Bear(err) {
				return nil, err
			}
			continue // pruned, or lost
		}
		p, err := newPast(tx, seq)
		if err != nil {
			return nil, err
		}
		maps.Copy(out, p.info.Removed)
	}
	return out, nil
}

// Committed adds to removals the commits that made them.
func Committed(list []report.Change, by map[snapshot.Key]string) []report.Change {
	for i := range list {
		if list[i].Op == string(snapshot.OpRemoved) {
			list[i].Commit = by[snapshot.Key(list[i].Item)]
		}
	}
	return list
}
