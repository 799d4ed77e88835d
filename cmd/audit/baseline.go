package main

import (
	"fmt"

	"healthaudit/audit/pipeline"
	"healthaudit/report"
	"healthaudit/rules"
	"healthaudit/snapshot/store"
)

type baselineSetCmd struct {
	Snapshot string `arg:"" optional:"" help:"Which one: latest (default), previous, latest~2, #7, 2026-11-23, 12h, start of an id."`
}

// Run pins a snapshot: what is open in it is no news from then on.
func (c *baselineSetCmd) Run(a *App) error {
	var said string
	err := a.changing(func(tx *store.Tx, by rules.Actor) ([]rules.Entry, error) {
		seq, err := find(tx, c.Snapshot, a.Now())
		if err != nil {
			return nil, err
		}
		p, err := pipeline.Pin(tx, seq, who(by, "baseline set"))
		if err != nil {
			return nil, err
		}
		s, err := p.BeforeAfter(tx)
		if err != nil {
			return nil, err
		}
		what := fmt.Sprintf("snapshot %s is the baseline, with %s", pinned(p), counted(len(s.Then), "open finding"))
		said = what + "\nFrom the next run on --new and --fail-on new are about what is not in it.\n"
		return []rules.Entry{{Command: "baseline set", What: what}}, nil
	})
	return a.say(said, err)
}

type baselineClearCmd struct{}

// Run forgets the baseline.
func (c *baselineClearCmd) Run(a *App) error {
	var said string
	err := a.changing(func(tx *store.Tx, _ rules.Actor) ([]rules.Entry, error) {
		p, err := pipeline.Baseline(tx)
		if err != nil {
			return nil, err
		}
		if p == nil {
			return nil, noBaseline()
		}
		said = fmt.Sprintf("snapshot %s is no longer the baseline\n", pinned(p))
		return []rules.Entry{{Command: "baseline clear", What: said[:len(said)-1]}}, pipeline.Unpin(tx)
	})
	return a.say(said, err)
}

type baselineShowCmd struct {
	listing
}

// Run shows what is pinned, and how things are beside it.
func (c *baselineShowCmd) Run(a *App) error {
	return a.reading(func(_ *settings, tx *store.Tx) error {
		p, err := pipeline.Baseline(tx)
		if err != nil {
			return err
		}
		if p == nil {
			return noBaseline()
		}
		s, err := p.BeforeAfter(tx)
		if err != nil {
			return err
		}
		return show(a, c.listing, exitOK, report.BaselineView{Snapshot: pinned(p), By: p.By, Newest: s.Newest,
			Then: len(s.Then), Still: brief(s.Still), Since: brief(s.Since)}, report.Baseline)
	})
}

func noBaseline() error {
	return &usageError{"no baseline is pinned", "audit baseline set pins the newest snapshot"}
}

func pinned(p *pipeline.Pinned) report.SnapshotRef {
	return report.SnapshotRef{Seq: p.Seq, ID: p.Run, At: p.At}
}

// say prints what a command did, unless it failed or is to be quiet.
func (a *App) say(what string, err error) error {
	if err != nil || a.Quiet {
		return err
	}
	_, err = fmt.Fprint(a.Stdout, what)
	return err
}
