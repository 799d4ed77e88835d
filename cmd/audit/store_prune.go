package main

import (
	"fmt"
	"time"

	"healthaudit/audit/pipeline"
	"healthaudit/report"
	"healthaudit/snapshot/store"
)

type storePruneCmd struct {
	listing
	DryRun bool `help:"Say what would go and why the rest is kept, and change nothing."`
}

// Run prunes by the retention of audit.yaml.
func (c *storePruneCmd) Run(a *App) error {
	var v report.PruneView
	err := a.maintaining(func(ch *change) error {
		st, err := store.Open(a.Store, store.Options{Wait: storeWait, ReadOnly: c.DryRun})
		if err != nil {
			return err
		}
		defer st.Close()
		v, err = c.prune(a, ch, st)
		return err
	})
	if err != nil {
		return err
	}
	return show(a, c.listing, exitOK, v, report.Prune)
}

func (c *storePruneCmd) prune(a *App, ch *change, st *store.Store) (v report.PruneView, err error) {
	v = report.PruneView{DryRun: c.DryRun, Snapshots: []report.SnapshotFate{}}
	var plan []pipeline.Fate
	err = st.View(func(tx *store.Tx) error {
		plan, err = pipeline.PlanPruning(tx, ch.pipeline.Retention, a.Now())
		return err
	})
	if err != nil {
		return v, err
	}
	for _, f := range plan {
		if !f.Kept() {
			v.Dropped++
		}
		v.Snapshots = append(v.Snapshots, report.SnapshotFate{Seq: f.Seq, ID: f.ID, At: f.At.UTC().Truncate(time.Second), Kept: f.Kept(), Reasons: append([]string{}, f.Reasons...)})
	}
	if c.DryRun {
		return v, nil
	}
	gone, err := pipeline.Prune(a.ctx, st, plan, func() bool { return a.ctx.Err() == nil })
	if err == nil {
		var swept store.Pruned
		swept, err = pipeline.Sweep(a.ctx, st)
		gone.Blobs, gone.Bytes = swept.Blobs, swept.Bytes
	}
	v.Dropped, v.Versions, v.Blobs, v.Bytes = gone.Snapshots, gone.Versions, gone.Blobs, gone.Bytes
	if gone.Snapshots+gone.Blobs == 0 {
		return v, err
	}
	entry := ch.entry(a, "store prune", pruned(gone))
	if err != nil {
		entry.Phase, entry.What = "failed", entry.What+", then: "+err.Error()
	}
	if jerr := st.Update(func(tx *store.Tx) error { return pipeline.Append(tx, entry) }); err == nil {
		err = jerr
	}
	return v, err
}

// pruned says in a line what went.
func pruned(p store.Pruned) string {
	return fmt.Sprintf("%s pruned, %s and %s with them (%d bytes)", counted(p.Snapshots, "snapshot"), counted(p.Versions, "version"), counted(p.Blobs, "blob"), p.Bytes)
}
