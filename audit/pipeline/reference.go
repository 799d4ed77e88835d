package pipeline

import (
	"encoding/json"
	"slices"
	"sync"

	"healthaudit/snapshot"
	"healthaudit/snapshot/store"
)

// lockedPast is a past for collectors and checks, which ask concurrently.
// An item that cannot be read is reported once by Err, and is nil.
type lockedPast struct {
	mu   sync.Mutex
	past *past // nil on a first run
	err  error
}

func (l *lockedPast) Item(k snapshot.Key) *snapshot.Item {
	if l.past == nil {
		return nil
	}
	if it := l.past.read(k); it != nil {
		return it
	}
	stored, ok, err := l.past.tx.Table(tableItem).Text(l.past.seq, string(k))
	if err == nil && ok {
		var it *snapshot.Item
		if it, err = l.past.decode(k, stored); err == nil {
			return it
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil && l.err == nil {
		l.err = err
	}
	return nil
}

func (l *lockedPast) System(sys snapshot.System) snapshot.SystemState {
	if l.past == nil {
		return snapshot.SystemState{System: sys, Status: snapshot.StatusSkipped}
	}
	info := l.past.info
	if at := info.observed(sys, l.past.seq); at > 0 && at != l.past.seq {
		l.mu.Lock()
		defer l.mu.Unlock()
		h, ok, err := l.past.tx.Header(at)
		if err == nil && ok {
			info = Info{}
			err = json.Unmarshal(h.Body, &info)
		}
		if err != nil && l.err == nil {
			l.err = err
		}
	}
	return (&snapshot.Snapshot{Systems: info.Systems}).System(sys)
}

// A comparison is the new snapshot beside its reference. An unchanged item is
// the same pointer on both sides, so that nothing is decoded or compared twice.
type comparison struct {
	old   []*snapshot.Item      // in key order; those carried are in the new snapshot too
	dirty *states               // of the items whose stored state must be written
	gone  []*snapshot.Item      // in the reference, not in the new one, though their source was read
	kept  []snapshot.Key        // see Info.Kept
	ended map[snapshot.Key]bool // were kept, and a person accepted that they are gone

	rows   int    // of items in the reference
	newest uint64 // snapshot in which one of them was put
	sum    []byte // see statesSeen; nil before it was asked for
}

// lost returns the items that are gone, that no change knows under another name,
// and that nobody gave up.
func (c *comparison) lost(changes []snapshot.Change) []*snapshot.Item {
	renamed := map[snapshot.Key]bool{}
	for _, ch := range changes {
		renamed[ch.From] = true
	}
	return slices.DeleteFunc(slices.Clone(c.gone), func(it *snapshot.Item) bool { return renamed[it.Key] || c.ended[it.Key] })
}

// compare joins the items of a snapshot with those of its reference and adds
// to the snapshot what must be carried: the items of systems and sources that
// were not read. New states go into the stage.
func compare(snap *snapshot.Snapshot, p *past, to *stage) (*comparison, error) {
	snap.Sort()
	c := &comparison{dirty: &states{stage: to}}
	items, i := snap.Items, 0
	now := &encoder{items: items, past: p}
	if p != nil {
		var err error
		if c.ended, err = acceptedGone(p); err != nil {
			return nil, err
		}
		err = p.tx.Table(tableItem).Scan(p.seq, "", func(id string, value []byte, since uint64) error {
			key := snapshot.Key(id)
			c.rows, c.newest = c.rows+1, max(c.newest, since)
			for i < len(items) && items[i].Key < key {
				c.dirty.add(items[i], now.state(i))
				i++
			}
			if i < len(items) && items[i].Key == key {
				if state := now.state(i); state == nil || string(state) == string(value) {
					c.old = append(c.old, items[i])
				} else {
					old, err := p.decode(key, string(value))
					if err != nil {
						return err
					}
					c.old = append(c.old, old)
					c.dirty.add(items[i], now.state(i))
				}
				i++
				return nil
			}
			old, err := p.decode(key, string(value))
			if err != nil {
				return err
			}
			c.old = append(c.old, old)
			_, behind := snap.Tree.Behind(old.Path)
			switch {
			case snap.Unread(old):
				carry(snap, old)
			case behind && !c.ended[key]:
				c.keep(snap, old)
			default:
				c.gone = append(c.gone, old)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	for ; i < len(items); i++ {
		c.dirty.add(items[i], now.state(i))
	}
	c.keepStarted(snap)
	slices.Sort(c.kept)
	snap.Sort()
	return c, nil
}

func carry(snap *snapshot.Snapshot, old *snapshot.Item) {
	old.Carried = true
	snap.Items = append(snap.Items, old)
}

func (c *comparison) keep(snap *snapshot.Snapshot, old *snapshot.Item) {
	carry(snap, old)
	c.kept = append(c.kept, old.Key)
}

// keepStarted keeps the items that were listed because something starts them
// that is carried itself: whether it still does, nobody knows.
func (c *comparison) keepStarted(snap *snapshot.Snapshot) {
	started := map[string]bool{}
	for done, more := 0, true; more; {
		for ; done < len(snap.Items); done++ {
			if !snap.Items[done].Carried {
				continue
			}
			for _, r := range snap.Items[done].Refs.All() {
				if r.Kind == snapshot.RefFile && !r.Loads() {
					started[r.Path] = true
				}
			}
		}
		more = false
		c.gone = slices.DeleteFunc(c.gone, func(old *snapshot.Item) bool {
			kept := !c.ended[old.Key] && old.Source == snapshot.Followed && started[old.Path] && snap.Tree.HasFile(old.Path)
			if kept {
				c.keep(snap, old)
				more = true
			}
			return kept
		})
	}
}

// stored is the content of captured files: of this run first, then the store's.
type stored struct {
	tx    *store.Tx
	stage *stage
}

func (s stored) Bytes(sum string) ([]byte, error) {
	if s.stage != nil {
		if b, ok, err := s.stage.read(sum); ok || err != nil {
			return b, err
		}
	}
	if s.tx == nil {
		return nil, errNoBytes(sum)
	}
	return s.tx.Blob(sum)
}

// has reports whether there are bytes of that digest.
func (s stored) has(sum string) bool {
	if s.stage != nil && s.stage.has(sum) {
		return true
	}
	return s.tx != nil && s.tx.HasBlob(sum)
}
