package main

import (
	"errors"

	"healthaudit/audit/pipeline"
	"healthaudit/rules"
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
	return a.maintaining(func(ch *change) error {
		st, err := store.Open(a.Store, store.Options{Wait: storeWait})
		if err != nil {
			return err
		}
		defer st.Close()
		return st.Update(func(tx *store.Tx) error {
			entries, err := fn(tx, ch.actor)
			if err != nil {
				return err
			}
			for _, e := range entries {
				e.At, e.Actor, e.Tool, e.Phase = a.Now(), ch.actor, version, "done"
				if err := pipeline.Append(tx, e); err != nil {
					return err
				}
			}
			return nil
		})
	})
}
