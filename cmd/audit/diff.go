package main

import (
	"cmp"
	"time"

	"healthaudit/audit"
	"healthaudit/audit/pipeline"
	"healthaudit/report"
	"healthaudit/snapshot"
	"healthaudit/snapshot/collect/all"
	"healthaudit/snapshot/store"
)

type diffCmd struct {
	listing
	Old   string `arg:"" optional:"" help:"The earlier snapshot (default previous)."`
	New   string `arg:"" optional:"" help:"The later snapshot (default latest)."`
	All   bool   `help:"Show also what ignore rules of audit.yaml hide."`
	Patch bool   `help:"Add text diffs of the files, without what may be a secret."`
}

// Run prints the semantic changes and exits 0 when there are none, 1 when there are.
func (c *diffCmd) Run(a *App) error {
	if c.Old == "" {
		c.Old = "previous"
	}
	code := exitOK
	err := a.reading(func(s *settings, tx *store.Tx) error {
		was, err := find(tx, c.Old, a.Now())
		if err != nil {
			return err
		}
		now, err := find(tx, c.New, a.Now())
		if err != nil {
			return err
		}
		rules := s.pipeline.Ignore
		if c.All {
			rules = nil
		}
		if !c.Patch { // what is a secret anywhere is masked everywhere: of all that there is
			tx.Forgive()
		}
		view, err := compare(tx, was, now, ignoring{rules, a.Now()}, c.Patch)
		if err != nil {
			return err
		}
		if len(view.Changes) > 0 {
			code = exitGate
		}
		partly := pipeline.Whole(tx)
		return cmp.Or(show(a, c.listing, partlyCode(partly, code), view, report.Diff), partly)
	})
	if err == nil && code != exitOK {
		return exitCode(code)
	}
	return err
}

// ignoring is what changes are not told, and when that is asked.
type ignoring struct {
	rules []audit.Ignore
	at    time.Time
}

func compare(tx *store.Tx, was, now uint64, hide ignoring, patch bool) (report.DiffView, error) {
	load := pipeline.LoadPair
	if patch { // what is a secret anywhere is masked everywhere
		load = loadBoth
	}
	old, cur, oi, ci, err := load(tx, was, now)
	if err != nil {
		return report.DiffView{}, err
	}
	v := report.DiffView{Old: ref(was, oi), New: ref(now, ci), NotCompared: []report.NotCompared{}, Patches: []report.Patch{}}
	changes, hidden := audit.Hide(snapshot.Diff(old, cur, pipeline.Risks(all.Collectors)), hide.rules, hide.at)
	by, err := pipeline.RemovedBy(tx, was, now)
	if err != nil {
		return report.DiffView{}, err
	}
	v.Changes, v.Ignored, v.IgnoreRules = pipeline.Committed(pipeline.DocumentChanges(changes), by), hidden.Changes, hidden.Rules
	for _, st := range cur.Systems {
		if !st.Status.Listed() {
			v.NotCompared = append(v.NotCompared, report.NotCompared{System: string(st.System), Reason: st.Reason})
		}
	}
	for _, e := range pipeline.Lost(tx) {
		v.NotCompared = append(v.NotCompared, report.NotCompared{System: e.System, Reason: e.Message})
	}
	if patch {
		v.Patches = patches(old, cur)
	}
	return v, nil
}

func loadBoth(tx *store.Tx, was, now uint64) (old, cur *snapshot.Snapshot, oi, ci *pipeline.Info, err error) {
	if old, oi, err = pipeline.LoadSnapshot(tx, was); err == nil {
		cur, ci, err = pipeline.LoadSnapshot(tx, now)
	}
	return old, cur, oi, ci, err
}

func ref(seq uint64, i *pipeline.Info) report.SnapshotRef {
	return report.SnapshotRef{Seq: seq, ID: i.ID, At: i.Started.UTC().Truncate(time.Second)}
}
