package pipeline

import (
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"

	"healthaudit/audit"
	"healthaudit/report"
	"healthaudit/snapshot"
	"healthaudit/snapshot/collect"
	"healthaudit/snapshot/store"
)

// Names of the temporal tables and their single rows.
const (
	tableItem       = "item"       // key → Item.Encode
	tableFinding    = "finding"    // finding id → audit.Record
	tableRegression = "regression" // regression id → audit.Regression
	tableCursor     = "cursor"     // system/name → what the collector keeps
	tableState      = "state"      // the rows below

	rowTree    = "tree"    // digest of the encoded Tree
	rowContext = "context" // []snapshot.File
	rowChecks  = "checks"  // check id → the rule it judged by
)

// Info is what a snapshot's header says of its run. It holds nothing that can
// be computed again from the tables.
type Info struct {
	ID            string                      `json:"id"`
	Tool          string                      `json:"tool"`
	Started       time.Time                   `json:"started"`
	Finished      time.Time                   `json:"finished"`
	Host          string                      `json:"host"`
	Root          string                      `json:"root"`
	Git           *collect.Repository         `json:"git,omitempty"`
	GitReason     string                      `json:"git_reason,omitempty"` // why git was not used
	Systems       []snapshot.SystemState      `json:"systems"`
	Reference     map[snapshot.System]uint64  `json:"ref,omitempty"` // what each system was compared to
	Crashed       []audit.Crash               `json:"crashed,omitempty"`
	Doubted       []string                    `json:"doubted,omitempty"` // findings carried because their check could not look for them
	Gone          []audit.Gone                `json:"gone,omitempty"`
	Kept          []snapshot.Key              `json:"kept,omitempty"`     // items carried although their source was read, sorted: a link is in the way to them, or to what starts them
	Removed       map[snapshot.Key]string     `json:"removed,omitempty"`  // items that left, and the commit that deleted their file
	Judged        map[snapshot.Key]uint64     `json:"judged,omitempty"`   // items that could not be judged, and the snapshot in which they last could
	Flapping      map[snapshot.Key]float64    `json:"flapping,omitempty"` // items whose level goes to and fro, and by how many percent
	Recovery      string                      `json:"recovery"`
	FailOn        []string                    `json:"fail_on"`
	FailUnder     *float64                    `json:"fail_under,omitempty"`
	Weights       map[snapshot.System]float64 `json:"weights,omitempty"`
	Criticality   map[string]string           `json:"criticality,omitempty"`
	ChecksOff     []string                    `json:"checks_off,omitempty"`
	Ignore        []audit.Ignore              `json:"ignore,omitempty"`
	Baseline      *Pinned                     `json:"baseline,omitempty"` // what was pinned then
	Every         time.Duration               `json:"every,omitempty"`    // how often a run was to be
	Open          map[string]int              `json:"open"`               // severity → open findings
	Regressions   int                         `json:"regressions"`        // items with open ones
	Passed        bool                        `json:"passed"`
	Exit          int                         `json:"exit"`
	Delta         *float64                    `json:"delta,omitempty"`
	DeltaSame     *float64                    `json:"delta_same,omitempty"` // like for like
	JournalHead   *report.Head                `json:"journal,omitempty"`
	Archive       *report.Archive             `json:"archive,omitempty"`        // made of this snapshot, in its run
	ArchiveFailed string                      `json:"archive_failed,omitempty"` // why it could not be made
}

// past is a stored snapshot that reads items only when asked. It is safe for
// concurrent use.
type past struct {
	tx   *store.Tx
	seq  uint64
	info Info

	mu    sync.Mutex
	items map[snapshot.Key]*snapshot.Item
	obs   map[snapshot.System]observed
}

// newPast opens the stored snapshot of that number.
func newPast(tx *store.Tx, seq uint64) (*past, error) {
	p := &past{tx: tx, seq: seq, items: map[snapshot.Key]*snapshot.Item{}, obs: map[snapshot.System]observed{}}
	h, ok, err := tx.Header(seq)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, fmt.Errorf("there is no snapshot #%d", seq)
	}
	return p, json.Unmarshal(h.Body, &p.info)
}

// observed returns the snapshot that last read a system.
func (i *Info) observed(sys snapshot.System, seq uint64) uint64 {
	for _, st := range i.Systems {
		if st.System == sys && st.Status.Listed() {
			return seq
		}
	}
	return i.Reference[sys]
}

