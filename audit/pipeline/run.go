// Package pipeline is one run of audit, from the lock to the exit code, and the
// way back: a saved run made into the same document.
//
//	lock → collect → snapshot → diff → check → score → plan → archive → commit → report → exit code
//
// It wires the packages that know nothing of each other. It keeps the store
// open read-only while it looks, and writes the run in one transaction at
// the end: a run that is killed leaves the store as it was, but for bytes and
// analyses of files, which are known by their content and tell of no run.
package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"healthaudit/audit"
	"healthaudit/report"
	"healthaudit/rules"
	"healthaudit/snapshot"
	"healthaudit/snapshot/collect"
	"healthaudit/snapshot/host"
	"healthaudit/snapshot/store"
)

// A Runner is what every run of this process needs.
type Runner struct {
	Host       host.Host
	Config     *Config
	Collectors []*collect.Collector
	Checks     []*audit.Check
	Store      string // path of the store
	Version    string // of the tool
	Build      string // tells two programs of one version apart
	Actor      rules.Actor
	Recovery   string     // off, plan or apply
	Rules      *rules.Set // of recovery; nil: there are none
	Ephemeral  bool       // keep nothing
	Summary    bool       // the document may leave out what View.Summary does
	Wait       time.Duration
	NewStore   bool // a damaged store is set aside and a new one begun
	Command    string
	Watch      Watcher // told how far the run is; nil: nobody

	hand func(*rules.Hand) *rules.Hand // how tests get between an action and the world; nil is not at all
}

// Run audits once and returns its document. With an error nothing was kept, but for
// *AfterError. Errors: *UnkeptError, which alone comes with a document, *store.BusyError,
// *store.NewerError, the context's cause, or what the operating system says of
// root or store.
func (r *Runner) Run(ctx context.Context) (*report.Document, error) {
	if !r.Ephemeral {
		lock, err := r.lock()
		if err != nil {
			return nil, err
		}
		defer lock.Unlock()
		if err := r.prepare(ctx); err != nil {
			return nil, err
		}
	}
	s := &session{Runner: r, started: r.Host.Now().UTC().Round(0)}
	defer s.close()
	s.tellBefore(ctx)
	made, err := s.run(ctx)
	var bad *store.CorruptError
	if s.kept || ctx.Err() != nil || !errors.As(err, &bad) {
		return made, err
	}
	s.close()
	return s.unkept(ctx, bad)
}

func (s *session) run(ctx context.Context) (*report.Document, error) {
	r := s.Runner
	v, err := s.see(ctx, s.open)
	if err != nil {
		return nil, err
	}
	if err := s.stageOf("plan", func() (err error) { v, err = s.plan(ctx, v); return err }); err != nil {
		return nil, err
	}
	s.info.Finished = r.Host.Now().UTC().Round(0) // what follows keeps it
	if s.wanted() {
		if v, err = s.archive(ctx, v); err != nil {
			return nil, err
		}
	}
	made, err := s.finish(ctx, v)
	if err != nil {
		if made != nil { // the run is kept, and who waits for it must hear what of it failed
			s.tellFailed(ctx, made, err)
			err = &AfterError{v.Seq, err}
		}
		return nil, err
	}
	if !r.Ephemeral {
		if err := s.stageOf("prune", func() error { return s.tidy(ctx) }); err != nil { // the run is kept, and the next one tidies
			made.Errors = append(made.Errors, report.Error{System: string(snapshot.Auditor), Source: "store", Message: "old snapshots could not be pruned: " + err.Error(), Hint: "audit store prune tries again; audit store verify says whether the store is sound"})
		}
		if err := r.noteSuccess(v); err != nil { // the run is kept all the same
			made.Errors = append(made.Errors, report.Error{System: string(snapshot.Auditor), Source: "last_success", Message: err.Error(), Hint: "audit check-alive reads it: let the user who runs audit write beside the store"})
		}
	}
	s.tell(ctx, made)
	if r.Ephemeral { // there is no snapshot of that number
		made.Run.Seq, made.Score.History[len(made.Score.History)-1].Seq = 0, 0
	}
	return made, nil
}

// see looks at everything and judges it.
func (s *session) see(ctx context.Context, open func() error) (v *View, err error) {
	s.list(ctx) // git lists the project while the store is opened and checked
	if err := s.stageOf("open", open); err != nil {
		return nil, err
	}
	if err := s.look(ctx); err != nil {
		return nil, err
	}
	if err := s.askChecks(ctx); err != nil {
		return nil, err
	}
	if err := s.remember(); err != nil {
		return nil, err
	}
	err = s.stageOf("judge", func() (err error) { v, err = s.judge(); return err })
	return v, err
}

