package pipeline

import (
	"bytes"
	"cmp"
	"math"
	"slices"

	"healthaudit/snapshot"
	"healthaudit/snapshot/store"
)

// Seen is an item as a snapshot saw it.
type Seen struct {
	Item *snapshot.Item
	In   Fate
}

// LastSeen looks for items by their keys, or by the paths of files of their own,
// where a snapshot does not have them: for each name it returns the item as the
// newest snapshot not after seq saw it, else the newest of all; nothing when none
// that is kept ever did. It reads every stored version, once; in a transaction that
// forgives, what is damaged is left out.
func LastSeen(tx *store.Tx, names []string, seq uint64) (map[string]Seen, error) {
	all, err := fates(tx)
	if err != nil {
		return nil, err
	}
	found := map[string]Seen{}
	nearer := func(n, at uint64) bool {
		if (n <= seq) != (at <= seq) {
			return n <= seq || at == 0
		}
		return n > at
	}
	look := func(id string, since, until uint64, value []byte) error {
		end := until - 1
		if since <= seq && end > seq {
			end = seq
		}
		i, exact := slices.BinarySearchFunc(all, end, func(f Fate, n uint64) int { return cmp.Compare(f.Seq, n) })
		if !exact {
			i--
		}
		if i < 0 || all[i].Seq < since {
			return nil
		}
		var it *snapshot.Item
		for _, name := range names {
			if id != name && !bytes.Contains(value, []byte(name)) || !nearer(all[i].Seq, found[name].In.Seq) {
				continue
			}
			if it == nil {
				if it, err = snapshot.DecodeItem(string(value)); err != nil {
					return err
				}
			}
			if id == name || slices.ContainsFunc(it.Files, func(f snapshot.File) bool { return f.Path == name && f.Role != snapshot.Shared }) {
				found[name] = Seen{it, all[i]}
			}
		}
		return nil
	}
	items := tx.Table(tableItem)
	return found, items.Changed(0, tx.Seq(), func(id string) error {
		until, failed := uint64(math.MaxUint64), error(nil)
		err := items.History(id, func(since uint64, value []byte) bool {
			if value != nil {
				failed = look(id, since, until, value)
			}
			until = since
			return failed == nil
		})
		return cmp.Or(failed, err)
	})
}
