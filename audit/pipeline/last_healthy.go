package pipeline

import (
	"fmt"

	"healthaudit/audit"
	"healthaudit/snapshot"
	"healthaudit/snapshot/store"
)

// LastHealthy returns an item as it was in the newest snapshot, not after seq, in
// which it could be judged and had no open finding of medium severity or worse,
// and the number of that snapshot; nil when there is none.
func LastHealthy(tx *store.Tx, key snapshot.Key, seq uint64) (it *snapshot.Item, at uint64, err error) {
	moments, err := History(tx, key, nil)
	for i, m := range moments {
		if m.Seq > seq {
			break
		}
		if m.Item != nil && m.Item.Unknown == "" && m.Worst < audit.Medium {
			it = m.Item
			if i+1 < len(moments) && moments[i+1].Seq <= seq {
				at = moments[i+1].Seq - 1
			} else {
				at = seq
			}
		}
	}
	return it, at, err
}

// Definition returns how the app of an item is started, by the names of its
// facts: what is secret is told by its name alone.
func Definition(it *snapshot.Item) map[string]string {
	out := map[string]string{}
	for _, f := range definition(it) {
		if f.Class == snapshot.Secret {
			out[f.Name] = "(not shown)"
			continue
		}
		out[f.Name] = fmt.Sprint(f.Value.Any())
	}
	return out
}

// DefinedOtherwise returns the names of what two versions of an app start otherwise.
func DefinedOtherwise(a, b *snapshot.Item) []string {
	out := []string{}
	if b == nil {
		return out
	}
	if c := snapshot.Compare(a, b, true, nil); c != nil {
		for _, f := range c.Facts {
			if !doing[f.Name] && f.Name != "state" {
				out = append(out, f.Name)
			}
		}
	}
	return out
}
