package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"filippo.io/age"

	"healthaudit/audit/pipeline"
	"healthaudit/report"
	"healthaudit/snapshot/archive"
	"healthaudit/snapshot/store"
)

type archiveVerifyCmd struct {
	listing
	identity
	Files []string `arg:"" optional:"" name:"file" help:"The archives to read (default: all of this project)."`
}

// Results of a verification.
const (
	resultSound   = "sound"      // read to its end, every byte as its manifest says
	resultWritten = "as written" // encrypted and not opened, but the bytes are those that were written
	resultClosed  = "not opened"
	resultBad     = "damaged"
)

// Run reads archives to their ends. Exit 5 when one is not what was written, or
// could not be opened.
func (c *archiveVerifyCmd) Run(a *App) error {
	s, err := a.settings()
	if err != nil {
		return err
	}
	ids, err := c.keys(a)
	if err != nil {
		return err
	}
	sums, unread := a.sums()
	if len(c.Files) > 0 {
		unread = nil // these are all that is asked for
	}
	rows, err := c.rows(s, sums, unread)
	if err != nil {
		return err
	}
	code := exitOK
	for i := range rows {
		if err := context.Cause(a.ctx); err != nil {
			return err
		}
		r := &rows[i]
		r.Result, r.Detail = verifyOne(a, r.Path, ids, sums)
		if r.Result == resultBad || r.Result == resultClosed {
			code = exitAction
		}
	}
	if unread != nil {
		code, _ = codeOf(unread)
	}
	if err := cmp.Or(show(a, c.listing, code, rows, report.ArchivesVerified), unread); err != nil || code == exitOK {
		return err
	}
	return exitCode(code)
}

// rows are the archives to read. That there is none is said only where the store
// was not unread.
func (c *archiveVerifyCmd) rows(s *settings, sums map[string]string, unread error) (out []report.ArchiveRow, err error) {
	for _, file := range c.Files {
		n, _ := archive.ParseName(filepath.Base(file))
		r := archiveRow(archive.Held{Name: n, File: filepath.Base(file)}, filepath.Dir(file), "")
		r.Path = file
		out = append(out, r)
	}
	if len(c.Files) > 0 {
		return out, nil
	}
	for _, dir := range folders(&s.pipeline.Backups) {
		list, err := archiveRows(s.root, dir, sums)
		if err != nil {
			return nil, &failure{exitAction, err, ""}
		}
		for _, r := range list {
			if r.Own {
				out = append(out, r)
			}
		}
	}
	if len(out) == 0 {
		return nil, cmp.Or(unread, noArchive(&s.pipeline.Backups))
	}
	return out, nil
}

// sums are the digests that the store knows, by the names of archives; none where
// there is no store. An error says that there is one, and that it could not be read.
func (a *App) sums() (out map[string]string, err error) {
	st, err := store.Open(a.Store, store.Options{ReadOnly: true, Wait: time.Second})
	if errors.Is(err, store.ErrNotExist) {
		return nil, nil
	}
	if err == nil {
		defer st.Close()
		err = st.View(func(tx *store.Tx) (err error) { out, err = pipeline.ArchiveSums(tx); return err })
	}
	if err != nil {
		return nil, fmt.Errorf("the store could not be read: archives made under another name are not known: %w", err)
	}
	return out, nil
}

func verifyOne(a *App, file string, ids []age.Identity, sums map[string]string) (result, detail string) {
	m, err := archive.ReadFile(a.ctx, file, ids, nil)
	if err == nil {
		return resultSound, fmt.Sprintf("%s read, %s left out", counted(len(m.Entries), "file"), counted(len(m.LeftOut), "file"))
	}
	closed := errors.Is(err, archive.ErrSealed) || errors.Is(err, archive.ErrIdentity)
	want := sums[filepath.Base(file)]
	if closed && want != "" {
		switch is, unread := archive.Digest(file); {
		case unread != nil:
			return resultBad, unread.Error()
		case is != want:
			return resultBad, "its bytes are not those that were written"
		case len(ids) > 0:
			return resultClosed, "its bytes are those that were written, and " + errors.Unwrap(err).Error() + ": it was encrypted for other keys"
		}
		return resultWritten, "encrypted: --identity FILE reads what is in it"
	}
	switch {
	case closed && len(ids) > 0:
		return resultClosed, errors.Unwrap(err).Error() + ": it was encrypted for other keys"
	case closed:
		return resultClosed, errors.Unwrap(err).Error() + ": --identity FILE opens it"
	}
	if in := errors.Unwrap(err); in != nil {
		err = in
	}
	return resultBad, err.Error()
}
