package main

import (
	"errors"
	"os"
	"path/filepath"

	"healthaudit/audit/pipeline"
	"healthaudit/report"
	"healthaudit/rules"
	"healthaudit/snapshot/collect/all"
	"healthaudit/snapshot/host"
	"healthaudit/snapshot/store"
)

// settingUp runs fn for a command that changes the machine and not the store,
// with nobody else running. Where there is no store yet it is made first: what
// such a command does stands in the journal, and the journal in the store.
func (a *App) settingUp(command string, fn func(*change) error) error {
	s, err := a.settings()
	if err != nil {
		return err
	}
	if err := s.local(a); err != nil {
		return err
	}
	h, err := a.open(s)
	if err != nil {
		return err
	}
	defer h.Close()
	lock, err := store.Lock(a.Store, store.LockOptions{Command: a.line, Host: h.Name(), Now: a.Now()})
	if err != nil {
		return busy(err)
	}
	defer lock.Unlock()
	r := &pipeline.Runner{Host: h, Store: a.Store, Version: version, Actor: a.actor(h)}
	if err := r.Create(command); err != nil {
		return err
	}
	return fn(&change{s, h, r.Actor})
}

// announced appends to the journal what will be done, does it, and appends what
// came of it.
func (c *change) announced(a *App, e rules.Entry, do func() error) error {
	e.Actor, e.Tool = c.actor, version
	if err := c.note(a, e, "intent"); err != nil {
		return err
	}
	phase, err := "done", do()
	if err != nil {
		phase = "failed"
	}
	return errors.Join(err, c.note(a, e, phase))
}

func (c *change) note(a *App, e rules.Entry, phase string) error {
	st, err := store.Open(a.Store, store.Options{Wait: storeWait})
	if err != nil {
		return err
	}
	defer st.Close()
	e.At, e.Phase = a.Now(), phase
	return st.Update(func(tx *store.Tx) error { return pipeline.Append(tx, e) })
}

// glance audits without keeping anything, and without the store where that is
// damaged or not there. It starts no plugin, and nothing else that whoever may change
// the project could have named.
func (a *App) glance(s *settings, h host.Host) (*report.Document, error) {
	config := s.pipeline
	config.Plugins = pipeline.Plugins{}
	if s.trusted(a) != nil {
		config.Collect.PM2Node = false
	}
	r := &pipeline.Runner{Host: h, Config: &config, Collectors: all.Collectors, Checks: s.checks(), Store: a.Store, Version: version, Build: build(),
		Actor: a.actor(h), Recovery: "off", Ephemeral: true}
	doc, err := r.Run(a.ctx)
	var bad *store.CorruptError
	var newer *store.NewerError
	var place *store.PathError
	if errors.As(err, &bad) || errors.As(err, &newer) || errors.As(err, &place) {
		r.Store = a.Store + ".none"
		doc, err = r.Run(a.ctx)
	}
	return doc, err
}

// open opens the machine below the root.
func (a *App) open(s *settings) (*host.OS, error) {
	h, err := host.New(s.root, a.Env, a.Now)
	if err != nil {
		return nil, &usageError{err.Error(), ""}
	}
	return h, nil
}

// unreachable reports whether a shell would not find audit by its name.
func (a *App) unreachable() bool {
	for _, dir := range filepath.SplitList(a.Env("PATH")) {
		if st, err := os.Stat(filepath.Join(dir, "audit")); err == nil && st.Mode().IsRegular() && st.Mode()&0o111 != 0 {
			return false
		}
	}
	return true
}
