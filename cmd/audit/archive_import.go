package main

import (
	"errors"
	"path/filepath"

	"healthaudit/audit/pipeline"
	"healthaudit/report"
	"healthaudit/snapshot/archive"
	"healthaudit/snapshot/store"
)

type archiveImportCmd struct {
	listing
	identity
	Files    []string `arg:"" optional:"" name:"file" help:"A full archive, slim ones, or both (default: the newest full archive of this project and the slim ones made since, else all its slim ones)."`
	NewStore bool     `help:"If there is a damaged store, set it aside."`
}

// Run makes a store of archives. A sound store is never replaced.
func (c *archiveImportCmd) Run(a *App) error {
	smallHeap()
	v, err := c.bring(a)
	if err != nil {
		return opened(err)
	}
	return show(a, c.listing, exitOK, *v, report.Imported)
}

func (c *archiveImportCmd) bring(a *App) (*report.ImportView, error) {
	ids, err := c.keys(a)
	if err != nil {
		return nil, err
	}
	w, err := a.archivist()
	if err != nil {
		return nil, err
	}
	defer w.close()
	files := c.Files
	if len(files) == 0 {
		if files, err = choose(&w.pipeline.Backups, w.owner()); err != nil {
			return nil, err
		}
	}
	r := &pipeline.Rebirth{Host: w.host, Store: a.Store, Files: files, IDs: ids, NewStore: c.NewStore, Version: version, Actor: a.actor(w.host)}
	v, err := r.Run(a.ctx)
	var there *pipeline.InTheWayError
	var bad *store.CorruptError
	switch {
	case errors.As(err, &there):
		return nil, &usageError{err.Error(), "nothing was done; --store FILE makes another one of the archives"}
	case errors.As(err, &bad) && !c.NewStore:
		return nil, &failure{exitDamaged, errors.New("there is a damaged store: " + a.Store), "nothing was done; --new-store sets it aside and puts the new one in its place"}
	}
	return v, err
}

// choose returns the newest full archive of a project, if there is one, and its
// slim ones.
func choose(c *pipeline.Backups, owner string) (files []string, err error) {
	seen := map[string]bool{}
	var full archive.Held
	whole := ""
	for _, dir := range folders(c) {
		list, err := archive.List(dir)
		if err != nil {
			return nil, &failure{exitAction, err, ""}
		}
		for _, h := range archive.Of(owner, list) {
			switch path := filepath.Join(dir, h.File); {
			case seen[h.File]:
			case h.Kind == archive.Slim:
				files = append(files, path)
			case whole == "" || h.At.After(full.At):
				full, whole = h, path
			}
			seen[h.File] = true
		}
	}
	if whole != "" {
		files = append(files, whole)
	}
	if len(files) == 0 {
		return nil, &usageError{"there is no archive of this project in " + c.Dir, "name the file; audit archive list --all shows those of other hosts and projects"}
	}
	return files, nil
}
