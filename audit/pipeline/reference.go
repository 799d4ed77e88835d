package pipeline

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"hash"
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
	fresh []encoded             // those items, in key order, until they are staged
	seen  hash.Hash             // of the states of all items, those that are gone included
}

// An encoded is an item and its state as it is stored.
type encoded struct {
	*snapshot.Item
	state []byte
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
	c := &comparison{seen: sha256.New()}
	items, i := snap.Items, 0
	states := encodeAll(items, p)
	if p != nil {
		var err error
		if c.ended, err = acceptedGone(p); err != nil {
			return nil, err
		}
		err = p.tx.Table(tableItem).Scan(p.seq, "", func(id string, value []byte, _ uint64) error {
			key := snapshot.Key(id)
			for i < len(items) && items[i].Key < key {
				c.change(items[i], states[i])
				i++
			}
			if i < len(items) && items[i].Key == key {
				if states[i] == nil || string(states[i]) == string(value) {
					c.see(key, here, value)
					c.old = append(c.old, items[i])
				} else {
					old, err := p.decode(key, string(value))
					if err != nil {
						return err
					}
					c.old = append(c.old, old)
					c.change(items[i], states[i])
				}
				i++
				return nil
			}
			c.see(key, before, value)
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
		c.change(items[i], states[i])
	}
	c.dirty, c.fresh = to.add(c.fresh), nil
	c.keepStarted(snap)
	slices.Sort(c.kept)
	snap.Sort()
	return c, nil
}

// Of which snapshot a state is that was seen.
const (
	here   = 'n'
	before = 'o' // what becomes of it follows from the rest that was seen
)

// change notes an item whose state is another than before.
func (c *comparison) change(it *snapshot.Item, state []byte) {
	c.see(it.Key, here, state)
	c.fresh = append(c.fresh, encoded{it, state})
}

func (c *comparison) see(key snapshot.Key, of byte, state []byte) {
	fmt.Fprintf(c.seen, "%c%d %d %s", of, len(key), len(state), key)
	c.seen.Write(state)
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
			for _, r := range snap.Items[done].Refs {
				if snap.Items[done].Carried && r.Kind == snapshot.RefFile && !r.Loads() {
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

// encodeAll encodes the states of all items on two cores. An item that a
// collector took over from the past as it was stays nil: it is unchanged.
func encodeAll(items []*snapshot.Item, p *past) [][]byte {
	out := make([][]byte, len(items))
	var wg sync.WaitGroup
	half := len(items) / 2
	for _, part := range [][2]int{{0, half}, {half, len(items)}} {
		wg.Go(func() {
			var b []byte
			for i := part[0]; i < part[1]; i++ {
				if p == nil || p.items[items[i].Key] != items[i] {
					b = items[i].AppendEncode(b[:0])
					out[i] = bytes.Clone(b)
				}
			}
		})
	}
	wg.Wait()
	return out
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
