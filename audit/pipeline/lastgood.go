package pipeline

import (
	"cmp"
	"fmt"
	"slices"
	"sync"

	"healthaudit/audit"
	"healthaudit/snapshot"
	"healthaudit/snapshot/store"
)

// goodBelow returns the severity below which everything found of a version must
// be for it to be good, where now is the worst that counts of the item as it is:
// nothing as bad as now, nothing of high severity, and of an item that is well
// nothing of medium severity either.
func goodBelow(now audit.Severity) audit.Severity {
	return min(max(now, audit.Medium), audit.High)
}

// goods answers when an item was last good. What recovery writes back, what
// audit restore --last-good takes and what pruning keeps is this one answer.
type goods struct {
	tx  *store.Tx
	all []Fate // oldest first
	of  map[snapshot.Key][]*audit.Record
}

func newGoods(tx *store.Tx) (*goods, error) {
	recs, err := records(tx, tx.Seq())
	if err != nil {
		return nil, err
	}
	g := &goods{tx: tx, of: map[snapshot.Key][]*audit.Record{}}
	for _, r := range recs {
		g.of[r.Item] = append(g.of[r.Item], r)
	}
	g.all, err = fates(tx)
	return g, err
}

// worst returns the worst that counts of an item in the newest snapshot.
func (g *goods) worst(k snapshot.Key) (worst audit.Severity) {
	for _, r := range g.of[k] {
		if r.Counts() {
			worst = max(worst, r.Severity)
		}
	}
	return worst
}

// last goes back, from the snapshot seq on, through the versions of an item and
// of its findings to the newest one that could be judged and of which nothing
// that counts was found but what lies below a severity (see goodBelow). It
// returns that version and the last snapshot that saw it, or nil and 0.
func (g *goods) last(k snapshot.Key, seq uint64, below audit.Severity) (*snapshot.Item, uint64, error) {
	turns := map[uint64]bool{}
	items := map[uint64]*snapshot.Item{}
	var bad error
	err := g.tx.Table(tableItem).History(string(k), func(seq uint64, value []byte) bool {
		turns[seq], items[seq] = true, nil
		if value != nil {
			items[seq], bad = snapshot.DecodeItem(string(value))
		}
		return bad == nil
	})
	if err != nil || bad != nil {
		return nil, 0, cmp.Or(err, bad)
	}
	recs := g.of[k]
	findings := make([][]version, len(recs))
	for i, r := range recs {
		if findings[i], err = versionsOf(g.tx, r.ID); err != nil {
			return nil, 0, err
		}
		for _, v := range findings[i] {
			turns[v.seq] = true
		}
	}
	seqs := make([]uint64, 0, len(turns))
	for at := range turns {
		if at <= seq {
			seqs = append(seqs, at)
		}
	}
	slices.Sort(seqs)
	end := g.from(seq + 1) // of the snapshots, the first that is not before the next turn
	for i := len(seqs) - 1; i >= 0; i-- {
		it := standing(items, seqs[:i+1])
		from := g.from(seqs[i])
		if it != nil && from < end && good(it, findings, seqs[i], below) {
			return it, g.all[end-1].Seq, nil
		}
		end = from
	}
	return nil, 0, nil
}

// from returns the index of the first snapshot that is not before seq.
func (g *goods) from(seq uint64) int {
	i, _ := slices.BinarySearchFunc(g.all, seq, func(f Fate, seq uint64) int { return cmp.Compare(f.Seq, seq) })
	return i
}

// good reports whether an item could be judged in a snapshot, and everything
// that counted lay below a severity.
func good(it *snapshot.Item, findings [][]version, seq uint64, below audit.Severity) bool {
	worst := audit.Severity(0)
	for _, versions := range findings {
		if r := openAt(versions, seq); r != nil {
			worst = max(worst, r.Severity)
		}
	}
	return worst < below && !it.Carried && it.Unknown == "" && !it.Torn
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

// LastGood returns what answers, within a transaction, how an item was in the
// newest snapshot, not after seq, in which it was good, and the number of that
// snapshot; nil when there is none. Good is what counts as better than how the
// item is in the newest snapshot. What was found is read once, when first asked.
func LastGood(tx *store.Tx) func(key snapshot.Key, seq uint64) (*snapshot.Item, uint64, error) {
	once := sync.OnceValues(func() (*goods, error) { return newGoods(tx) })
	return func(key snapshot.Key, seq uint64) (*snapshot.Item, uint64, error) {
		g, err := once()
		if err != nil {
			return nil, 0, err
		}
		return g.last(key, seq, goodBelow(g.worst(key)))
	}
}

// NeededGood returns, for every item that is not ok in the newest snapshot or
// that is missing there without explanation, the snapshots that pruning must
// keep for it: the last in which it was good, and, where that is a merely better
// one, the last in which it was ok. Items that never were are left out.
func NeededGood(tx *store.Tx) (map[snapshot.Key][]uint64, error) {
	newest := tx.Seq()
	if newest == 0 {
		return nil, tx.Err()
	}
	p, err := newPast(tx, newest)
	if err != nil {
		return nil, err
	}
	g, err := newGoods(tx)
	if err != nil {
		return nil, err
	}
	keys := map[snapshot.Key]bool{}
	for k := range g.of {
		if g.worst(k) >= audit.Medium && !k.IsPseudo() {
			keys[k] = true
		}
	}
	for _, gone := range p.info.Gone {
		keys[gone.Item] = true
	}
	for k := range p.info.Judged { // it could not be judged this time
		keys[k] = true
	}
	out := map[snapshot.Key][]uint64{}
	for k := range keys {
		for _, below := range []audit.Severity{audit.High, audit.Medium} {
			if below > goodBelow(g.worst(k)) {
				continue
			}
			_, seq, err := g.last(k, newest, below)
			if err != nil {
				return nil, fmt.Errorf("when %s was last good: %w", k, err)
			}
			if seq > 0 && !slices.Contains(out[k], seq) {
				out[k] = append(out[k], seq)
			}
		}
	}
	return out, nil
}
