package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/bmatcuk/doublestar/v4"

	"healthaudit/audit/pipeline"
	"healthaudit/report"
	"healthaudit/rules"
	"healthaudit/snapshot"
	"healthaudit/snapshot/archive"
	"healthaudit/snapshot/host"
	"healthaudit/snapshot/store"
)

type restoreCmd struct {
	listing
	Snapshot  string   `arg:"" help:"The snapshot to take the files from."`
	Items     []string `arg:"" optional:"" name:"item" help:"Keys of the items to restore, globs over them, or paths of files (default: all)."`
	Target    string   `help:"Write below this folder instead of in place." placeholder:"DIR"`
	DryRun    bool     `help:"Say what would be written, and write nothing."`
	Overwrite string   `help:"never, if-unchanged (the file is as the latest snapshot saw it) or always." enum:"never,if-unchanged,always" default:"if-unchanged"`
}

// Run restores files. Exit 4 when the kept bytes of any are damaged, else 5 when
// any could not be restored.
func (c *restoreCmd) Run(a *App) error {
	view, code, err := c.bringBack(a)
	if err != nil {
		return err
	}
	if err := show(a, c.listing, code, view, report.Restore); err != nil || code == exitOK {
		return err
	}
	return exitCode(code)
}

// bringBack restores and lets go of store and lock: nobody is to wait for them
// while the outcome is printed.
func (c *restoreCmd) bringBack(a *App) (v report.RestoreView, code int, err error) {
	s, err := a.settings()
	if err != nil {
		return v, 0, err
	}
	h, err := host.New(s.root, a.Env, a.Now)
	if err != nil {
		return v, 0, &usageError{err.Error(), ""}
	}
	defer h.Close()
	if err := store.Exists(a.Store); err != nil {
		return v, 0, err
	}
	if !c.DryRun {
		if err := s.local(a); err != nil {
			return v, 0, err
		}
		lock, err := store.Lock(a.Store, store.LockOptions{Command: a.line, Host: h.Name(), Now: a.Now()})
		if err != nil {
			return v, 0, busy(err)
		}
		defer lock.Unlock()
	}
	st, err := store.Open(a.Store, store.Options{Wait: 10 * time.Second, ReadOnly: c.DryRun})
	if err != nil {
		return v, 0, err
	}
	defer st.Close()
	target, done, err := c.open(s.root)
	if err != nil {
		return v, 0, err
	}
	defer done()
	return c.restore(a, h, st, target)
}

// open opens the target. A dry run makes none: it looks into an empty folder
// where there is no such target yet.
func (c *restoreCmd) open(root string) (r *os.Root, done func(), err error) {
	dir, temp := root, ""
	if c.Target != "" {
		dir = c.Target
		if !c.DryRun {
			err = os.MkdirAll(dir, 0o755)
		} else if _, e := os.Lstat(dir); errors.Is(e, fs.ErrNotExist) {
			temp, err = os.MkdirTemp("", "audit-target-*")
			dir = temp
		}
	}
	if err == nil {
		r, err = os.OpenRoot(dir)
	}
	if err != nil {
		return nil, nil, &usageError{fmt.Sprintf("target: %v", err), ""}
	}
	return r, func() {
		r.Close()
		if temp != "" {
			os.Remove(temp)
		}
	}, nil
}

func (c *restoreCmd) restore(a *App, h host.Host, st *store.Store, target *os.Root) (v report.RestoreView, code int, err error) {
	damaged := false
	r := &archive.Restorer{Target: target, Policy: archive.Policy(c.Overwrite)}
	r.Bytes = func(sum string) (b []byte, err error) { // one file at a time: a whole project need not fit into memory
		err = st.View(func(tx *store.Tx) (err error) { b, err = tx.Blob(sum); return err })
		switch {
		case errors.Is(err, store.ErrNoBlob):
			err = errors.New("its bytes were not kept")
		case err != nil:
			damaged = true
			err = errors.New("its kept bytes are damaged: audit store verify names all that is")
		}
		return b, err
	}
	var wanted []archive.Wanted
	err = st.View(func(tx *store.Tx) error {
		seq, err := find(tx, c.Snapshot, a.Now())
		if err != nil {
			return err
		}
		snap, info, err := pipeline.LoadSnapshot(tx, seq)
		if err != nil {
			return err
		}
		last, _, err := pipeline.LoadSnapshot(tx, tx.Seq())
		if err != nil {
			return err
		}
		v = report.RestoreView{Snapshot: ref(seq, info), Target: cmp.Or(c.Target, target.Name()), DryRun: c.DryRun, Files: []report.RestoreFile{}}
		if wanted, err = c.choose(snap); err != nil {
			return err
		}
		seen := map[string]snapshot.File{}
		for _, it := range last.Items {
			for _, f := range it.Files {
				seen[f.Path] = f
			}
		}
		r.Latest = func(p string) (snapshot.File, bool) { f, ok := seen[p]; return f, ok }
		return nil
	})
	if err != nil {
		return v, 0, err
	}
	plan := r.Plan(wanted)
	if !c.DryRun {
		if plan, err = c.carryOut(a, h, st, r, plan, v.Snapshot.Seq); err != nil {
			return v, 0, err
		}
	}
	for _, o := range plan {
		if o.Action != archive.Written && o.Action != archive.Unchanged {
			code = exitAction
		}
		v.Files = append(v.Files, report.RestoreFile{Path: o.File.Path, Item: string(o.Item), Action: string(o.Action), Reason: o.Reason, Bytes: o.File.Size})
	}
	if damaged {
		code = exitDamaged
	}
	return v, code, nil
}

