package pipeline

import (
	"encoding/json"
	"fmt"
	"time"

	"healthaudit/audit"
	"healthaudit/snapshot/store"
)

// metaBaseline is where the store keeps what is pinned.
const metaBaseline = "baseline"

// A Pinned is the snapshot that later ones are held against.
type Pinned struct {
	Seq uint64    `json:"seq"`
	Run string    `json:"run"`
	At  time.Time `json:"at"` // of the snapshot
	By  string    `json:"by"`
}

// Baseline returns what is pinned, nil when nothing is. The snapshot itself may
// have been pruned since; its number and time still say what is older.
func Baseline(tx *store.Tx) (*Pinned, error) {
	b := tx.Meta(metaBaseline)
	if len(b) == 0 {
		return nil, nil
	}
	p := &Pinned{}
	if err := json.Unmarshal(b, p); err != nil {
		return nil, fmt.Errorf("the baseline: %w", err)
	}
	return p, nil
}

// Pin makes a snapshot the baseline, from the next run on.
func Pin(tx *store.Tx, seq uint64, by string) (*Pinned, error) {
	h, ok, err := tx.Header(seq)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, fmt.Errorf("there is no snapshot #%d", seq)
	}
	p := &Pinned{Seq: seq, Run: h.ID, At: h.At.UTC(), By: by}
	b, err := json.Marshal(p)
	if err != nil {
		return nil, err
	}
	return p, tx.PutMeta(metaBaseline, b)
}

// Unpin forgets the baseline.
func Unpin(tx *store.Tx) error { return tx.PutMeta(metaBaseline, []byte{}) }

// holds reports whether a finding is in the baseline: open then, and without a
// break since. What was mended meanwhile and came back is not.
func (p *Pinned) holds(t audit.Tracked) bool { return t.Opened.Seq <= p.Seq }

// A Standing is how things are beside the baseline.
type Standing struct {
	Then   []*audit.Record // open in it
	Still  []*audit.Record // of these, open since
	Since  []*audit.Record // open in the newest snapshot, and not in it
	Newest uint64
}

// BeforeAfter compares the newest snapshot with the baseline.
func (p *Pinned) BeforeAfter(tx *store.Tx) (s Standing, err error) {
	s.Newest = tx.Seq()
	then, err := records(tx, p.Seq)
	if err != nil {
		return s, err
	}
	for _, r := range then {
		if r.Open() {
			s.Then = append(s.Then, r)
		}
	}
	now, err := records(tx, s.Newest)
	if err != nil {
		return s, err
	}
	for _, r := range now {
		switch {
		case !r.Open():
		case p.holds(audit.Tracked{Record: r}):
			s.Still = append(s.Still, r)
		default:
			s.Since = append(s.Since, r)
		}
	}
	return s, nil
}
