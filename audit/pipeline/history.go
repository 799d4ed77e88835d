package pipeline

import (
	"encoding/json"
	"fmt"
	"slices"

	"healthaudit/audit"
	"healthaudit/snapshot"
	"healthaudit/snapshot/store"
)

// A Moment is one snapshot in which something about an item changed.
type Moment struct {
	Seq    uint64
	Item   *snapshot.Item   // as it was then; nil when it was gone
	Change *snapshot.Change // against the moment before; nil when only findings changed
	Worst  audit.Severity   // of the findings that count, 0 for none
	Score  float64
	Files  []string // own files whose bytes or mode changed, although they mean the same
	Opened []*audit.Record
	Closed []*audit.Record
	Waived []*audit.Record // accepted from then on
	Counts []*audit.Record // no longer accepted, and open
}

// History returns the moments of an item, oldest first; none when the store
// never had such an item.
func History(tx *store.Tx, key snapshot.Key, risk func(snapshot.System) snapshot.RiskFunc) ([]Moment, error) {
	moments := map[uint64]*Moment{}
	at := func(seq uint64) *Moment {
		if moments[seq] == nil {
			moments[seq] = &Moment{Seq: seq}
		}
		return moments[seq]
	}
	versions := map[uint64]*snapshot.Item{}
	var bad error
	err := tx.Table(tableItem).History(string(key), func(seq uint64, value []byte) bool {
		at(seq)
		versions[seq] = nil
		if value != nil {
			if versions[seq], bad = snapshot.DecodeItem(string(value)); bad != nil {
				return false
			}
		}
		return true
	})
	if err == nil {
		err = bad
	}
	if err != nil || len(moments) == 0 {
		return nil, err
	}
	open, err := openings(tx, key, at)
	if err != nil {
		return nil, err
	}
	return complete(tx, key, moments, versions, open, risk)
}

// openings notes when findings of the item opened and closed, and returns for
// every finding its versions, oldest first.
func openings(tx *store.Tx, key snapshot.Key, at func(uint64) *Moment) (map[string][]version, error) {
	ids := map[string]bool{}
	recs, err := records(tx, tx.Seq())
	if err != nil {
		return nil, err
	}
	for _, r := range recs {
		if r.Item == key {
			ids[r.ID] = true
		}
	}
	out := map[string][]version{}
	for id := range ids {
		if out[id], err = versionsOf(tx, id); err != nil {
			return nil, err
		}
		if lostAny(tx, tableFinding, id) { // when it came and went is not known
			delete(out, id)
			continue
		}
		open, waived := false, false
		for _, v := range out[id] {
			r := v.rec
			if r == nil {
				open, waived = false, false
				continue
			}
			now := r.Open() && r.Accepted()
			if r.Open() == open && now == waived {
				continue
			}
			m := at(v.seq)
			switch {
			case r.Open() && !open:
				m.Opened = append(m.Opened, r)
			case !r.Open():
				m.Closed = append(m.Closed, r)
			case !now:
				m.Counts = append(m.Counts, r)
			}
			if now && !waived {
				m.Waived = append(m.Waived, r)
			}
			open, waived = r.Open(), now
		}
	}
	return out, nil
}

func complete(tx *store.Tx, key snapshot.Key, moments map[uint64]*Moment, versions map[uint64]*snapshot.Item, findings map[string][]version, risk func(snapshot.System) snapshot.RiskFunc) ([]Moment, error) {
	seqs := make([]uint64, 0, len(moments))
	for s := range moments {
		seqs = append(seqs, s)
	}
	slices.Sort(seqs)
	out := make([]Moment, 0, len(seqs))
	var now *snapshot.Item
	last := uint64(0) // in which it changed
	for _, seq := range seqs {
		m := moments[seq]
		if it, changed := versions[seq]; changed {
			var rf snapshot.RiskFunc
			if it != nil && risk != nil {
				rf = risk(it.System())
			}
			if gap := lostBetween(tx, key, last, seq); !gap {
				m.Change = snapshot.Compare(now, it, true, rf)
				if m.Change == nil && now != nil && it != nil {
					m.Files = rewritten(now.Files, it.Files)
				}
			}
			now, last = it, seq
		}
		m.Item, m.Score = now, 100
		for _, versions := range findings {
			if r := openAt(versions, seq); r != nil {
				m.Worst = max(m.Worst, r.Severity)
				m.Score *= 1 - audit.Penalty[r.Severity]
			}
		}
		for _, list := range [][]*audit.Record{m.Opened, m.Closed, m.Waived, m.Counts} {
			slices.SortFunc(list, func(a, b *audit.Record) int {
				if a.Severity != b.Severity {
					return int(b.Severity - a.Severity)
				}
				return cmpKeys(snapshot.Key(a.Check+a.ID), snapshot.Key(b.Check+b.ID))
			})
		}
		if len(out) == 0 || !m.quiet(&out[len(out)-1]) {
			out = append(out, *m)
		}
	}
	return out, nil
}

// quiet reports whether a moment tells nothing that the one before did not: a
// shared file changed, a line moved.
func (m *Moment) quiet(before *Moment) bool {
	return m.Change == nil && len(m.Files)+len(m.Opened)+len(m.Closed)+len(m.Waived)+len(m.Counts) == 0 && m.Worst == before.Worst && m.Score == before.Score
}

// rewritten returns the own files of an item that differ.
func rewritten(old, new []snapshot.File) (out []string) {
	was := map[string]snapshot.File{}
	for _, f := range old {
		was[f.Path] = f
	}
	for _, f := range new {
		if o := was[f.Path]; f.Role != snapshot.Shared && (o.SHA256 != f.SHA256 || o.Mode != f.Mode) {
			out = append(out, f.Path)
		}
	}
	return out
}

// A version is a finding as it became in one snapshot.
type version struct {
	seq uint64
	rec *audit.Record // nil: the state from that snapshot on was lost, and a repair left it out
}

// versionsOf returns the versions of a finding, oldest first.
func versionsOf(tx *store.Tx, id string) (out []version, err error) {
	var bad error
	err = tx.Table(tableFinding).History(id, func(seq uint64, value []byte) bool {
		v := version{seq: seq}
		if value != nil {
			v.rec = &audit.Record{}
			if bad = json.Unmarshal(value, v.rec); bad != nil {
				bad = fmt.Errorf("finding %.12s of snapshot #%d: %w", id, seq, bad)
			}
		}
		out = append(out, v)
		return bad == nil
	})
	slices.Reverse(out)
	if err == nil {
		err = bad
	}
	return out, err
}

// openAt returns the finding as it was in a snapshot, or nil when it did not count.
func openAt(versions []version, seq uint64) *audit.Record {
	var last *audit.Record
	for _, v := range versions {
		if v.seq <= seq {
			last = v.rec
		}
	}
	if last == nil || !last.Counts() {
		return nil
	}
	return last
}
