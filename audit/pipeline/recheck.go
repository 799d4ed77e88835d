package pipeline

import (
	"errors"
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

// A Recheck judges stored snapshots by the checks and the configuration of today.
// Nothing is written, and nothing outside of the store is asked. Where rows are
// damaged and the transaction forgives, a snapshot is compared with nothing, as in
// a run without memory.
type Recheck struct {
	Config     *Config
	Collectors []*collect.Collector
	Checks     []*audit.Check
	Now        time.Time
}

// An again is a stored snapshot made ready to be judged anew.
type again struct {
	view   *View
	world  *audit.World
	before *lockedPast
	bytes  *watchful
	old    *snapshot.Snapshot // the one before; nil for the first
	blind  bool               // it is compared with nothing
	bare   error              // why its tree or context is not there, although it was kept
}

// ready loads a snapshot and, if it is not blind, the one before it.
func (r *Recheck) ready(tx *store.Tx, seq uint64, blind bool) (*again, error) {
	s, info, err := LoadSnapshot(tx, seq)
	if err != nil {
		return nil, err
	}
	a := &again{before: &lockedPast{}, bytes: &watchful{stored: stored{tx: tx}}, blind: blind, view: &View{Seq: seq, Info: info, Snapshot: s, trending: trending(r.Checks), known: r.Checks, derived: &snapshot.Derived{Memo: &memo{tx: tx, fresh: map[string]made{}}}}}
	s.Content = a.bytes
	was := uint64(0)
	if !blind {
		if was, err = earlier(tx, seq); err != nil {
			return nil, err
		}
	}
	a.view.alone = was == 0 && seq > 1
	if was > 0 {
		if a.before.past, err = newPast(tx, was); err != nil {
			return nil, err
		}
		if a.old, _, err = LoadSnapshot(tx, was); err != nil {
			return nil, err
		}
		diff := snapshot.Diff(a.old, s, Risks(r.Collectors))
		a.view.Changes, a.view.hidden = audit.Hide(diff, r.Config.Ignore, info.Started)
	}
	a.bare = tx.Exactly(func() error {
		var files []snapshot.File
		if err := row(tx, seq, rowContext, &files); err != nil {
			return err
		}
		_, err := treeAt(tx, seq)
		return err
	})
	a.world = r.Config.world(s)
	if was > 0 {
		a.world.History = newMeasured(tx, was)
	}
	if a.world.Failing, err = failing(tx, s, was); err != nil {
		return nil, err
	}
	a.world.Before, a.world.Changes, a.world.Since, a.world.Gone, a.world.Derived, a.world.All = a.before, a.view.Changes, a.view.since(), info.Gone, a.view.derived, r.Checks
	return a, nil
}

// earlier returns the number of the snapshot before one, 0 when there is none.
func earlier(tx *store.Tx, seq uint64) (was uint64, err error) {
	if seq < 2 {
		return 0, nil
	}
	err = tx.Headers(seq-1, true, func(n uint64, _ store.Header) bool { was = n; return false })
	return was, err
}

// View judges one snapshot as if its run were today's.
func (r *Recheck) View(tx *store.Tx, seq uint64) (v *View, err error) {
	err = tx.Exactly(func() (err error) { v, err = r.view(tx, seq, false); return err })
	if damage := err; tx.Bears(damage) {
		if v, err = r.view(tx, seq, true); err == nil {
			told(tx, damage)
			v.lost, v.unsure = Lost(tx), lostKeys(tx)
		}
	}
	return v, err
}

// told notes damage where a second reading, which needs less, met none.
func told(tx *store.Tx, damage error) {
	if len(tx.Lost()) == 0 {
		tx.Bear(damage)
	}
}

func (r *Recheck) view(tx *store.Tx, seq uint64, blind bool) (*View, error) {
	a, err := r.ready(tx, seq, blind)
	if err != nil {
		return nil, err
	}
	if a.bare != nil { // a check would find what is not so
		return nil, a.bare
	}
	v, info := a.view, a.view.Info
	h, _, err := tx.Header(seq)
	if err != nil {
		return nil, err
	}
	said := &report.Rechecked{At: sec(r.Now), Passed: info.Passed, Version: info.Tool}
	if said.Value = scoreOf(h); said.Value != nil {
		g := audit.Grade(*said.Value)
		said.Grade = &g
	}
	r.Config.note(info)
	info.Delta, info.DeltaSame, info.Regressions = nil, nil, 0
	var old *judged
	var accepted []Acceptance
	mark := audit.Mark{Seq: seq, Run: info.ID, At: info.Started}
	var recs []*audit.Record
	switch p := a.before.past; {
	case blind: // what the run itself said of its findings stands, and no other begins in it
		mark.Seq = 0
		if recs, err = records(tx, seq); err != nil {
			return nil, err
		}
		if accepted, err = Acceptances(tx, seq-1); err != nil {
			return nil, err
		}
	case p != nil:
		if old, err = loadJudged(p); err != nil {
			return nil, err
		}
		if accepted, err = Acceptances(tx, p.seq); err != nil {
			return nil, err
		}
		if v.history, err = history(tx, p.seq); err != nil {
			return nil, err
		}
		if v.compared, err = runIDs(tx, info.Reference); err != nil {
			return nil, err
		}
		recs = old.recs
	}
	a.world.Waivers = slices.DeleteFunc(waivers(Waivers(filesOf(v.Snapshot), v.Snapshot.Content), r.Config, accepted), func(w audit.Waiver) bool {
		return w.Item != "" && w.Problem(info.Started) != "" // its end is too far away from then
	})
	checks := r.Config.checks(r.Checks)
	j := audit.Judge(checks, a.world)
	info.Crashed, info.Doubted = j.Crashed, nil
	if v.findings = audit.Track(recs, j, checks, a.world, mark); blind {
		v.findings = foundNow(v.findings, j)
	}
	v.follow(recs)
	if v.journal, err = journalTail(tx, info.JournalHead); err != nil {
		return nil, err
	}
	v.checks = r.Config.rulesOf(checks)
	v.evaluate()
	if a.old != nil {
		if err := v.against(tx, old, a.old.Items, mark); err != nil {
			return nil, err
		}
	}
	v.gate()
	v.rechecked = said
	return v, a.failed()
}

// failed is the first thing that could not be read.
func (a *again) failed() error {
	if a.bytes.err != nil {
		return a.bytes.err
	}
	if past, ok := a.world.History.(*measured); ok && past.err != nil {
		return past.err
	}
	return a.before.err
}

// A watchful content notes what of the bytes that a check asks for is damaged: to the
// check itself they are as if they had not been kept.
type watchful struct {
	stored
	mu   sync.Mutex
	lost bool  // some of it is, and the transaction forgives
	err  error // the first damage, where it does not
}

func (w *watchful) Bytes(sum string) ([]byte, error) {
	b, err := w.stored.Bytes(sum)
	var bad *store.CorruptError
	if !errors.As(err, &bad) {
		return b, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.tx.Bear(err) {
		w.lost = true
	} else if w.err == nil {
		w.err = err
	}
	return b, err
}

// filesOf returns the files of a snapshot, each once, in order of their paths.
func filesOf(s *snapshot.Snapshot) []snapshot.File {
	out := slices.Clone(s.Context)
	for _, it := range s.Items {
		out = append(out, it.Files...)
	}
	out = slices.DeleteFunc(out, func(f snapshot.File) bool { return f.SHA256 == "" })
	return uniqueFiles(out)
}

// A Verdict says whether a finding is in a snapshot by the check of today.
type Verdict struct {
	Seq   uint64
	Found bool
	Why   string // why nobody can tell; empty: it is known
	Info  *Info
	Item  *snapshot.Item // nil: it was not there
	What  audit.Finding  // of those found the first
}

// Ask judges one item of a snapshot by one check.
func (r *Recheck) Ask(tx *store.Tx, seq uint64, check *audit.Check, key snapshot.Key) (v Verdict, err error) {
	err = tx.Exactly(func() (err error) { v, err = r.askOnce(tx, seq, check, key, false); return err })
	if damage := err; tx.Bears(damage) {
		if v, err = r.askOnce(tx, seq, check, key, true); err == nil {
			told(tx, damage)
		}
	}
	return v, err
}

func (r *Recheck) askOnce(tx *store.Tx, seq uint64, check *audit.Check, key snapshot.Key, blind bool) (Verdict, error) {
	a, err := r.ready(tx, seq, blind)
	if err != nil {
		return Verdict{}, err
	}
	v := Verdict{Seq: seq, Info: a.view.Info, Item: a.view.Snapshot.Item(key)}
	switch st := a.view.Snapshot.System(key.System()); {
	case v.Item == nil && key.System() != snapshot.Auditor && !st.Status.Listed():
		v.Why = "its system was not read"
	case v.Item != nil && v.Item.Carried:
		v.Why = a.view.whyCarried(v.Item)
	case a.bare != nil && !tx.Bears(a.bare):
		return v, a.bare
	case a.bare != nil:
		v.Why = lostInStore
	}
	if v.Why != "" {
		return v, nil
	}
	j := audit.Judge([]*audit.Check{check}, a.world)
	for _, f := range j.Findings {
		if f.Item == key && !v.Found {
			v.Found, v.What = true, f
		}
	}
	switch {
	case a.failed() != nil:
		return v, a.failed()
	case a.bytes.lost: // it may find by what is lost, or because it is
		v.Found, v.What, v.Why = false, audit.Finding{}, lostInStore
	case v.Found:
	case len(j.Crashed) > 0:
		v.Why = "the check stopped: " + j.Crashed[0].What
	case j.Blind[audit.Sight{Check: check.ID, Item: key}]:
		v.Why = "the check could not look"
	case len(j.Doubts) > 0 && j.Doubts[audit.FindingID(key.System(), key, check.ID, "")]:
		v.Why = "the check could not look"
	case v.Item != nil && v.Item.Unknown != "":
		v.Why = v.Item.Unknown
	case blind && !check.Still: // it may find by what is lost
		v.Why = lostInStore
	}
	return v, nil
}

// lostInStore is why nobody can tell.
const lostInStore = "what it needs is damaged in the store"

// snapshots returns the numbers of all that are kept, oldest first.
func snapshots(tx *store.Tx) (out []uint64, err error) {
	err = tx.Headers(0, false, func(seq uint64, _ store.Header) bool { out = append(out, seq); return true })
	return out, err
}

// NotThereError says that there is nothing to look for the beginning of.
type NotThereError struct {
	Check string
	Item  snapshot.Key
	Seq   uint64
}

func (e *NotThereError) Error() string {
	return fmt.Sprintf("%s finds nothing on %s in snapshot #%d, the newest that can tell", e.Check, e.Item, e.Seq)
}
