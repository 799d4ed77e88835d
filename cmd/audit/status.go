package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"healthaudit/audit"
	"healthaudit/audit/pipeline"
	"healthaudit/report"
	"healthaudit/snapshot/store"
)

type statusCmd struct {
	Format string `help:"table, json or nagios." enum:"table,json,nagios" default:"table"`
}

// Exit codes of a Nagios plugin (Nagios Plugins Development Guidelines, "Plugin
// Return Codes").
var nagiosExit = map[string]int{"ok": 0, "warning": 1, "critical": 2, "unknown": 3}

// Run says in one line how things are. As nagios it exits by the codes of that
// trade, whatever happens; otherwise 0 when there is something to say.
func (c *statusCmd) Run(a *App) error {
	if c.Format != "nagios" {
		v, partly, err := c.view(a)
		if err != nil {
			return err
		}
		return cmp.Or(show(a, listing{c.Format}, partlyCode(partly, exitOK), v, report.Status), partly)
	}
	v, _, err := c.view(a)
	if err != nil {
		v = report.StatusView{State: "unknown", Why: []string{err.Error()}}
		if lost := a.unkept(); lost != nil {
			v.State, v.Why = "critical", append(v.Why, lost.Error())
		}
	}
	if err := a.write("", exitGate, func(w io.Writer, o report.Options) error { return report.NagiosStatus(w, v) }); err != nil {
		return exitCode(nagiosExit["unknown"])
	}
	return exitCode(nagiosExit[v.State])
}

func (c *statusCmd) view(a *App) (v report.StatusView, partly, err error) {
	err = a.reading(func(s *settings, tx *store.Tx) error {
		h, ok, err := tx.Header(tx.Seq())
		if err != nil {
			return err
		}
		if !ok {
			return &usageError{"there is no snapshot yet", "audit run makes one"}
		}
		var i pipeline.Info
		if err := json.Unmarshal(h.Body, &i); err != nil {
			return err
		}
		now := a.Now()
		runs, err := pipeline.PastRuns(tx, now)
		tx.Forgive()
		if tx.Bear(err) {
			runs = nil // with gaps they would say that runs were missed
		} else if err != nil {
			return err
		}
		row := snapshotRow(tx.Seq(), h, i.Brief())
		age := now.Sub(h.At)
		watch := audit.Watch{Host: i.Host, Runs: runs, Every: s.pipeline.Every, Grace: s.pipeline.Grace}
		v = report.StatusView{Project: filepath.Base(s.root), Snapshot: ref(tx.Seq(), &i), AgeSeconds: int64(age / time.Second), Score: row.Score, Grade: row.Grade,
			Delta: i.Delta, Findings: row.Findings, Regressions: row.Regressions, Passed: row.Passed, Exit: row.Exit, Flags: row.Flags,
			Missed: watch.Lost(now).Runs, EverySeconds: int64(s.pipeline.Every / time.Second)}
		v.Level = levelOfCounts(v)
		v.State, v.Why = stateOf(&v, audit.Missed(age, s.pipeline.Every, s.pipeline.Grace))
		half, _, err := pipeline.Halfway(tx, s.root)
		if err != nil {
			return err
		}
		for _, h := range half {
			if v.Why = append(v.Why, fmt.Sprintf("restore %d was interrupted after %d of %d files: %s", h.Entry, h.Written, h.Files, h.Next())); v.State == "ok" {
				v.State = "warning"
			}
		}
		if partly = pipeline.Whole(tx); partly != nil {
			if v.Why = append(v.Why, partly.Error()); v.State == "ok" {
				v.State = "warning"
			}
		}
		if lost := a.unkept(); lost != nil {
			v.State, v.Why, partly = "critical", append(v.Why, lost.Error()), cmp.Or(partly, lost)
		}
		return nil
	})
	return v, partly, err
}

// unkept says since when runs cannot be kept, nil where the last one was.
func (a *App) unkept() error {
	u, err := pipeline.ReadUnkept(a.Store)
	if err != nil {
		return nil
	}
	at := func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04") + " UTC" }
	said := "the run of " + at(u.At) + " could not be kept"
	if !u.At.Equal(u.Since) {
		said = "no run since " + at(u.Since) + " could be kept, the last was at " + at(u.At)
	}
	return &failure{exitDamaged, fmt.Errorf("%s: the store is damaged: %s", said, u.What), "audit store verify --repair saves what is whole; runs compare and are kept again after that"}
}

