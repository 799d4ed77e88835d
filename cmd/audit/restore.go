package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"healthaudit/audit/pipeline"
	"healthaudit/report"
	"healthaudit/snapshot"
	"healthaudit/snapshot/archive"
	"healthaudit/snapshot/host"
	"healthaudit/snapshot/store"
)

type restoreCmd struct {
	listing
	identity
	Snapshot  string   `arg:"" optional:"" help:"The snapshot to take the files from."`
	Items     []string `arg:"" optional:"" name:"item" help:"Keys of the items to restore, globs over them, or paths of files (default: all). pm2/(home), with --target, is what PM2 itself keeps, of an encrypted archive."`
	Target    string   `help:"Write below this folder instead of in place." placeholder:"DIR"`
	DryRun    bool     `help:"Say what would be written, with the differences, and write nothing."`
	Overwrite string   `help:"never, if-unchanged (the file is as the latest snapshot saw it) or always." enum:"never,if-unchanged,always" default:"if-unchanged"`
	LastGood  bool     `help:"Take each item from the newest snapshot, not after SNAPSHOT, in which it was good: nothing found that is as bad as now, nor of high severity."`
	Archive   string   `help:"Take the files from this archive instead of from the store." placeholder:"FILE"`
	Undo      uint64   `help:"Undo the restore with this number, which it printed." placeholder:"N"`
}

// Run restores files. Exit 4 when the kept bytes of any are damaged, else 5 when
// any could not be restored.
func (c *restoreCmd) Run(a *App) error {
	if err := c.check(); err != nil {
		return err
	}
	smallHeap()
	view, code, err := c.bringBack(a)
	if err != nil {
		return opened(err)
	}
	if err := show(a, c.listing, code, view, report.Restore); err != nil || code == exitOK {
		return err
	}
	return exitCode(code)
}

// check refuses what cannot go together.
func (c *restoreCmd) check() error {
	switch {
	case c.Undo > 0 && (c.Snapshot != "" || c.Archive != "" || c.LastGood):
		return &usageError{"--undo takes no snapshot, archive or --last-good", "it brings back what stood there before that restore"}
	case c.Undo == 0 && c.Snapshot == "":
		return &usageError{"no snapshot is named", "audit restore latest restores what the newest one saw; audit list shows them"}
	case strings.Contains(c.Snapshot, "/"):
		return &usageError{fmt.Sprintf("no snapshot is called %q", c.Snapshot), "the snapshot comes first: audit restore latest " + snapshot.ShellWord(c.Snapshot)}
	}
	return nil
}

// A bringing is one restore under way.
type bringing struct {
	*restoreCmd
	a       *App
	host    *host.OS
	st      *store.Store // nil where there is none, and nothing but a look is taken
	from    source
	target  *os.Root
	r       *archive.Restorer
	damaged atomic.Bool
	seq     uint64
	view    report.RestoreView
}

// bringBack restores and lets go of store and lock: nobody is to wait for them
// while the outcome is printed.
func (c *restoreCmd) bringBack(a *App) (v report.RestoreView, code int, err error) {
	s, err := a.settings()
	if err != nil {
		return v, 0, err
	}
	h, err := host.New(s.root, a.Env, a.Now)
	if err != nil {
		return v, 0, &usageError{err.Error(), ""}
	}
	defer h.Close()
	err = store.Exists(a.Store)
	alone := errors.Is(err, store.ErrNotExist) && c.Archive != "" // the store is lost: the archive is all there is
	if err != nil && !alone {
		return v, 0, err
	}
	if !c.DryRun {
		if err := s.local(a); err != nil {
			return v, 0, err
		}
		lock, err := store.Lock(a.Store, store.LockOptions{Command: a.line, Host: h.Name(), Now: a.Now()})
		if err != nil {
			return v, 0, unwritable(busy(err), a.Store)
		}
		defer lock.Unlock()
	}
	b := &bringing{restoreCmd: c, a: a, host: h}
	if !alone || !c.DryRun {
		b.st, err = store.Open(a.Store, store.Options{Wait: 10 * time.Second, ReadOnly: c.DryRun, Create: alone, Now: a.Now(), Host: h.Name()})
		if err != nil {
			return v, 0, err
		}
		defer b.st.Close()
	}
	target, done, err := c.open(s.root)
	if err != nil {
		return v, 0, err
	}
	defer done()
	b.target = target
	return b.run(a.ctx)
}

