package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"

	"healthaudit/audit"
	"healthaudit/audit/check"
	"healthaudit/audit/pipeline"
	"healthaudit/report"
	"healthaudit/snapshot/collect/all"
	"healthaudit/snapshot/store"
)

// reading opens the store for reading and runs fn in one transaction. What fn
// prints is given out when the store is closed again: a pager that somebody
// leaves open must not keep a run from writing.
func (a *App) reading(fn func(*settings, *store.Tx) error) error {
	s, err := a.settings()
	if err != nil {
		return err
	}
	st, err := store.Open(a.Store, store.Options{ReadOnly: true, Wait: 10 * time.Second})
	if err != nil {
		return err
	}
	var said bytes.Buffer
	out := a.Stdout
	a.Stdout = &said
	err = st.View(func(tx *store.Tx) error { return fn(s, tx) })
	a.Stdout = out
	st.Close()
	if said.Len() > 0 {
		if _, werr := out.Write(said.Bytes()); err == nil && werr != nil {
			err = &failure{exitAction, fmt.Errorf("write the report: %w", werr), ""}
		}
	}
	return err
}

// listing is what every listing command shares.
type listing struct {
	Format string `help:"table or json." enum:"table,json" default:"table"`
}

// show writes a listing for a person or for a machine. Code is the exit code
// that follows.
func show[T any](a *App, l listing, code int, v T, table func(io.Writer, T, report.Options) error) error {
	return a.write("", code, func(w io.Writer, o report.Options) error {
		if l.Format == "json" {
			return report.WriteJSON(w, v)
		}
		return table(w, v, o)
	})
}

type reportCmd struct {
	Snapshot string   `arg:"" optional:"" help:"Which one: latest (default), previous, latest~2, #7, 2026-11-23, 12h, start of an id."`
	Format   string   `help:"Format: ${formats}." default:"table" placeholder:"NAME"`
	Output   string   `help:"Write to this file instead of standard output." placeholder:"FILE"`
	Only     []string `help:"Show only these systems." placeholder:"SYSTEM"`
	Items    bool     `help:"Show the whole inventory, healthy items too."`
	Recheck  bool     `help:"Judge the old snapshot by the checks and the configuration of today."`
	New      bool     `help:"Show only what is new, reopened or regressed; with a baseline, only what is not in it."`
}

func (c *reportCmd) Run(a *App) error {
	only, err := systems(c.Only)
	if err != nil {
		return err
	}
	renderer, err := findRenderer(c.Format)
	if err != nil {
		return err
	}
	if err := a.writable(c.Output); err != nil {
		return err
	}
	var doc *report.Document
	err = a.reading(func(s *settings, tx *store.Tx) error {
		seq, err := find(tx, c.Snapshot, a.Now())
		if err != nil {
			return err
		}
		var v *pipeline.View
		if c.Recheck {
			r := &pipeline.Recheck{Config: &s.pipeline, Collectors: all.Collectors, Checks: check.All(), Now: a.Now()}
			v, err = r.View(tx, seq)
		} else {
			v, err = pipeline.Load(tx, seq, all.Collectors, check.All())
		}
		if err == nil {
			doc = v.Document(version)
		}
		return err
	})
	if err != nil {
		return err
	}
	var names []string
	for _, s := range only {
		names = append(names, string(s))
	}
	if len(only) > 0 {
		doc = doc.Only(names)
	}
	return a.write(c.Output, exitOK, func(w io.Writer, o report.Options) error {
		o.Items, o.New, o.Only = c.Items, c.New, names
		return renderer.Render(w, doc, o)
	})
}

type listCmd struct {
	listing
	Limit int `help:"Show the newest N only; 0 is all." default:"0" placeholder:"N"`
}

func (c *listCmd) Run(a *App) error {
	return a.reading(func(_ *settings, tx *store.Tx) error {
		rows := []report.SnapshotRow{}
		base, bad := pipeline.Baseline(tx)
		if bad != nil {
			return bad
		}
		err := tx.Headers(tx.Seq(), true, func(seq uint64, h store.Header) bool {
			row, err := snapshotRow(seq, h)
			if err != nil {
				bad = err
				return false
			}
			if base != nil && base.Seq == seq {
				row.Flags = append(row.Flags, "baseline")
			}
			rows = append(rows, row)
			return c.Limit == 0 || len(rows) < c.Limit
		})
		if err == nil {
			err = bad
		}
		if err != nil {
			return err
		}
		slices.Reverse(rows)
		return show(a, c.listing, exitOK, rows, report.Snapshots)
	})
}

func snapshotRow(seq uint64, h store.Header) (report.SnapshotRow, error) {
	var i pipeline.Info
	if err := json.Unmarshal(h.Body, &i); err != nil {
		return report.SnapshotRow{}, fmt.Errorf("snapshot #%d: %w", seq, err)
	}
	row := report.SnapshotRow{Seq: seq, ID: h.ID, At: h.At.UTC().Truncate(time.Second), Items: int(h.Items), Regressions: i.Regressions,
		Passed: i.Passed, Exit: i.Exit, Delta: i.Delta, Flags: []string{},
		Findings: report.Counts{Critical: i.Open["critical"], High: i.Open["high"], Medium: i.Open["medium"], Low: i.Open["low"], Info: i.Open["info"]}}
	if h.Score >= 0 {
		v := float64(h.Score) / 100
		g := audit.Grade(v)
		row.Score, row.Grade = &v, &g
	}
	if i.Git != nil {
		row.Commit = i.Git.Commit
	}
	for _, st := range i.Systems {
		switch st.Status {
		case "error", "partial":
			row.Flags = append(row.Flags, string(st.System)+" "+string(st.Status))
		case "skipped":
			row.Flags = append(row.Flags, "without "+string(st.System))
		}
	}
	return row, nil
}

type versionCmd struct{}

func (versionCmd) Run(a *App) error {
	if a.Quiet {
		return nil
	}
	_, err := fmt.Fprintf(a.Stdout, "audit %s\n", version)
	return err
}
