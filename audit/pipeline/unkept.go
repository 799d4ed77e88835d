package pipeline

import (
	"cmp"
	"context"
	"slices"
	"time"

	"healthaudit/audit"
	"healthaudit/report"
	"healthaudit/snapshot"
	"healthaudit/snapshot/store"
)

// An UnkeptError says that the store is damaged where the run needed it: what there
// is was looked at and judged, held against nothing, and nothing of it was kept.
type UnkeptError struct {
	Damage *store.CorruptError
	Since  time.Time // when a run first found that; zero: this one
}

func (e *UnkeptError) Error() string {
	since := ""
	if !e.Since.IsZero() {
		since = ", as runs found since " + e.Since.UTC().Format("2006-01-02 15:04") + " UTC"
	}
	return e.Damage.Error() + since + ": this run looked at everything anew, compared it with nothing, and kept nothing"
}

func (e *UnkeptError) Unwrap() error { return e.Damage }

// A lostPast is what of a damaged store a run that cannot remember may still ask:
// since when findings are known, and which a person accepted. What of that is
// damaged is not there.
type lostPast struct {
	damage   *store.CorruptError
	key      []byte
	recs     []*audit.Record
	accepted []Acceptance
}

// spared reads that. Where more than single rows are damaged nothing is asked.
func spared(path string, damage *store.CorruptError) *lostPast {
	p := &lostPast{damage: damage}
	if damage.Row() == nil {
		return p
	}
	st, err := store.Open(path, store.Options{ReadOnly: true, Wait: 10 * time.Second})
	if err != nil {
		return p
	}
	defer st.Close()
	p.key = st.Key()
	_ = st.View(func(tx *store.Tx) error { // what is read before an error stands
		tx.Forgive()
		recs, err := records(tx, tx.Seq())
		if err != nil {
			return err
		}
		p.recs = recs
		p.accepted, err = Acceptances(tx, tx.Seq())
		return err
	})
	return p
}

// unkept is the run of somebody who lost their memory: a watch that stops because an
// old row is damaged would not be missed by anybody. It sees and judges what there
// is. It compares with nothing, so that no loss reads as new, gone, worse or mended;
// no rule acts and no archive is made. Nothing is written to the store that tells of a
// run; bytes of files, which are known by their content, may be there already.
func (s *session) unkept(ctx context.Context, damage *store.CorruptError) (*report.Document, error) {
	r := *s.Runner
	r.Recovery, r.Rules = "off", nil
	n := &session{Runner: &r, started: s.started, lost: spared(s.Store, damage)}
	n.foreign.Failed = slices.DeleteFunc(s.foreign.Failed, func(f audit.Failed) bool { return f.Kind != "hook" }) // the programs are asked again, those before a run are not
	defer n.close()
	v, err := n.see(ctx, n.openNothing)
	if err != nil {
		return nil, err
	}
	return n.tellUnkept(ctx, v)
}

// openNothing is open without a store.
func (s *session) openNothing() (err error) {
	s.before = &lockedPast{}
	s.info = s.about()
	s.key = []byte(s.info.ID)
	if s.lost != nil && len(s.lost.key) > 0 {
		s.key = s.lost.key
	}
	s.memo = &memo{fresh: map[string]made{}}
	s.stage, err = newStage("")
	return err
}

func (s *session) tellUnkept(ctx context.Context, v *View) (*report.Document, error) {
	s.info.Finished, s.info.Exit = s.Host.Now().UTC().Round(0), report.ExitDamaged
	e := &UnkeptError{Damage: s.lost.damage}
	if was, err := ReadUnkept(s.Store); err == nil {
		e.Since = was.Since
	}
	what := "the store is damaged: " + shortWords(s.lost.damage)
	v.lost = append(v.lost, report.Error{System: string(snapshot.Auditor), Source: "store",
		Message: what + "; this run compared with nothing and kept nothing: what is new, changed or gone is not known",
		Hint:    "audit store verify --repair saves what is whole; runs compare and are kept again after that"})
	var d *report.Document
	if s.Summary {
		d = v.Summary(s.Version)
	} else {
		d = v.Document(s.Version)
	}
	d.Run.Seq, d.Score.History[len(d.Score.History)-1].Seq = 0, 0 // there is no snapshot of that number
	if !s.Ephemeral {
		if err := s.noteUnkept(cmp.Or(e.Since, s.started), shortWords(s.lost.damage)); err != nil {
			d.Errors = append(d.Errors, report.Error{System: string(snapshot.Auditor), Source: unkeptName, Message: err.Error(), Hint: "audit check-alive and audit status read it: let the user who runs audit write beside the store"})
		}
	}
	s.tell(ctx, d)
	return d, e
}

// foundNow are the findings of a run that cannot remember: those that it found, none
// of them new.
func foundNow(list []audit.Tracked, j audit.Judgement) []audit.Tracked {
	found := map[string]bool{}
	for _, f := range j.Findings {
		found[f.ID] = true
	}
	return slices.DeleteFunc(list, func(t audit.Tracked) bool { return !found[t.ID] })
}
