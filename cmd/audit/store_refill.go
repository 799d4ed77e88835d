package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"filippo.io/age"

	"healthaudit/audit/pipeline"
	"healthaudit/snapshot/archive"
	"healthaudit/snapshot/store"
)

// An archived has the bytes of files that lie in the archives of this project.
type archived struct {
	a      *App
	ch     *change
	made   map[string]string // archives that the store made, see pipeline.ArchiveSums
	sealed int               // archives that no key opened
	unread []string          // why others could not be read
}

// source looks into one archive after the other, as long as something is missing: into
// slim ones, the newest first, and then into full ones, whose stores take longer.
func (x *archived) source() pipeline.Source {
	return pipeline.Source{Name: "the archives", Find: func(missing map[string]string, have func(string, []byte) error) error {
		ids, err := (&identity{}).keys(x.a)
		if err != nil {
			x.unread = append(x.unread, err.Error())
		}
		for _, file := range x.files() {
			if len(missing) == 0 {
				return nil
			}
			if err := x.take(file, ids, missing, have); err != nil {
				return err
			}
		}
		return nil
	}}
}

// files are the paths of the archives of this project, each once.
func (x *archived) files() (paths []string) {
	own := archive.Owner(x.ch.host.Name(), x.ch.host.Root())
	seen := map[string]bool{}
	var full []string
	for _, dir := range folders(&x.ch.pipeline.Backups) {
		list, err := archive.List(dir)
		if err != nil {
			x.unread = append(x.unread, err.Error())
		}
		for _, h := range list {
			if seen[h.File] || h.Owner != own && x.made[h.File] == "" {
				continue
			}
			seen[h.File] = true
			if path := filepath.Join(dir, h.File); h.Kind == archive.Full {
				full = append(full, path)
			} else {
				paths = append(paths, path)
			}
		}
	}
	return append(paths, full...)
}

// take hands over what an archive has. Errors are those of have, and an interrupt: what
// is wrong with the archive is noted.
func (x *archived) take(file string, ids []age.Identity, missing map[string]string, have func(string, []byte) error) error {
	wanted := func(e archive.Entry) bool {
		_, is := missing[e.SHA256]
		return is && e.Link == "" && strings.HasPrefix(e.Name, archive.FilesFolder)
	}
	c, err := archive.Load(x.a.ctx, file, ids, func(_ *archive.Manifest, e archive.Entry) bool {
		return wanted(e) || e.Name == archive.StoreName
	})
	if err == nil {
		defer c.Close()
	}
	switch {
	case x.a.ctx.Err() != nil:
		return context.Cause(x.a.ctx)
	case errors.Is(err, archive.ErrSealed), errors.Is(err, archive.ErrIdentity):
		x.sealed++
		return nil
	case err != nil:
		x.unable(file, err)
		return nil
	case c.Kind == archive.Full:
		return x.takeStored(file, c, missing, have)
	}
	for _, e := range c.Entries {
		if !wanted(e) {
			continue
		}
		b, err := c.Bytes(e.Name)
		if err != nil {
			x.unable(file, err)
			return nil
		}
		if err := have(e.SHA256, b); err != nil {
			return err
		}
	}
	return nil
}

// takeStored hands over what the store in a full archive has.
func (x *archived) takeStored(file string, c *archive.Contents, missing map[string]string, have func(string, []byte) error) error {
	dir, err := os.MkdirTemp("", "audit-repair-*")
	if err != nil {
		x.unable(file, err)
		return nil
	}
	defer os.RemoveAll(dir)
	u, done, err := pipeline.Unpack(x.a.ctx, c, dir)
	if x.a.ctx.Err() != nil {
		if err == nil {
			done()
		}
		return context.Cause(x.a.ctx)
	}
	if err != nil {
		x.unable(file, err)
		return nil
	}
	defer done()
	for _, sha := range slices.Sorted(maps.Keys(missing)) {
		b, err := u.Bytes(sha)
		switch {
		case errors.Is(err, store.ErrNoBlob):
			continue
		case err != nil:
			x.unable(file, err)
			return nil
		}
		if err := have(sha, b); err != nil {
			return err
		}
	}
	return nil
}

func (x *archived) unable(file string, err error) {
	x.unread = append(x.unread, fmt.Sprintf("%s: %v", filepath.Base(file), err))
}

// lost says that bytes were in no place that was looked at, and where they may be yet.
func (x *archived) lost(missing []string) (lines []string) {
	how := "lost for good"
	if x.sealed+len(x.unread) > 0 {
		how = "lost"
	}
	for _, path := range missing {
		lines = append(lines, how+": bytes of "+path)
	}
	if len(missing) == 0 {
		return nil
	}
	for _, why := range x.unread {
		lines = append(lines, "not looked into: "+why)
	}
	if x.sealed > 0 {
		lines = append(lines, fmt.Sprintf("not looked into: %s; with AUDIT_IDENTITY_FILE naming the key, audit store verify --repair does", counted(x.sealed, "encrypted archive")))
	}
	return lines
}

// refill puts back what the working tree and the archives have of the bytes that a
// store lost.
func (a *App) refill(ch *change, st *store.Store) (found []pipeline.Refill, lost []string, err error) {
	x := &archived{a: a, ch: ch}
	err = st.View(func(tx *store.Tx) (err error) { x.made, err = pipeline.ArchiveSums(tx); return err })
	if err != nil {
		return nil, nil, err
	}
	found, missing, err := pipeline.Fill(st, []pipeline.Source{workingTree(ch.root), x.source()})
	return found, x.lost(missing), err
}
