package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"filippo.io/age"

	"healthaudit/audit/pipeline"
	"healthaudit/snapshot/archive"
	"healthaudit/snapshot/store"
)

// An archived has the bytes of files that lie in the slim archives of this project. It
// looks into them when it is first asked.
type archived struct {
	a      *App
	ch     *change
	made   map[string]string // archives that the store made, see pipeline.ArchiveSums
	asked  bool
	open   []*archive.Contents
	at     map[string]entryOf // by digest
	sealed int                // archives that no key opened
	unread []string           // why others could not be read
}

type entryOf struct {
	in   *archive.Contents
	name string
}

func (x *archived) source() pipeline.Source {
	return pipeline.Source{Name: "the archives", Bytes: func(sha, _ string) []byte {
		if !x.asked {
			x.asked = true
			x.look()
		}
		e, ok := x.at[sha]
		if !ok {
			return nil
		}
		b, err := e.in.Bytes(e.name)
		if err != nil {
			return nil
		}
		return b
	}}
}

// look takes out what is in them, the newest first, of each digest once.
func (x *archived) look() {
	x.at = map[string]entryOf{}
	ids, err := (&identity{}).keys(x.a)
	if err != nil {
		x.unread = append(x.unread, err.Error())
	}
	own := archive.Owner(x.ch.host.Name(), x.ch.host.Root())
	seen := map[string]bool{}
	for _, dir := range folders(&x.ch.pipeline.Backups) {
		list, err := archive.List(dir)
		if err != nil {
			x.unread = append(x.unread, err.Error())
		}
		for _, h := range list {
			if h.Kind == archive.Slim && !seen[h.File] && (h.Owner == own || x.made[h.File] != "") {
				seen[h.File] = true
				x.take(filepath.Join(dir, h.File), ids)
			}
		}
	}
}

func (x *archived) take(file string, ids []age.Identity) {
	c, err := archive.Load(x.a.ctx, file, ids, func(_ *archive.Manifest, e archive.Entry) bool {
		_, known := x.at[e.SHA256]
		return !known && strings.HasPrefix(e.Name, archive.FilesFolder)
	})
	switch {
	case errors.Is(err, archive.ErrSealed), errors.Is(err, archive.ErrIdentity):
		x.sealed++
		return
	case err != nil:
		x.unread = append(x.unread, fmt.Sprintf("%s: %v", filepath.Base(file), err))
		return
	}
	x.open = append(x.open, c)
	for _, e := range c.Entries {
		if _, known := x.at[e.SHA256]; !known && e.Link == "" && strings.HasPrefix(e.Name, archive.FilesFolder) {
			x.at[e.SHA256] = entryOf{c, e.Name}
		}
	}
}

func (x *archived) close() {
	for _, c := range x.open {
		c.Close()
	}
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
	defer x.close()
	err = st.View(func(tx *store.Tx) (err error) { x.made, err = pipeline.ArchiveSums(tx); return err })
	if err != nil {
		return nil, nil, err
	}
	found, missing, err := pipeline.Fill(st, []pipeline.Source{workingTree(ch.root), x.source()})
	return found, x.lost(missing), err
}