// finish keeps the run, carries out what recovery is to do, and makes the
// document. With an error, there is a document where the run was kept all the same.
func (s *session) finish(ctx context.Context, v *View) (*report.Document, error) {
	document := func() *report.Document {
		if s.Summary {
			return v.Summary(s.Version)
		}
		return v.Document(s.Version)
	}
	commit := func() error {
		if s.Ephemeral {
			return nil
		}
		if err := s.stageOf("commit", func() error { return s.commit(v) }); err != nil {
			s.archived.revoke()
			return &CommitError{err}
		}
		s.kept = true
		if s.archived != nil {
			_ = s.archived.thin() // what could not be removed is in the plan of the next archive
		}
		return nil
	}
	if s.acts(v) {
		if err := commit(); err != nil {
			return nil, err
		}
		err := s.stageOf("recover", func() error { return s.recover(ctx, v) })
		return document(), err
	}
	// The document does not depend on the commit: it is made while that waits for the disk.
	doc := make(chan *report.Document, 1)
	go func() { doc <- document() }()
	if err := commit(); err != nil {
		<-doc
		return nil, err
	}
	var made *report.Document
	err := s.stageOf("document", func() error { made = <-doc; return nil })
	return made, err
}

// archive makes the archive of a run. When that fails, the run is judged again
// with what went wrong, and kept all the same.
func (s *session) archive(ctx context.Context, v *View) (*View, error) {
	err := s.stageOf("archive", func() (err error) { s.archived, err = s.backUp(ctx, v); return err })
	switch {
	case ctx.Err() != nil:
		s.archived.revoke()
		return nil, context.Cause(ctx)
	case err == nil && s.archived != nil:
		s.info.Archive = s.archived.shown(s.Host.Root())
		return v, nil
	case err == nil:
		return v, nil
	}
	var bad *store.CorruptError
	var unkept *CommitError
	if errors.As(err, &bad) || errors.As(err, &unkept) {
		return nil, err
	}
	s.unmade = s.Config.Backups.failed(err, s.Host.Root())
	return s.judge()
}

// A CommitError says that a run could not be kept: nothing of it was.
type CommitError struct{ Err error }

func (e *CommitError) Error() string { return "keep the run: " + e.Err.Error() }
func (e *CommitError) Unwrap() error { return e.Err }

// An AfterError says that a run was kept, and that something went wrong after that.
type AfterError struct {
	Seq uint64 // of its snapshot
	Err error
}

func (e *AfterError) Error() string {
	return fmt.Sprintf("snapshot #%d was kept, then recovery had to end: %v", e.Seq, e.Err)
}

func (e *AfterError) Unwrap() error { return e.Err }

func (r *Runner) lock() (*store.RunLock, error) {
	return store.Lock(r.Store, store.LockOptions{Wait: r.Wait, Command: r.Command, Host: r.Host.Name(), Now: r.Host.Now()})
}

// prepare makes the store where there is none, and sets a damaged one aside
// when that was asked for.
func (r *Runner) prepare(ctx context.Context) error {
	what := "a new store was made"
	if r.NewStore {
		bad, err := r.damaged(ctx)
		if err != nil {
			return err
		}
		if bad {
			aside := asideName(r.Store, r.Host.Now())
			if err := os.Rename(r.Store, aside); err != nil {
				return err
			}
			what += "; the damaged one was set aside as " + filepath.Base(aside)
		}
	}
	return r.create("run", what)
}

// Create makes the store where there is none, with the first entry of its journal.
// The run lock is the caller's to hold.
func (r *Runner) Create(command string) error { return r.create(command, "a new store was made") }

func (r *Runner) create(command, what string) error {
	if _, err := os.Lstat(r.Store); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	st, err := store.Open(r.Store, store.Options{Create: true, Wait: time.Second, Now: r.Host.Now(), Host: r.Host.Name()})
	if err != nil {
		return err
	}
	defer st.Close()
	return st.Update(func(tx *store.Tx) error {
		return Append(tx, rules.Entry{At: r.Host.Now(), Actor: r.Actor, Tool: r.Version, Command: command, Phase: "done", What: what})
	})
}

// damaged reports whether there is a store in which anything is damaged, be it
// a single row that only some runs read.
func (r *Runner) damaged(ctx context.Context) (bool, error) {
	st, err := store.Open(r.Store, store.Options{ReadOnly: true, Wait: time.Second})
	var bad *store.CorruptError
	switch {
	case errors.As(err, &bad):
		return true, nil
	case errors.Is(err, store.ErrNotExist):
		return false, nil
	case err != nil:
		return false, err
	}
	defer st.Close()
	problems, err := st.Verify(ctx, true)
	return len(problems) > 0, err
}
