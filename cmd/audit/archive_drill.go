package main

import (
	"errors"

	"healthaudit/audit/pipeline"
	"healthaudit/report"
	"healthaudit/snapshot/archive"
	"healthaudit/snapshot/collect/all"
	"healthaudit/snapshot/store"
)

type archiveDrillCmd struct {
	listing
	identity
	File string `arg:"" optional:"" help:"The archive to bring back (default: the newest of this project)."`
}

// Run brings an archive back for a try. Exit 5 when it does not come back as it was.
func (c *archiveDrillCmd) Run(a *App) error {
	smallHeap()
	v, err := c.drill(a)
	if place := (*pipeline.NotDrilledError)(nil); errors.As(err, &place) {
		return &failure{exitAction, err, "TMPDIR names another folder to bring it back in"}
	}
	if err != nil {
		return opened(err)
	}
	code := exitOK
	if !v.Passed {
		code = exitAction
	}
	if err := show(a, c.listing, code, *v, report.Drilled); err != nil || v.Passed {
		return err
	}
	return exitCode(code)
}

func (c *archiveDrillCmd) drill(a *App) (*report.DrillView, error) {
	if _, err := a.settings(); err != nil {
		return nil, err
	}
	if err := store.Exists(a.Store); err != nil {
		return nil, err
	}
	ids, err := c.keys(a)
	if err != nil {
		return nil, err
	}
	w, err := a.archivist()
	if err != nil {
		return nil, err
	}
	defer w.close()
	file := c.File
	if file == "" {
		made, err := a.sums()
		if err != nil {
			return nil, err
		}
		if file, err = newest(&w.pipeline.Backups, w.owner(), made); err != nil {
			return nil, err
		}
	}
	if _, err := archive.Digest(file); err != nil {
		return nil, err
	}
	if _, err := archive.ReadFile(a.ctx, file, ids, nil); errors.Is(err, archive.ErrSealed) || errors.Is(err, archive.ErrForeign) {
		return nil, err // nothing that says something of the archive
	}
	d := &pipeline.Drill{Host: w.host, Config: &w.pipeline, Collectors: all.Collectors, Checks: w.checks(), Store: a.Store, File: file, IDs: ids, Version: version, Actor: a.actor(w.host)}
	return d.Run(a.ctx)
}
