package main

import (
	"errors"
	"fmt"
	"time"

	"healthaudit/audit/pipeline"
	"healthaudit/rules"
	"healthaudit/snapshot"
	"healthaudit/snapshot/host"
	"healthaudit/snapshot/store"
)

// busy says what to do about a lock that another command holds, for a command
// that does not wait.
func busy(err error) error {
	if b := (*store.BusyError)(nil); errors.As(err, &b) {
		return &failure{exitBusy, err, "try again when it has ended"}
	}
	return err
}

type acceptCmd struct {
	Item    string `arg:"" help:"Key of the item that is gone."`
	Removed bool   `required:"" help:"It was removed for good: from the next run on its absence is no finding."`
	Reason  string `help:"Why, for the journal." placeholder:"TEXT"`
}

func (c *acceptCmd) Run(a *App) error {
	if err := c.accept(a); err != nil || a.Quiet {
		return err
	}
	_, err := fmt.Fprintf(a.Stdout, "accepted: %s is gone for good; the next run says so\n", c.Item)
	return err
}

func (c *acceptCmd) accept(a *App) error {
	s, err := a.settings()
	if err != nil {
		return err
	}
	if err := s.local(a); err != nil {
		return err
	}
	h, err := host.New(s.root, a.Env, a.Now)
	if err != nil {
		return &usageError{err.Error(), ""}
	}
	defer h.Close()
	if err := store.Exists(a.Store); err != nil {
		return err
	}
	lock, err := store.Lock(a.Store, store.LockOptions{Command: a.line, Host: h.Name(), Now: a.Now()})
	if err != nil {
		return busy(err)
	}
	defer lock.Unlock()
	st, err := store.Open(a.Store, store.Options{Wait: 10 * time.Second})
	if err != nil {
		return err
	}
	defer st.Close()
	return st.Update(func(tx *store.Tx) error {
		if err := pipeline.AcceptRemoval(tx, snapshot.Key(c.Item)); err != nil {
			return &usageError{err.Error(), "audit report names the items that vanished"}
		}
		what := "its removal was accepted"
		if c.Reason != "" {
			what += ": " + c.Reason
		}
		return pipeline.Append(tx, rules.Entry{At: a.Now(), Actor: a.actor(h), Tool: version, Command: "accept", Phase: "done", Item: c.Item, What: what})
	})
}