// observed returns what a system measured when it was last read.
func (p *past) observed(sys snapshot.System) (observed, error) {
	if o, ok := p.obs[sys]; ok {
		return o, nil
	}
	var o observed
	if at := p.info.observed(sys, p.seq); at > 0 {
		b, err := p.tx.Obs(at, string(sys))
		if err == nil {
			o, err = splitReadings(b)
		}
		if err != nil && !p.tx.Bear(err) {
			return nil, err
		}
	}
	p.obs[sys] = o
	return o, nil
}

// read returns an item that was decoded before, else nil.
func (p *past) read(key snapshot.Key) *snapshot.Item {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.items[key]
}

// readAhead decodes all items of a system, for a collector that will ask for
// them. An item that cannot be read is left to who asks for it. It returns what
// waits for the end.
func (p *past) readAhead(sys snapshot.System) (wait func()) {
	var wg sync.WaitGroup
	wg.Go(func() {
		_ = p.tx.Table(tableItem).Scan(p.seq, string(sys)+"/", func(id string, value []byte, _ uint64) error {
			if p.read(snapshot.Key(id)) != nil { // who asks for it was quicker
				return nil
			}
			_, err := p.decode(snapshot.Key(id), string(value))
			return err
		})
	})
	return wg.Wait
}

// all decodes every item of the snapshot, in key order: one part of them while the
// next is read, and those of each system beside the others.
func (p *past) all() ([]*snapshot.Item, error) {
	bounds := []string{""}
	for _, sys := range snapshot.Systems {
		bounds = append(bounds, string(sys)+"/")
	}
	slices.Sort(bounds)
	ranges := make([]decodings, len(bounds))
	var wg sync.WaitGroup
	for i, from := range bounds {
		until := append(bounds, "")[i+1]
		wg.Go(func() { ranges[i].read(p, from, until) })
	}
	wg.Wait()
	var items []*snapshot.Item
	for _, r := range ranges {
		for _, d := range r.parts {
			if d.err != nil {
				return nil, d.err
			}
			items = append(items, d.items...)
		}
		if r.err != nil {
			return nil, r.err
		}
	}
	return items, nil
}

// Decodings are the parts of a range of items.
type decodings struct {
	parts []*decoding
	err   error
}

// read reads the items from one key on and before another, and decodes them.
func (r *decodings) read(p *past, from, until string) {
	var wg sync.WaitGroup
	last := &decoding{}
	start := func() {
		d := last
		r.parts, last = append(r.parts, d), &decoding{}
		wg.Go(func() { d.run(p) })
	}
	r.err = p.tx.Table(tableItem).ScanLazy(p.seq, from, until, func(id string, value store.Lazy) error {
		last.keys, last.stored = append(last.keys, snapshot.Key(id)), append(last.stored, value)
		if len(last.keys) == decodeAtOnce {
			start()
		}
		return nil
	})
	if len(last.keys) > 0 {
		start()
	}
	wg.Wait()
}

// A decoding is one part of the items of a snapshot.
type decoding struct {
	keys   []snapshot.Key
	stored []store.Lazy
	items  []*snapshot.Item
	err    error
}

func (d *decoding) run(p *past) {
	d.items = make([]*snapshot.Item, 0, len(d.keys))
	by := snapshot.NewDecoder()
	for i, key := range d.keys {
		text, err := d.stored[i].Text()
		var it *snapshot.Item
		if err == nil {
			it, err = by.Item(text)
		}
		if err == nil {
			p.mu.Lock()
			err = p.measured(it)
			p.mu.Unlock()
		}
		if err != nil {
			d.err = fmt.Errorf("item %s: %w", key, err)
			return
		}
		d.items = append(d.items, it)
	}
}

// decodeAtOnce is how many items are one part of the work: fewer than a small
// project has, so that it costs no more than its own decoding.
const decodeAtOnce = 128

// decode makes an item of its stored bytes, once.
func (p *past) decode(key snapshot.Key, stored string) (*snapshot.Item, error) {
	it, err := snapshot.DecodeItem(stored)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if first := p.items[key]; first != nil {
		return first, nil
	}
	if err := p.measured(it); err != nil {
		return nil, err
	}
	p.items[key] = it
	return it, nil
}

// measured adds to an item what was measured of it. The lock is the caller's to hold.
func (p *past) measured(it *snapshot.Item) error {
	obs, err := p.observed(it.System())
	if err != nil {
		return err
	}
	r, err := obs.of(it.Key)
	if err != nil || len(r.Metrics)+len(r.Facts) == 0 {
		return err
	}
	it.Metrics = r.Metrics
	it.Facts.Add(r.Facts...)
	it.Sort()
	return nil
}
