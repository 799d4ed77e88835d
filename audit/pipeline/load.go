package pipeline

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"

	"healthaudit/audit"
	"healthaudit/report"
	"healthaudit/snapshot"
	"healthaudit/snapshot/collect"
	"healthaudit/snapshot/store"
)

// HistoryLength is the number of scores a document carries.
const HistoryLength = 30

// judged is what the reference says of findings and scores.
type judged struct {
	recs        []*audit.Record // resolved ones too
	open        []audit.Tracked
	worst       map[snapshot.Key]audit.Severity
	regressions []*audit.Regression // open ones
	checks      map[string]string   // id → rule
	gone        []audit.Gone
	deleted     deletions               // what git says since
	accepted    map[snapshot.Key]uint64 // removals that a person accepted, and in which snapshot
	ref         report.SnapshotRef
	score       *float64
	scope       []string
	marks       map[snapshot.System]audit.Mark // the snapshot that last read each system
	judged      map[snapshot.Key]uint64        // of items that could not be judged, the snapshot in which they last could
	markOf      map[uint64]audit.Mark          // the marks of those snapshots
	tools       map[snapshot.System]string     // the version that last read each system
	flapping    map[snapshot.Key]float64       // see Info.Flapping
}

func (j *judged) records() []*audit.Record {
	if j == nil {
		return nil
	}
	return j.recs
}

func loadJudged(p *past) (*judged, error) {
	j := &judged{checks: map[string]string{}, gone: p.info.Gone, scope: scope(p.info.Systems), marks: map[snapshot.System]audit.Mark{}, accepted: map[snapshot.Key]uint64{}, tools: map[snapshot.System]string{}, flapping: p.info.Flapping}
	var err error
	if j.recs, err = records(p.tx, p.seq); err != nil {
		return nil, err
	}
	for _, r := range j.recs {
		if r.Open() && !slices.Contains(p.info.ChecksOff, r.Check) {
			j.open = append(j.open, audit.Tracked{Record: r})
		}
	}
	j.worst = audit.Worst(j.open)
	if j.regressions, err = regressions(p.tx, p.seq); err != nil {
		return nil, err
	}
	if err := row(p.tx, p.seq, rowChecks, &j.checks); err != nil {
		return nil, err
	}
	h, _, err := p.tx.Header(p.seq)
	if err != nil {
		return nil, err
	}
	j.ref = report.SnapshotRef{Seq: p.seq, ID: h.ID, At: sec(h.At)}
	if h.Score >= 0 {
		v := float64(h.Score) / 100
		j.score = &v
	}
	for _, sys := range snapshot.Systems {
		seq := p.info.observed(sys, p.seq)
		if seq == 0 {
			seq = p.seq
		}
		h, ok, err := p.tx.Header(seq)
		if err != nil {
			return nil, err
		}
		if ok {
			j.marks[sys] = audit.Mark{Seq: seq, Run: h.ID, At: h.At}
			if j.tools[sys] = p.info.Tool; seq != p.seq {
				var i Info
				if err := json.Unmarshal(h.Body, &i); err != nil {
					return nil, err
				}
				j.tools[sys] = i.Tool
			}
		}
	}
	j.judged, j.markOf = p.info.Judged, map[uint64]audit.Mark{}
	for _, seq := range j.judged {
		if _, ok := j.markOf[seq]; ok {
			continue
		}
		if h, ok, err := p.tx.Header(seq); err != nil {
			return nil, err
		} else if ok {
			j.markOf[seq] = audit.Mark{Seq: seq, Run: h.ID, At: h.At}
		}
	}
	return j, acceptedRemovals(p.tx, j.accepted)
}

// records reads the findings of a snapshot, resolved ones included, in report order.
func records(tx *store.Tx, seq uint64) (out []*audit.Record, err error) {
	err = tx.Table(tableFinding).Scan(seq, "", func(id string, value []byte, _ uint64) error {
		r := &audit.Record{}
		if err := json.Unmarshal(value, r); err != nil {
			return fmt.Errorf("finding %.12s: %w", id, err)
		}
		out = append(out, r)
		return nil
	})
	return out, err
}

func regressions(tx *store.Tx, seq uint64) (out []*audit.Regression, err error) {
	err = tx.Table(tableRegression).Scan(seq, "", func(id string, value []byte, _ uint64) error {
		r := &audit.Regression{}
		if err := json.Unmarshal(value, r); err != nil {
			return fmt.Errorf("regression %s: %w", id, err)
		}
		if r.Closed == nil {
			out = append(out, r)
		}
		return nil
	})
	slices.SortFunc(out, func(a, b *audit.Regression) int {
		return strings.Compare(string(a.Item)+" "+a.Code, string(b.Item)+" "+b.Code)
	})
	return out, err
}

// row reads one row of the state table; a missing one leaves v as it is.
func row(tx *store.Tx, seq uint64, name string, v any) error {
	b, _, ok, err := tx.Table(tableState).At(seq, name)
	if tx.Bear(err) {
		return nil
	}
	if err != nil || !ok {
		return err
	}
	if err := json.Unmarshal(b, v); err != nil {
		return fmt.Errorf("the %s of snapshot #%d: %w", name, seq, err)
	}
	return nil
}

