package pipeline

import (
	"math"

	"healthaudit/audit"
	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/refs"
)

// judge makes the view of the run from what was seen.
func (s *session) judge() (*View, error) {
	s.info.Systems = s.snap.Systems
	s.Config.note(&s.info)
	s.info.Every = s.Config.Every
	checks := s.Config.checks(s.Checks)
	v := &View{Seq: 1, Info: &s.info, Snapshot: s.snap, derived: s.derived, trending: trending(checks), recovered: s.recovered, known: s.Checks, alone: s.lost != nil}
	var old *judged
	var err error
	if s.lost != nil {
		v.Seq = math.MaxUint64 // which no snapshot has: nothing begins in this run, nor ends
	}
	if s.past != nil {
		if old, err = s.recall(v); err != nil {
			return nil, err
		}
	}
	s.info.Gone, err = missing(s.Config.Plugins.kept(s.cmp.lost(v.Changes)), old, s.snap, v.Seq, func() (*snapshot.Tree, error) { return treeAt(s.tx, s.past.seq) })
	if err != nil {
		return nil, err
	}
	s.info.Removed = removedBy(v.Changes, s.cmp.gone, s.gone)
	s.info.Judged = s.lastJudged()
	s.info.Doubted, s.info.ArchiveFailed = nil, ""
	if s.unmade != nil {
		s.info.ArchiveFailed = s.unmade.Error()
	}
	w, err := s.world(v)
	if err != nil {
		return nil, err
	}
	j, err := s.ask(checks, w)
	if err != nil {
		return nil, err
	}
	if s.before.err != nil {
		return nil, s.before.err
	}
	if past, ok := w.History.(*measured); ok && past.err != nil {
		return nil, past.err
	}
	s.info.Crashed = j.Crashed
	mark := audit.Mark{Seq: v.Seq, Run: s.info.ID, At: s.started}
	recs := old.records()
	if s.lost != nil {
		recs, mark.Seq = s.lost.recs, 0
	}
	if v.findings = audit.Track(recs, j, checks, w, mark); s.lost != nil {
		v.findings = foundNow(v.findings, j)
	}
	for _, t := range v.findings {
		if t.Carried && j.Doubted(t.Record) {
			s.info.Doubted = append(s.info.Doubted, t.ID)
		}
	}
	v.follow(recs)
	v.checks = s.Config.rulesOf(checks)
	v.evaluate()
	if err := v.against(s.tx, old, s.cmp.old, mark); err != nil {
		return nil, err
	}
	if s.tx != nil {
		if s.info.JournalHead, err = journalHead(s.tx); err != nil {
			return nil, err
		}
		if !s.Summary {
			if v.journal, err = journalTail(s.tx, s.info.JournalHead); err != nil {
				return nil, err
			}
		}
	}
	v.gate()
	if !s.Summary {
		refs.NewTable(s.snap, s.derived) // while the store is open: the document asks it after that
	}
	if err := s.damaged(); err != nil {
		return nil, err
	}
	return v, nil
}

// ask has the checks judge, of those that are Still only the ones of which is not
// known what they find.
func (s *session) ask(checks []*audit.Check, w *audit.World) (audit.Judgement, error) {
	world, err := s.stillWorld(checks)
	if err != nil {
		return audit.Judgement{}, err
	}
	w.Known = s.found(world)
	j := audit.Judge(checks, w)
	if len(j.Still) > len(w.Known) {
		s.keepFound(world, j.Still)
	}
	return j, nil
}

// recall holds the run against what is remembered.
func (s *session) recall(v *View) (*judged, error) {
	v.Seq = s.past.seq + 1
	s.info.Reference = references(&s.past.info, s.past.seq)
	old, err := loadJudged(s.past)
	if err != nil {
		return nil, err
	}
	old.deleted = s.gone
	diff := snapshot.Diff(&snapshot.Snapshot{Systems: s.past.info.Systems, Items: s.cmp.old}, s.snap, Risks(s.Collectors))
	v.Changes, v.hidden = audit.Hide(diff, s.info.Ignore, s.started)
	if s.info.Baseline, err = Baseline(s.tx); err != nil {
		return nil, err
	}
	if v.history, err = history(s.tx, s.past.seq); err != nil {
		return nil, err
	}
	v.compared, err = runIDs(s.tx, s.info.Reference)
	return old, err
}

// world is what the checks of the run see.
func (s *session) world(v *View) (*audit.World, error) {
	self, err := s.watch()
	if err != nil {
		return nil, err
	}
	w := s.Config.world(s.snap)
	w.Backups, w.Recovery = s.seen(), s.standing
	w.Foreign = &s.foreign
	var accepted []Acceptance
	before := uint64(0)
	if s.past != nil {
		before = s.past.seq
		w.History = newMeasured(s.tx, before)
		if accepted, err = Acceptances(s.tx, s.past.seq); err != nil {
			return nil, err
		}
	} else if s.lost != nil {
		accepted = s.lost.accepted
	}
	if w.Failing, err = failing(s.tx, s.snap, before); err != nil {
		return nil, err
	}
	w.Before, w.Changes, w.Since, w.Gone, w.Derived, w.Self, w.All = s.before, v.Changes, v.since(), s.info.Gone, s.derived, self, s.Checks
	w.Waivers = waivers(Waivers(s.capture.Waiving(), s.snap.Content), s.Config, accepted)
	return w, nil
}

// note puts the configuration into what a run says of itself.
func (c *Config) note(i *Info) {
	i.FailOn, i.FailUnder, i.Weights, i.Criticality, i.ChecksOff, i.Ignore = c.FailOn, c.FailUnder, c.Weights, c.Criticality, c.ChecksOff, c.Ignore
	if i.FailOn == nil {
		i.FailOn = DefaultFailOn
	}
}

// world is what the configuration says to the checks that judge a snapshot.
func (c *Config) world(now *snapshot.Snapshot) *audit.World {
	return &audit.World{Now: now, Limits: c.Limits, Severity: c.Severity, Ignores: c.Ignore, Expect: c.Expect, Off: c.ChecksOff}
}