// unwritable says how to restore from a store that lies where nothing can be
// written, such as a disk that is mounted to be rescued.
func unwritable(err error, path string) error {
	if refused(err) == "" {
		return err
	}
	return &failure{exitAction, err, "a restore is noted in its store: copy " + path + " to where it can be written, and add --store COPY --target DIR"}
}

// open opens the target. A dry run makes none: it looks into an empty folder
// where there is no such target yet.
func (c *restoreCmd) open(root string) (r *os.Root, done func(), err error) {
	dir, temp := root, ""
	if c.Target != "" {
		dir = c.Target
		if !c.DryRun {
			err = os.MkdirAll(dir, 0o755)
		} else if _, e := os.Lstat(dir); errors.Is(e, fs.ErrNotExist) {
			temp, err = os.MkdirTemp("", "audit-target-*")
			dir = temp
		}
	}
	if err == nil {
		r, err = os.OpenRoot(dir)
	}
	if err != nil {
		return nil, nil, &usageError{fmt.Sprintf("target: %v", err), ""}
	}
	return r, func() {
		r.Close()
		if temp != "" {
			os.Remove(temp)
		}
	}, nil
}

// run plans, and carries the plan out unless it is a dry run.
func (b *bringing) run(ctx context.Context) (v report.RestoreView, code int, err error) {
	b.r = &archive.Restorer{Target: b.target, Policy: archive.Policy(b.Overwrite)}
	wanted, err := b.wanted(ctx)
	if b.from.close != nil {
		defer b.from.close()
	}
	if err != nil {
		return v, 0, err
	}
	b.r.Bytes = b.bytes
	plan := b.spare(b.r.Plan(wanted))
	b.view.TargetGiven = b.Target != ""
	b.view.Target, b.view.DryRun, b.view.Files = cmp.Or(b.Target, b.target.Name()), b.DryRun, []report.RestoreFile{}
	b.view.Processes = append([]report.RestoreProcess{}, b.view.Processes...)
	var patches map[string]string
	if b.DryRun {
		patches = b.patches(plan)
	} else if plan, err = b.carryOut(plan); err != nil {
		return v, 0, err
	}
	for _, o := range plan {
		if b.refused(o) {
			code = exitAction
		}
		b.view.Files = append(b.view.Files, report.RestoreFile{Path: o.File.Path, Item: string(o.Item), Action: string(o.Action), Reason: o.Reason,
			Bytes: o.File.Size, From: b.from.of[o.File.Path], Patch: patches[o.File.Path]})
	}
	for _, m := range b.from.missing {
		code = exitAction
		b.view.Files = append(b.view.Files, m)
	}
	if b.damaged.Load() {
		code = exitDamaged
	}
	return b.view, code, nil
}

// bytes reads what is to be written, one file at a time: a whole project need
// not fit into memory.
func (b *bringing) bytes(sum string) (raw []byte, err error) {
	raw, err = b.from.bytes(sum)
	var bad *store.CorruptError
	switch {
	case errors.Is(err, store.ErrNoBlob) && b.Archive != "":
		err = errors.New("the archive does not hold its bytes")
	case errors.Is(err, store.ErrNoBlob):
		err = errors.New("its bytes were not kept")
	case errors.As(err, &bad):
		b.damaged.Store(true)
		err = errors.New("its kept bytes are damaged: audit store verify names all that is")
	}
	return raw, err
}

// latest tells what the newest snapshot of the store saw.
func (b *bringing) latest() error {
	seen := map[string]snapshot.File{}
	b.r.Latest = func(p string) (snapshot.File, bool) { f, ok := seen[p]; return f, ok }
	if b.st == nil {
		return nil
	}
	return b.st.View(func(tx *store.Tx) error {
		if tx.Seq() == 0 {
			return nil
		}
		tx.Forgive() // what is lost is not there to be equal to
		last, _, err := pipeline.LoadSnapshot(tx, tx.Seq())
		if err != nil {
			return err
		}
		b.from.latest = last
		for _, it := range last.Items {
			for _, f := range it.Files {
				seen[f.Path] = f
			}
		}
		return nil
	})
}

// shownArchive is the path of the archive as a person gave it, or empty.
func (b *bringing) shownArchive() string {
	if b.Archive == "" {
		return ""
	}
	return filepath.Clean(b.Archive)
}
