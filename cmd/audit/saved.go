package main

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"slices"
	"time"

	"healthaudit/audit"
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
	st, err := store.Open(a.Store, store.Options{ReadOnly: true, Lazy: true, Wait: 10 * time.Second})
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

// showPartly is show, and an error of exit code 4 where some of it could not be
// read.
func showPartly[T any](a *App, l listing, tx *store.Tx, v T, table func(io.Writer, T, report.Options) error) error {
	partly := pipeline.Whole(tx)
	return cmp.Or(show(a, l, partlyCode(partly, exitOK), v, table), partly)
}

// partlyCode is the exit code that follows: that of a damaged store where some of
// what is shown could not be read.
func partlyCode(partly error, code int) int {
	if partly != nil {
		return exitDamaged
	}
	return code
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
	var partly error
	err = a.reading(func(s *settings, tx *store.Tx) error {
		seq, err := find(tx, c.Snapshot, a.Now())
		if err != nil {
			return err
		}
		var v *pipeline.View
		tx.Forgive()
		if c.Recheck {
			r := &pipeline.Recheck{Config: &s.pipeline, Collectors: all.Collectors, Checks: s.checks(), Now: a.Now()}
			v, err = r.View(tx, seq)
		} else {
			v, err = pipeline.Load(tx, seq, all.Collectors, s.checks())
		}
		switch {
		case err != nil:
		case renderer.Summary:
			doc = v.Summary(version)
		default:
			doc = v.Document(version)
		}
		partly = pipeline.Whole(tx)
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
	err = a.write(c.Output, partlyCode(partly, exitOK), func(w io.Writer, o report.Options) error {
		o.Items, o.New, o.Only = c.Items, c.New, names
		return renderer.Render(w, doc, o)
	})
	if err == nil && (!a.Quiet || c.Output != "") {
		err = a.stepSummary(renderer, doc, report.Options{Items: c.Items, New: c.New, Only: names})
	}
	return cmp.Or(err, partly)
}

// listLimit is how many snapshots a table shows where nothing was asked for.
const listLimit = 100

type listCmd struct {
	listing
	Limit int `help:"Show the newest N only; 0 is all (default: 100 in a table, all as JSON)." default:"-1" placeholder:"N"`
}

func (c *listCmd) Run(a *App) error {
	if c.Limit < 0 && c.Limit != -1 {
		return &usageError{fmt.Sprintf("--limit is %d, want a number from 0 on", c.Limit), ""}
	}
	limit, quietly := c.Limit, c.Limit >= 0
	if limit < 0 && c.Format == "table" {
		limit = listLimit
	}
	return a.reading(func(_ *settings, tx *store.Tx) error {
		rows := []report.SnapshotRow{}
		tx.Forgive()
		base, err := pipeline.Baseline(tx)
		if err != nil {
			return err
		}
		err = pipeline.Briefs(tx, func(seq uint64, h store.Header, b pipeline.Brief) bool {
			row := snapshotRow(seq, h, b)
			if base != nil && base.Seq == seq {
				row.Flags = append(row.Flags, "baseline")
			}
			rows = append(rows, row)
			return limit <= 0 || len(rows) <= limit
		})
		if err != nil {
			return err
		}
		more := limit > 0 && len(rows) > limit
		if more {
			rows = rows[:limit]
		}
		slices.Reverse(rows)
		if more && !quietly {
			fmt.Fprintf(a.Stderr, "audit: only the newest %d are shown: audit list --limit 0 shows all\n", limit)
		}
		return showPartly(a, c.listing, tx, rows, report.Snapshots)
	})
}

func snapshotRow(seq uint64, h store.Header, b pipeline.Brief) report.SnapshotRow {
	row := report.SnapshotRow{Seq: seq, ID: h.ID, At: h.At.UTC().Truncate(time.Second), Items: int(h.Items), Regressions: b.Regressions,
		Passed: b.Passed, Exit: b.Exit, Delta: b.Delta, Flags: []string{}, Commit: b.Commit,
		Findings: report.Counts{Critical: b.Open["critical"], High: b.Open["high"], Medium: b.Open["medium"], Low: b.Open["low"], Info: b.Open["info"]}}
	if h.Score >= 0 {
		v := float64(h.Score) / 100
		g := audit.Grade(v)
		row.Score, row.Grade = &v, &g
	}
	for _, st := range b.Systems {
		flag := st.System + " " + st.Status
		if st.Status == "skipped" {
			flag = "without " + st.System
		}
		row.Flags = append(row.Flags, flag)
	}
	return row
}

type versionCmd struct{}

func (versionCmd) Run(a *App) error {
	if a.Quiet {
		return nil
	}
	_, err := fmt.Fprintf(a.Stdout, "audit %s\n", version)
	return err
}