// choose returns the own files of the items that were asked for, by key, by a
// glob over keys or by the path of a file.
func (c *restoreCmd) choose(s *snapshot.Snapshot) (out []archive.Wanted, err error) {
	used := make([]bool, len(c.Items))
	for _, it := range s.Items {
		before := len(out)
		all := len(c.Items) == 0
		var paths []string
		for i, pattern := range c.Items {
			if ok, _ := doublestar.Match(pattern, string(it.Key)); ok || pattern == string(it.Key) {
				all, used[i] = true, true
			} else if slices.ContainsFunc(it.Files, func(f snapshot.File) bool { return f.Path == pattern && f.Role != snapshot.Shared }) {
				paths, used[i] = append(paths, pattern), true
			}
		}
		for _, f := range it.Files {
			if f.Role != snapshot.Shared && (all || slices.Contains(paths, f.Path)) {
				out = append(out, archive.Wanted{Item: it.Key, File: f})
			}
		}
		if len(out) == before && slices.Contains(c.Items, string(it.Key)) {
			hint := "it is in no file of the project"
			if it.Path != "" {
				hint = "it is declared in " + it.Path + ": restore that path"
			}
			return nil, &usageError{fmt.Sprintf("%s has no file of its own", it.Key), hint}
		}
	}
	for i, ok := range used {
		if !ok {
			return nil, unknownItem(c.Items[i], s)
		}
	}
	return out, nil
}

func unknownItem(name string, s *snapshot.Snapshot) error {
	keys := make([]string, len(s.Items))
	for i, it := range s.Items {
		keys[i] = string(it.Key)
		if strings.HasSuffix(keys[i], "/"+name) {
			return &usageError{fmt.Sprintf("that snapshot has no item %q", name), "did you mean " + keys[i] + "?"}
		}
	}
	hint := "audit report --items lists them"
	if near := nearestName(name, keys); near != "" {
		hint = "did you mean " + near + "?"
	}
	return &usageError{fmt.Sprintf("that snapshot has no item %q", name), hint}
}

// carryOut journals the intent with the bytes that will be overwritten, writes,
// and journals the outcome.
func (c *restoreCmd) carryOut(a *App, h host.Host, st *store.Store, r *archive.Restorer, plan []archive.Outcome, seq uint64) ([]archive.Outcome, error) {
	todo := slices.ContainsFunc(plan, func(o archive.Outcome) bool { return o.Action == archive.Written })
	if !todo {
		return plan, nil
	}
	plan = slices.Clone(plan)
	entry := rules.Entry{Actor: a.actor(h), Tool: version, Command: "restore", Phase: "intent", Data: map[string]string{}}
	err := st.Update(func(tx *store.Tx) error {
		n := 0
		for i := range plan {
			o := &plan[i]
			if o.Action != archive.Written {
				continue
			}
			if o.Was != "" && !tx.HasBlob(o.Was) {
				b, err := r.Current(*o)
				if err != nil { // nothing is overwritten that could not be brought back; the others can
					o.Action, o.Reason = archive.Failed, err.Error()
					continue
				}
				if err := tx.PutBlob(snapshot.Sum(b), b, ""); err != nil {
					return err
				}
			}
			n++
			entry.Data[o.File.Path] = short(o.Was) + " -> " + short(o.File.SHA256)
		}
		entry.At, entry.What = a.Now(), fmt.Sprintf("restore %s from snapshot #%d to %s", counted(n, "file"), seq, r.Target.Name())
		return pipeline.Append(tx, entry)
	})
	if err != nil {
		return nil, err
	}
	done := r.Do(plan)
	written, failed := 0, 0
	for _, o := range done {
		switch o.Action {
		case archive.Written:
			written++
		case archive.Failed, archive.Missing, archive.Kept:
			failed++
		}
	}
	entry.At, entry.Phase = a.Now(), "done"
	entry.What = fmt.Sprintf("restored %s from snapshot #%d", counted(written, "file"), seq)
	if failed > 0 {
		entry.Phase = "failed"
		entry.What += fmt.Sprintf(", %d not", failed)
	}
	return done, st.Update(func(tx *store.Tx) error { return pipeline.Append(tx, entry) })
}

func short(sum string) string {
	if sum == "" {
		return "nothing"
	}
	return sum[:12]
}

func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