// LoadSnapshot reads a stored snapshot whole. The transaction must outlive it.
func LoadSnapshot(tx *store.Tx, seq uint64) (*snapshot.Snapshot, *Info, error) {
	p, err := newPast(tx, seq)
	if err != nil {
		return nil, nil, err
	}
	s := &snapshot.Snapshot{Seq: seq, ID: p.info.ID, At: p.info.Started, Systems: p.info.Systems, Content: stored{tx: tx}}
	var wg sync.WaitGroup
	var treeErr error
	wg.Go(func() { s.Tree, treeErr = treeAt(tx, seq) })
	s.Items, err = p.all()
	wg.Wait()
	if err := cmp.Or(err, treeErr); err != nil {
		return nil, nil, err
	}
	s.Items = append(s.Items, lostItems(tx, seq)...)
	for _, it := range s.Items {
		_, kept := slices.BinarySearch(p.info.Kept, it.Key)
		it.Carried = kept || s.Unread(it)
	}
	if err := row(tx, seq, rowContext, &s.Context); err != nil {
		return nil, nil, err
	}
	s.Sort()
	return s, &p.info, nil
}

// treeAt reads the project tree of a snapshot.
func treeAt(tx *store.Tx, seq uint64) (*snapshot.Tree, error) {
	var sum string
	if err := row(tx, seq, rowTree, &sum); err != nil || sum == "" {
		return snapshot.NewTree(false, nil), err
	}
	b, err := tx.Blob(sum)
	if tx.Bear(err) {
		return snapshot.NewTree(false, nil), nil
	}
	if err != nil {
		return nil, err
	}
	return snapshot.DecodeTree(b)
}

// Load reads a stored run whole, as it was judged then.
func Load(tx *store.Tx, seq uint64, collectors []*collect.Collector, checks []*audit.Check) (*View, error) {
	s, info, err := LoadSnapshot(tx, seq)
	if err != nil {
		return nil, err
	}
	v := &View{Seq: seq, Info: info, Snapshot: s, known: checks, derived: &snapshot.Derived{Memo: &memo{tx: tx, fresh: map[string]made{}}}}
	recs, err := records(tx, seq)
	if err != nil {
		return nil, err
	}
	c := &Config{ChecksOff: info.ChecksOff}
	w := &audit.World{Now: s, Gone: info.Gone, Off: info.ChecksOff}
	v.findings = audit.Saved(recs, seq, c.checks(checks), w, info.Crashed, info.Doubted)
	v.follow(recs)
	if v.Regressions, err = regressions(tx, seq); err != nil {
		return nil, err
	}
	if v.journal, err = journalTail(tx, info.JournalHead); err != nil {
		return nil, err
	}
	if err := v.loadPast(tx, Risks(collectors)); err != nil {
		return nil, err
	}
	if v.recovered, err = loadRecovered(tx, seq); err != nil {
		return nil, err
	}
	v.evaluate()
	return v, v.lacks(tx)
}

// loadPast reads what the snapshot is held against.
func (v *View) loadPast(tx *store.Tx, risks func(snapshot.System) snapshot.RiskFunc) error {
	var before uint64
	err := tx.Exactly(func() (err error) { before, err = Before(tx, v.Seq); return err })
	unknown := tx.Bear(err)
	if err != nil && !unknown {
		return err
	}
	v.alone = before == 0 && v.Seq > 1
	if v.before, err = scoredBefore(tx, v.Seq); err != nil {
		return err
	}
	if before > 0 {
		old, err := itemsBefore(tx, v.Snapshot, before)
		if err != nil {
			return err
		}
		now := *v.Snapshot
		now.Items = notLost(tx, now.Items)
		old.Items = notLost(tx, old.Items)
		v.Changes, v.hidden = audit.Hide(snapshot.Diff(old, &now, risks), v.Info.Ignore, v.Info.Started)
	}
	v.unsure = lostKeys(tx)
	if before == 0 && !unknown {
		return nil
	}
	if v.history, err = history(tx, v.Seq-1); err != nil {
		return err
	}
	v.compared, err = runIDs(tx, v.Info.Reference)
	return err
}

// references returns the snapshot that last read each system.
func references(i *Info, seq uint64) map[snapshot.System]uint64 {
	m := map[snapshot.System]uint64{}
	for _, sys := range snapshot.Systems {
		if at := i.observed(sys, seq); at > 0 {
			m[sys] = at
		}
	}
	return m
}

func runIDs(tx *store.Tx, refs map[snapshot.System]uint64) (map[snapshot.System]string, error) {
	m := map[snapshot.System]string{}
	for sys, seq := range refs {
		h, ok, err := tx.Header(seq)
		if tx.Bear(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if ok {
			m[sys] = h.ID
		}
	}
	return m, nil
}

// history returns the scores up to and including that snapshot, oldest first.
func history(tx *store.Tx, upto uint64) ([]report.ScorePoint, error) {
	var out []report.ScorePoint
	err := tx.Heads(upto, true, func(seq uint64, h store.Header) bool {
		out = append(out, report.ScorePoint{Seq: seq, At: h.At.UTC(), Value: scoreOf(h), Run: h.ID})
		return len(out) < HistoryLength-1
	})
	slices.Reverse(out)
	return out, err
}

func scoreOf(h store.Header) *float64 {
	if h.Score < 0 {
		return nil
	}
	v := round(float64(h.Score)/100, 10)
	return &v
}
