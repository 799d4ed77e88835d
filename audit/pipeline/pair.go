package pipeline

import (
	"fmt"
	"slices"
	"strings"

	"healthaudit/snapshot"
	"healthaudit/snapshot/store"
)

// LoadPair reads of two stored snapshots the items that differ between them, and
// what Diff needs of the rest: it takes as long as that is, however many items
// there are. Tree and context are left out.
func LoadPair(tx *store.Tx, was, now uint64) (old, cur *snapshot.Snapshot, oi, ci *Info, err error) {
	var ids []string
	err = tx.Table(tableItem).Changed(min(was, now), max(was, now), func(id string) error { ids = append(ids, id); return nil })
	if err != nil {
		return nil, nil, nil, nil, err
	}
	if old, oi, err = loadItems(tx, was, ids); err != nil {
		return nil, nil, nil, nil, err
	}
	if cur, ci, err = loadItems(tx, now, ids); err != nil {
		return nil, nil, nil, nil, err
	}
	old.Items, cur.Items = notLost(tx, old.Items), notLost(tx, cur.Items)
	return old, cur, oi, ci, nil
}

// loadItems reads some items of a snapshot, those of ids that it has.
func loadItems(tx *store.Tx, seq uint64, ids []string) (*snapshot.Snapshot, *Info, error) {
	p, err := newPast(tx, seq)
	if err != nil {
		return nil, nil, err
	}
	s := &snapshot.Snapshot{Seq: seq, ID: p.info.ID, At: p.info.Started, Systems: p.info.Systems, Content: stored{tx: tx}}
	for _, id := range ids {
		value, ok, err := tx.Table(tableItem).Text(seq, id)
		if tx.Bear(err) {
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		if !ok {
			continue
		}
		it, err := p.decode(snapshot.Key(id), value)
		if err != nil {
			return nil, nil, fmt.Errorf("item %s: %w", id, err)
		}
		_, kept := slices.BinarySearch(p.info.Kept, it.Key)
		it.Carried = kept || s.Unread(it)
		s.Items = append(s.Items, it)
	}
	s.Sort()
	return s, &p.info, nil
}

// itemsBefore returns the items of the snapshot before another: those that did not
// change in between are the same.
func itemsBefore(tx *store.Tx, s *snapshot.Snapshot, before uint64) (*snapshot.Snapshot, error) {
	changed := map[snapshot.Key]bool{}
	var ids []string
	err := tx.Table(tableItem).Changed(before, s.Seq, func(id string) error {
		ids, changed[snapshot.Key(id)] = append(ids, id), true
		return nil
	})
	if err != nil {
		return nil, err
	}
	old, _, err := loadItems(tx, before, ids)
	if err != nil {
		return nil, err
	}
	for _, it := range s.Items {
		if !changed[it.Key] {
			old.Items = append(old.Items, it)
		}
	}
	slices.SortFunc(old.Items, func(a, b *snapshot.Item) int { return strings.Compare(string(a.Key), string(b.Key)) })
	return old, nil
}
