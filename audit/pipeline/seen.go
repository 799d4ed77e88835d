package pipeline

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"

	"healthaudit/snapshot"
	"healthaudit/snapshot/store"
)

// A sighting is what the states of all items came to in a run. As long as the store
// has no row of an item that is newer, and as many as then, they come to the same,
// and need not be read to know it. A row that was put stays as it is.
type sighting struct {
	Seq   uint64 `json:"s"`
	Run   string `json:"r"` // its ID: two runs have one number where the first of them could not be kept
	Count int    `json:"n"`
	Sum   []byte `json:"h"`
}

const sightingKey = "judged.seen"

// statesSeen returns the digest of the states of all items, those that are gone included.
func (s *session) statesSeen() ([]byte, error) {
	c := s.cmp
	if c.sum != nil {
		return c.sum, nil
	}
	settled := len(c.gone) == 0 && !slices.ContainsFunc(s.snap.Items, func(it *snapshot.Item) bool { return it.Carried })
	if settled && len(c.dirty.of) == 0 && s.past != nil {
		var was sighting
		if json.Unmarshal(s.memo.Get(sightingKey), &was) == nil && was.Count == c.rows && was.Seq >= c.newest {
			same := false
			err := s.tx.Heads(was.Seq, false, func(seq uint64, h store.Header) bool {
				same = seq == was.Seq && h.ID == was.Run
				return false
			})
			if err == nil && same { // with an error it is not known, and the rows are read
				c.sum = was.Sum
				return c.sum, nil
			}
		}
	}
	if err := c.digest(s.snap, s.past); err != nil || !settled {
		return c.sum, err
	}
	now := sighting{Seq: 1, Run: s.info.ID, Count: len(s.snap.Items), Sum: c.sum}
	if s.past != nil {
		now.Seq = s.past.seq + 1
	}
	b, err := json.Marshal(now)
	s.memo.Put(sightingKey, b)
	return c.sum, err
}

// Of which snapshot a state is that was seen.
const (
	here   = 'n'
	before = 'o' // what becomes of it follows from the rest that was seen
)

// digest reads the states of all items.
func (c *comparison) digest(snap *snapshot.Snapshot, p *past) error {
	h := sha256.New()
	see := func(key snapshot.Key, of byte, state []byte) {
		fmt.Fprintf(h, "%c%d %d %s", of, len(key), len(state), key)
		h.Write(state)
	}
	dirty, err := c.dirty.read()
	if err != nil {
		return &CommitError{err}
	}
	upTo := func(more func(snapshot.Key) bool) error {
		for len(dirty.left) > 0 && more(dirty.left[0].Key) {
			it, state, err := dirty.next()
			if err != nil {
				return err
			}
			see(it.Key, here, state)
		}
		return nil
	}
	if p != nil {
		err := p.tx.Table(tableItem).Scan(p.seq, "", func(id string, value []byte, _ uint64) error {
			key := snapshot.Key(id)
			if err := upTo(func(k snapshot.Key) bool { return k < key }); err != nil {
				return err
			}
			switch it := snap.Item(key); {
			case len(dirty.left) > 0 && dirty.left[0].Key == key: // with those after it
			case it == nil || it.Carried:
				see(key, before, value)
			default:
				see(key, here, value)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	if err := upTo(func(snapshot.Key) bool { return true }); err != nil {
		return err
	}
	c.sum = h.Sum(nil)
	return nil
}
