package main

import (
	"errors"
	"time"

	"healthaudit/audit/pipeline"
	"healthaudit/rules"
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

// changing opens the store for writing, with nobody else running, and keeps what
// fn changes together with its entries in the journal: Command, Item and What are
// fn's.
func (a *App) changing(fn func(tx *store.Tx, by rules.Actor) ([]rules.Entry, error)) error {
	s, err := a.settings()
	if err != nil {
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
		by := a.actor(h)
		entries, err := fn(tx, by)
		if err != nil {
			return err
		}
		for _, e := range entries {
			e.At, e.Actor, e.Tool, e.Phase = a.Now(), by, version, "done"
			if err := pipeline.Append(tx, e); err != nil {
				return err
			}
		}
		return nil
	})
}