// levelOfCounts is the word of the report's first line.
func levelOfCounts(v report.StatusView) string {
	f := v.Findings
	switch {
	case f.Critical+f.High > 0:
		return "failing"
	case f.Medium > 0:
		return "degraded"
	case v.Score == nil:
		return "unknown"
	}
	return "ok"
}

// stateOf says how a monitor sees it, and why: late is how many runs are missing
// since the last one.
func stateOf(v *report.StatusView, late int) (state string, why []string) {
	state = "ok"
	worse := func(to, reason string) {
		if nagiosExit[to] > nagiosExit[state] {
			state = to
		}
		why = append(why, reason)
	}
	if !v.Passed {
		worse("critical", "the gate failed")
	} else if n := v.Findings.Critical + v.Findings.High; n > 0 { // which a gate may let pass, and no monitor should
		worse("warning", map[bool]string{true: "1 finding is", false: fmt.Sprintf("%d findings are", n)}[n == 1]+" critical or high")
	}
	v.Stale = late > 0 || v.AgeSeconds < 0
	if late >= 3 {
		worse("critical", "no run for "+lasting(time.Duration(v.AgeSeconds)*time.Second))
	} else if late > 0 {
		worse("warning", "no run for "+lasting(time.Duration(v.AgeSeconds)*time.Second))
	}
	if v.Exit == exitIncomplete {
		worse("warning", "not everything could be read")
	}
	if v.AgeSeconds < 0 {
		worse("warning", "the last run is still to come: the clock went backwards")
	}
	return state, why
}

// lasting writes a duration for a person: of a minute or more, to the minute.
func lasting(d time.Duration) string {
	if d < time.Minute {
		return d.Truncate(time.Second).String()
	}
	s := strings.TrimSuffix(d.Round(time.Minute).String(), "0s")
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

type checkAliveCmd struct {
	MaxAge time.Duration `required:"" help:"How old the last run may be: 40m where one is due every 15." placeholder:"DURATION"`
}

// Run exits 0 when the last run of the store is young enough, 1 when it is not,
// when it could not be kept, or when there never was one. It reads the file last_success beside the store,
// and the store itself only where that is not there.
func (c *checkAliveCmd) Run(a *App) error {
	if c.MaxAge <= 0 {
		return &usageError{"--max-age: want a duration such as 40m", ""}
	}
	if a.Store == "" { // with a store named, no project need be here
		if _, err := a.settings(); err != nil {
			return err
		}
	}
	if lost := (*failure)(nil); errors.As(a.unkept(), &lost) {
		lost.code = exitGate
		return lost
	}
	last, err := c.last(a)
	if errors.Is(err, store.ErrNotExist) {
		return &failure{exitGate, fmt.Errorf("there never was a run that %s keeps", a.Store), "audit run makes one; --store names another"}
	}
	if err != nil {
		return err
	}
	age := a.Now().Sub(last.At)
	said := fmt.Sprintf("the last run, #%d, began %s ago, at %s", last.Seq, lasting(age), last.At.UTC().Format(time.RFC3339))
	switch {
	case age > c.MaxAge:
		return &failure{exitGate, errors.New(said + fmt.Sprintf(": more than %s", lasting(c.MaxAge))), "see whether it is started at all: crontab -l, systemctl list-timers"}
	case -age > c.MaxAge:
		return &failure{exitGate, fmt.Errorf("the last run, #%d, is dated %s, which is still to come", last.Seq, last.At.UTC().Format(time.RFC3339)), "the clocks of this and that machine differ"}
	}
	return a.say("alive: "+said+"\n", nil)
}

// last reads the note beside the store, else the store.
func (c *checkAliveCmd) last(a *App) (*pipeline.Success, error) {
	if s, err := pipeline.ReadSuccess(a.Store); err == nil {
		return s, nil
	}
	st, err := store.Open(a.Store, store.Options{ReadOnly: true, Wait: 10 * time.Second})
	if err != nil {
		return nil, err
	}
	defer st.Close()
	var s *pipeline.Success
	err = st.View(func(tx *store.Tx) error {
		s, err = pipeline.LastSuccess(tx, a.Store)
		return err
	})
	return s, err
}
