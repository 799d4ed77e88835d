package main

import (
	"time"

	"healthaudit/rules"
	"healthaudit/snapshot/host"
	"healthaudit/snapshot/store"
)

// A change is what a command that changes the store works with, while it holds
// the run lock.
type change struct {
	*settings
	host  host.Host
	actor rules.Actor
}

// entry begins a journal entry.
func (c *change) entry(a *App, command, what string) rules.Entry {
	return rules.Entry{At: a.Now(), Actor: c.actor, Tool: version, Command: command, Phase: "done", What: what}
}

// maintaining runs fn while no other run can write to the store. Fn opens the store
// itself.
func (a *App) maintaining(fn func(*change) error) error {
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
	return fn(&change{s, h, a.actor(h)})
}

// storeWait is how long a command waits for another process to let go of the file.
const storeWait = 10 * time.Second
