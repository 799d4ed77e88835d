package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"healthaudit/audit"
	"healthaudit/audit/check/custom"
	"healthaudit/audit/pipeline"
	"healthaudit/report"
	"healthaudit/snapshot"
	"healthaudit/snapshot/collect/all"
	"healthaudit/snapshot/store"
)

type bisectCmd struct {
	listing
	Check string `arg:"" help:"The check, the word in brackets of the report."`
	Item  string `arg:"" help:"Key of the item, as reports name it."`
}

// Run says between which snapshots, and commits, a finding began.
func (c *bisectCmd) Run(a *App) error {
	checks, err := a.catalogue()
	if err != nil {
		return err
	}
	i := slices.IndexFunc(checks, func(k *audit.Check) bool { return k.ID == c.Check })
	if i < 0 {
		hint := "audit check list has the names"
		if near := nearestName(c.Check, idsOf(checks)); near != "" {
			hint = "did you mean " + near + "?"
		}
		return &usageError{fmt.Sprintf("there is no check %q", c.Check), hint}
	}
	if strings.HasPrefix(c.Check, custom.PluginPrefix) {
		return &usageError{c.Check + " is found by a plugin, which cannot be asked about stored snapshots", "audit history shows when it was found"}
	}
	if checks[i].Last {
		return &usageError{c.Check + " is about waivers, which are not kept with snapshots", "audit history shows when it was found"}
	}
	return a.reading(func(s *settings, tx *store.Tx) error {
		key := snapshot.Key(c.Item)
		if _, err := find(tx, "latest", a.Now()); err != nil {
			return err
		}
		if pseudo := snapshot.Key(c.Item + "/(system)"); pseudo.IsPseudo() && key.System() == "" {
			key = pseudo
		}
		tx.Forgive()
		r := &pipeline.Recheck{Config: &s.pipeline, Collectors: all.Collectors, Checks: checks, Now: a.Now()}
		b, err := r.Bisect(a.ctx, tx, checks[i], key)
		var none *pipeline.NotThereError
		partly := pipeline.Whole(tx)
		if errors.As(err, &none) && partly != nil {
			return &failure{exitDamaged, fmt.Errorf("%w; and %w", err, partly), "audit store verify --repair drops what is lost and keeps the damaged file; audit history " + c.Item + " shows what was found on it, and when"}
		}
		if errors.As(err, &none) {
			return &usageError{err.Error(), "audit history " + c.Item + " shows what was found on it, and when"}
		}
		if err != nil {
			return err
		}
		return showPartly(a, c.listing, tx, bisectView(c.Check, key, b), report.Bisect)
	})
}

func bisectView(id string, key snapshot.Key, b *pipeline.Bisection) report.BisectView {
	f := b.First.What
	v := report.BisectView{Check: id, Item: string(key), First: bisectPoint(b.First), Snapshots: b.Snapshots, Skipped: []report.BisectPoint{},
		Tested: []report.BisectPoint{}, Contrary: []report.BisectPoint{}, Facts: []report.FactChange{}, Files: []string{},
		Finding: report.FindingShort{ID: f.ID, Check: f.Check, Severity: f.Severity.String(), Item: string(f.Item), Title: f.Title, Message: f.Message}}
	if it := b.First.Item; it != nil {
		v.Path = it.Path
	}
	if b.Before != nil {
		p := bisectPoint(*b.Before)
		v.Before = &p
		if b.Before.Item != nil && b.First.Item != nil {
			if ch := snapshot.Compare(b.Before.Item, b.First.Item, true, pipeline.Risks(all.Collectors)(key.System())); ch != nil {
				d := pipeline.DocumentChanges([]snapshot.Change{*ch})[0]
				v.Facts, v.Files = d.Facts, d.Files
			}
		}
	}
	for from, to := range map[*[]pipeline.Verdict]*[]report.BisectPoint{&b.Skipped: &v.Skipped, &b.Tested: &v.Tested, &b.Contrary: &v.Contrary} {
		for _, x := range *from {
			*to = append(*to, bisectPoint(x))
		}
	}
	return v
}

func bisectPoint(v pipeline.Verdict) report.BisectPoint {
	p := report.BisectPoint{Snapshot: ref(v.Seq, v.Info), Verdict: "clean", Why: v.Why}
	switch {
	case v.Why != "":
		p.Verdict = "unknown"
	case v.Found:
		p.Verdict = "found"
	case v.Item == nil:
		p.Verdict = "absent"
	}
	if g := v.Info.Git; g != nil {
		p.Commit, p.Dirty = g.Commit, g.Dirty
	}
	return p
}
