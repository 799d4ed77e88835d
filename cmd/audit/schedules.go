package main

import (
	"cmp"
	"fmt"
	"io"

	"healthaudit/audit/pipeline"
	"healthaudit/report"
	"healthaudit/snapshot/store"
)

type schedulesCmd struct {
	Snapshot string `arg:"" optional:"" help:"Of which snapshot: latest (default), previous, latest~2, #7, 2026-11-23, 12h, start of an id. The runs are those to come in any case."`
	Format   string `help:"table, json, csv (one line per schedule) or ics (the coming seven days as a calendar)." enum:"table,json,csv,ics" default:"table"`
}

func (c *schedulesCmd) Run(a *App) error {
	return a.reading(func(_ *settings, tx *store.Tx) error {
		now := a.Now()
		seq, err := find(tx, c.Snapshot, now)
		if err != nil {
			return err
		}
		tx.Forgive()
		s, info, err := pipeline.LoadSnapshot(tx, seq)
		if err != nil {
			return err
		}
		v := pipeline.Timetable(s, ref(seq, info), now)
		partly := pipeline.Whole(tx)
		for _, e := range pipeline.Lost(tx) {
			v.NotRead = append(v.NotRead, report.NotRead{System: e.System, Status: "partial", Reason: e.Message})
		}
		switch c.Format {
		case "csv":
			return cmp.Or(c.export(a, v, report.SchedulesCSV), partly)
		case "ics":
			return cmp.Or(c.export(a, v, report.SchedulesICS), partly)
		}
		return showPartly(a, listing{Format: c.Format}, tx, v, report.Schedules)
	})
}

// export writes a format that has no place for what was not read: that goes to
// standard error.
func (c *schedulesCmd) export(a *App, v report.SchedulesView, f func(io.Writer, report.SchedulesView, report.Options) error) error {
	if !a.Quiet {
		for _, n := range v.NotRead {
			fmt.Fprintf(a.Stderr, "audit: %s\n", report.Clean(n.String()))
		}
	}
	return a.write("", exitOK, func(w io.Writer, o report.Options) error { return f(w, v, o) })
}
