package main

import (
	"errors"
	"fmt"
	"time"

	"healthaudit/audit/pipeline"
	"healthaudit/report"
	"healthaudit/rules"
	"healthaudit/snapshot"
)

type recoverUndoCmd struct {
	ID string `arg:"" help:"The id of the action, as audit recover apply and audit journal --format json show it."`
}

func (c *recoverUndoCmd) Run(a *App) error {
	return a.recovering(func(_ *settings, r *pipeline.Runner) error {
		e, err := r.Undo(c.ID)
		if errors.Is(err, pipeline.ErrNoAction) {
			return &usageError{err.Error(), "audit journal lists what was done"}
		}
		if errors.Is(err, pipeline.ErrNoWayBack) {
			return &usageError{err.Error(), "audit rule explain " + e.Data["rule"] + " says what it does"}
		}
		if none := (*pipeline.NothingError)(nil); errors.As(err, &none) {
			return &usageError{c.ID + ": " + err.Error(), "audit journal shows how far it came; " + onward(e, none)}
		}
		if err != nil {
			return &failure{exitAction, err, "what stood there is kept in the store: audit restore brings any version back"}
		}
		return a.said(e.What + "; its rule lets it alone until audit recover reset " + e.Data["rule"] + " " + e.Item)
	})
}

// onward says what becomes of the rule of an action that left nothing to take back.
func onward(e rules.Entry, none *pipeline.NothingError) string {
	if none.Held {
		return "when its item is as it should be, audit recover reset " + e.Data["rule"] + " " + e.Item + " lets its rule act again"
	}
	return "its rule goes on as before"
}

// said writes one line, unless nothing is to be said.
func (a *App) said(line string) error {
	if a.Quiet {
		return nil
	}
	_, err := fmt.Fprintln(a.Stdout, report.Clean(line))
	return err
}

type recoverPauseCmd struct {
	Until string `required:"" help:"For how long (2h, 3d), or until when (2026-12-24T08:00:00Z)." placeholder:"TIME"`
}

func (c *recoverPauseCmd) Run(a *App) error {
	until, err := time.Parse(time.RFC3339, c.Until)
	if err != nil {
		d, derr := rules.ParseSpan(c.Until)
		if derr != nil {
			return &usageError{"--until: " + derr.Error() + ", nor a time such as 2026-12-24T08:00:00Z", ""}
		}
		until = a.Now().Add(d)
	}
	if until = until.UTC().Truncate(time.Second); !until.After(a.Now()) {
		return &usageError{"--until: that is past", ""}
	}
	return a.recovering(func(_ *settings, r *pipeline.Runner) error {
		what := "recovery is paused until " + until.Format(time.RFC3339)
		err := r.Remember("recover pause", "", what, func(st *rules.State) error { st.Global.Paused = &until; return nil })
		if err != nil {
			return err
		}
		return a.said(what)
	})
}

type recoverResumeCmd struct{}

func (recoverResumeCmd) Run(a *App) error {
	return a.recovering(func(_ *settings, r *pipeline.Runner) error {
		what := "recovery may act again"
		err := r.Remember("recover resume", "", what, func(st *rules.State) error { st.Global.Paused, st.Global.Broken = nil, nil; return nil })
		if err != nil {
			return err
		}
		return a.said(what)
	})
}

type recoverResetCmd struct {
	Rule string `arg:"" help:"The rule."`
	Item string `arg:"" help:"Key of the item."`
}

func (c *recoverResetCmd) Run(a *App) error {
	return a.recovering(func(_ *settings, r *pipeline.Runner) error {
		what := "the attempts of " + c.Rule + " on it are forgotten"
		err := r.Remember("recover reset", c.Item, what, func(st *rules.State) error {
			id := rules.IncidentID(c.Rule, snapshot.Key(c.Item))
			if _, ok := st.Incidents[id]; !ok {
				return &usageError{fmt.Sprintf("%s has nothing to forget about %s", c.Rule, c.Item), "audit recover plan shows which rules are waiting for which items"}
			}
			delete(st.Incidents, id)
			return nil
		})
		if err != nil {
			return err
		}
		return a.said(c.Item + ": " + what)
	})
}
