package main

import (
	"cmp"
	"io"
	"os"
	"path/filepath"

	"healthaudit/report"
	"healthaudit/snapshot/archive"
)

type archiveListCmd struct {
	listing
	All bool `help:"List those of other hosts and projects too."`
}

// Run lists archives. It reads their names alone: no key is needed, and a store
// only to know those again that it made before the project or the host was renamed:
// where it cannot be read, the others are listed, and that is said.
func (c *archiveListCmd) Run(a *App) error {
	s, err := a.settings()
	if err != nil {
		return err
	}
	rows, code := []report.ArchiveRow{}, exitOK
	made, unread := a.sums()
	for _, dir := range folders(&s.pipeline.Backups) {
		list, err := archiveRows(s.root, dir, made)
		if err != nil {
			return &failure{exitAction, err, ""}
		}
		for _, r := range list {
			if r.Own || c.All {
				rows = append(rows, r)
			}
		}
	}
	if unread != nil {
		code, _ = codeOf(unread)
		if len(rows) == 0 {
			return unread
		}
	}
	table := func(w io.Writer, rows []report.ArchiveRow, o report.Options) error {
		return report.Archives(w, rows, c.All, o)
	}
	return cmp.Or(show(a, c.listing, code, rows, table), unread)
}

// archiveRows lists one folder, the newest first. Made are the names of those that
// the store made, under whatever name of project and host.
func archiveRows(root, dir string, made map[string]string) (out []report.ArchiveRow, err error) {
	if real, err := filepath.EvalSymlinks(root); err == nil {
		root = real
	}
	host, _ := os.Hostname()
	own := archive.Owner(host, root)
	list, err := archive.List(dir)
	for _, h := range list {
		r := archiveRow(h, dir, own)
		r.Own = r.Own || made[h.File] != ""
		out = append(out, r)
	}
	return out, err
}

func archiveRow(h archive.Held, dir, own string) report.ArchiveRow {
	return report.ArchiveRow{Path: filepath.Join(dir, h.File), Host: h.Owner, Own: h.Owner == own, At: h.At, Seq: h.Seq, Kind: string(h.Kind), Encrypted: h.Encrypted, Bytes: h.Bytes}
}
