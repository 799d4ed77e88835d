package pipeline

import (
	"cmp"
	"fmt"
	"slices"

	"healthaudit/audit"
	"healthaudit/snapshot"
	"healthaudit/snapshot/store"
)

// LastGood returns, for every item that is not ok in the newest snapshot or that
// is missing there without explanation, the last snapshot in which it was ok.
// Items that never were are left out.
func LastGood(tx *store.Tx) (map[snapshot.Key]uint64, error) {
	newest := tx.Seq()
	if newest == 0 {
		return nil, tx.Err()
	}
	p, err := newPast(tx, newest)
	if err != nil {
		return nil, err
	}
	recs, err := records(tx, newest)
	if err != nil {
		return nil, err
	}
	of := map[snapshot.Key][]*audit.Record{}
	for _, r := range recs {
		of[r.Item] = append(of[r.Item], r)
	}
	keys := map[snapshot.Key]bool{}
	for _, r := range recs {
		if r.Counts() && r.Severity >= audit.Medium && !r.Item.IsPseudo() {
			keys[r.Item] = true
		}
	}
	for _, g := range p.info.Gone {
		keys[g.Item] = true
	}
	for k := range p.info.Judged { // it could not be judged this time
		keys[k] = true
	}
	all, err := fates(tx)
	if err != nil {
		return nil, err
	}
	out := map[snapshot.Key]uint64{}
	for k := range keys {
		seq, err := lastGood(tx, k, of[k], all)
		if err != nil {
			return nil, fmt.Errorf("when %s was last ok: %w", k, err)
		}
		if seq > 0 {
			out[k] = seq
		}
	}
	return out, nil
}

// lastGood goes back through the versions of one item and of its findings.
func lastGood(tx *store.Tx, k snapshot.Key, recs []*audit.Record, all []Fate) (uint64, error) {
	turns := map[uint64]bool{}
	items := map[uint64]*snapshot.Item{}
	var bad error
	err := tx.Table(tableItem).History(string(k), func(seq uint64, value []byte) bool {
		turns[seq], items[seq] = true, nil
		if value != nil {
			items[seq], bad = snapshot.DecodeItem(string(value))
		}
		return bad == nil
	})
	if err != nil || bad != nil {
		return 0, cmp.Or(err, bad)
	}
	findings := make([][]version, len(recs))
	for i, r := range recs {
		if findings[i], err = versionsOf(tx, r.ID); err != nil {
			return 0, err
		}
		for _, v := range findings[i] {
			turns[v.seq] = true
		}
	}
	seqs := make([]uint64, 0, len(turns))
	for seq := range turns {
		seqs = append(seqs, seq)
	}
	slices.Sort(seqs)
	end := len(all) // of the snapshots, the first that is not before the next turn
	for i := len(seqs) - 1; i >= 0; i-- {
		it := standing(items, seqs[:i+1])
		worst := audit.Severity(0)
		for _, versions := range findings {
			if r := openAt(versions, seqs[i]); r != nil && r.Counts() {
				worst = max(worst, r.Severity)
			}
		}
		from, _ := slices.BinarySearchFunc(all, seqs[i], func(f Fate, seq uint64) int {
			switch {
			case f.Seq < seq:
				return -1
			case f.Seq > seq:
				return 1
			}
			return 0
		})
		if it != nil && from < end && audit.LevelOf(it, worst) == audit.LevelOK {
			return all[end-1].Seq, nil
		}
		end = from
	}
	return 0, nil
}

// standing returns the item as its newest version within seqs has it.
func standing(items map[uint64]*snapshot.Item, seqs []uint64) *snapshot.Item {
	for i := len(seqs) - 1; i >= 0; i-- {
		if it, ok := items[seqs[i]]; ok {
			return it
		}
	}
	return nil
}
