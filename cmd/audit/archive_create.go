package main

import (
	"healthaudit/audit/pipeline"
	"healthaudit/report"
	"healthaudit/snapshot/archive"
	"healthaudit/snapshot/store"
)

type archiveCreateCmd struct {
	listing
	Snapshot string `arg:"" optional:"" help:"The snapshot to archive (default: latest)."`
	Kind     string `help:"slim (the files and the state of one snapshot) or full (the whole store, with its history)." enum:"slim,full" default:"slim"`
}

// Run makes an archive. Exit 5 when it could not be made; then nothing is left
// of it, and older ones are as they were.
func (c *archiveCreateCmd) Run(a *App) error {
	smallHeap()
	v, err := c.create(a)
	if err != nil {
		return err
	}
	return show(a, c.listing, exitOK, *v, report.ArchiveMade)
}

func (c *archiveCreateCmd) create(a *App) (*report.ArchiveView, error) {
	if _, err := a.settings(); err != nil {
		return nil, err
	}
	if err := store.Exists(a.Store); err != nil {
		return nil, err
	}
	w, err := a.archivist()
	if err != nil {
		return nil, err
	}
	defer w.close()
	var seq uint64
	err = a.reading(func(_ *settings, tx *store.Tx) (err error) { seq, err = find(tx, c.Snapshot, a.Now()); return err })
	if err != nil {
		return nil, err
	}
	m := &pipeline.Creation{Host: w.host, Backups: &w.pipeline.Backups, Store: a.Store, Seq: seq, Kind: archive.Kind(c.Kind), Version: version, Actor: a.actor(w.host)}
	return m.Run(a.ctx)
}
