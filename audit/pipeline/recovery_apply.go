package pipeline

import (
	"context"
	"errors"
	"os"
	"slices"
	"time"

	"healthaudit/rules"
	"healthaudit/snapshot/store"
)

// A Request is what is to be applied.
type Request struct {
	Rule     string   // only steps of this rule; empty is all
	Approved []string // ids of steps that a person approved
	Plan     string   // id of the plan that was approved; another one is ErrStale. Empty: whatever is planned now

	wrap func(rules.Site) rules.Site // how tests get between a plan and the world; nil is not at all
}

// ErrStale says that the world is not the one that a plan was made for.
var ErrStale = errors.New("the plan is stale: snapshot, rules or files are not those it was made for")

// A NoStepError says that a step that was approved is not in the plan: a typing
// error must not pass for a decision.
type NoStepError struct{ ID string }

func (e *NoStepError) Error() string { return "there is no step " + e.ID + " to approve" }

// Apply plans on the newest snapshot and carries the plan out. The caller holds
// the lock of the run. What became of it is kept with that snapshot. Errors:
// ErrStale, ErrUnfinished, *NoStepError, and what store and disk say; nothing was begun then that is not in
// the journal.
func (r *Runner) Apply(ctx context.Context, q Request) (*Recovered, *View, error) {
	s, done, err := r.site()
	if err != nil {
		return nil, nil, err
	}
	defer done()
	ended, err := s.tie(ctx, q)
	if err != nil {
		return nil, nil, err
	}
	var d *Recovered
	var v *View
	next := rules.State{}
	err = s.st.View(func(tx *store.Tx) error {
		var err error
		if v, err = Load(tx, tx.Seq(), r.Collectors, r.Checks); err != nil {
			return err
		}
		w := v.World(Sources(ctx, r.Host, tx, v), s.Now())
		w.Only, w.Approved = q.Rule, q.Approved
		d = &Recovered{Rules: len(r.Rules.Rules)}
		d.Plan, next = r.Rules.Make(w, s.kept)
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	if q.Plan != "" && q.Plan != d.Plan.ID {
		return d, v, ErrStale
	}
	for _, id := range q.Approved {
		if !slices.ContainsFunc(d.Plan.Steps, func(s rules.Step) bool { return s.ID == id }) {
			return d, v, &NoStepError{id}
		}
	}
	var world rules.Site = s
	if q.wrap != nil {
		world = q.wrap(s)
	}
	d.Plan.Steps, next, err = r.Rules.Apply(ctx, world, d.Plan, next, r.entry("recover"))
	d.Plan.Steps = append(ended, d.Plan.Steps...)
	if err != nil {
		return d, v, err
	}
	return d, v, s.st.Update(func(tx *store.Tx) error {
		if err := SaveState(tx, s.kept, next); err != nil {
			return err
		}
		w := writer{tx: tx, seq: tx.Seq()}
		w.recovered(d)
		w.givenUp(d, r.entry("recover"), s.Now())
		return w.err
	})
}

// Remember changes what recovery remembers, and keeps an entry of the journal
// about it. The caller holds the lock of the run.
func (r *Runner) Remember(command, item, what string, change func(*rules.State) error) error {
	s, done, err := r.site()
	if err != nil {
		return err
	}
	defer done()
	next := s.kept.Clone()
	if err := change(&next); err != nil {
		return err
	}
	e := r.entry(command)
	e.At, e.Phase, e.Item, e.What = s.Now(), "done", item, what
	return s.Commit(next, e, nil)
}

// acts reports whether a run has anything to carry out or to bring to its end.
func (s *session) acts(v *View) bool {
	g := s.oldState.Global
	due := slices.ContainsFunc(g.Waiting, func(w rules.Waiting) bool { return !s.started.Before(w.From) })
	return !s.Ephemeral && (g.Pending != nil || len(g.Littered) > 0 || due || s.Recovery == "apply" && v.recovered.planned())
}

// recover carries out what was planned; where nothing is to be, it ends what
// was interrupted.
func (s *session) recover(ctx context.Context, v *View) error {
	if s.Recovery != "apply" || s.Rules == nil {
		return s.settle(ctx, v)
	}
	d, _, err := s.Apply(ctx, Request{})
	if d != nil {
		v.recovered = d
	}
	return err
}

// site opens store and project for writing.
func (r *Runner) site() (*site, func(), error) {
	st, err := store.Open(r.Store, store.Options{Wait: 30 * time.Second})
	if err != nil {
		return nil, nil, err
	}
	root, err := os.OpenRoot(r.Host.Root())
	if err != nil {
		st.Close()
		return nil, nil, err
	}
	s := &site{Runner: r, st: st, root: root, fresh: map[string][]byte{}}
	done := func() {
		root.Close()
		st.Close()
	}
	if err := s.load(); err != nil {
		done()
		return nil, nil, err
	}
	return s, done, nil
}

func (r *Runner) entry(command string) rules.Entry {
	return rules.Entry{Actor: r.Actor, Tool: r.Version, Command: command}
}

func (s *site) load() error {
	return s.st.View(func(tx *store.Tx) (err error) {
		s.kept, err = LoadState(tx)
		if err == nil && tx.Seq() == 0 {
			err = errors.New("there is no snapshot yet: audit run makes the first")
		}
		return err
	})
}

// Failed reports whether anything that was carried out did not help.
func (d *Recovered) Failed() bool {
	if d == nil || d.Plan == nil {
		return false
	}
	for _, s := range d.Plan.Steps {
		if s.Status == rules.Failed || s.Status == rules.RolledBack {
			return true
		}
	}
	return false
}

// exit is the exit code of a run: what we did and failed counts before the gate.
func (v *View) exit() int {
	if v.recovered.Failed() {
		return exitAction
	}
	return v.Info.Exit
}

// exitAction is the exit code (see audit --help and docs/recovery.md) for something that we did and that failed.
const exitAction = 5

// planned reports whether there is anything to carry out.
func (d *Recovered) planned() bool {
	if d == nil {
		return false
	}
	for _, s := range d.Plan.Steps {
		if s.Status == rules.Planned {
			return true
		}
	}
	return false
}
