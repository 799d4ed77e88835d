package pipeline

import (
	"bytes"
	"cmp"
	"slices"

	"healthaudit/snapshot"
	"healthaudit/snapshot/store"
)

// LastSeen looks for an item by its key, or by the path of a file of its own,
// where a snapshot does not have it: it returns the item as the newest snapshot
// not after seq saw it, else the newest of all, and the number of that snapshot;
// nil and 0 when none that is kept ever did. It reads every stored version.
func LastSeen(tx *store.Tx, name string, seq uint64) (found *snapshot.Item, at uint64, err error) {
	all, err := fates(tx)
	if err != nil {
		return nil, 0, err
	}
	nearer := func(n uint64) bool {
		if (n <= seq) != (at <= seq) {
			return n <= seq || at == 0
		}
		return n > at
	}
	err = tx.Versions(func(table, id string, since, until uint64, value []byte) error {
		if table != tableItem || id != name && !bytes.Contains(value, []byte(name)) {
			return nil
		}
		end := until - 1
		if since <= seq && end > seq {
			end = seq
		}
		i, exact := slices.BinarySearchFunc(all, end, func(f Fate, n uint64) int { return cmp.Compare(f.Seq, n) })
		if !exact {
			i--
		}
		if i < 0 || all[i].Seq < since || !nearer(all[i].Seq) {
			return nil
		}
		it, err := snapshot.DecodeItem(string(value))
		if err != nil {
			return err
		}
		if id == name || slices.ContainsFunc(it.Files, func(f snapshot.File) bool { return f.Path == name && f.Role != snapshot.Shared }) {
			found, at = it, all[i].Seq
		}
		return nil
	})
	return found, at, err
}
