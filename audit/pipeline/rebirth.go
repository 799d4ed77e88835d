package pipeline

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"filippo.io/age"

	"healthaudit/report"
	"healthaudit/rules"
	"healthaudit/snapshot/archive"
	"healthaudit/snapshot/host"
	"healthaudit/snapshot/store"
)

// A Rebirth makes a store of archives: of one full one, or of slim ones, each of
// which becomes a snapshot. The caller holds the run lock.
type Rebirth struct {
	Host     host.Host
	Store    string // path of the store that is made
	Files    []string
	IDs      []age.Identity
	NewStore bool // a damaged store that is there is set aside
	Version  string
	Actor    rules.Actor
}

// An InTheWayError says that a sound store is there already.
type InTheWayError struct{ Path string }

func (e *InTheWayError) Error() string { return "there is a sound store already: " + e.Path }

// Run makes the store beside its place, checks all of it, and only then puts it
// there. With an error nothing was changed. Errors: *InTheWayError,
// *store.CorruptError for a damaged store that is not to be set aside, those of
// archive.Read, or the operating system's.
func (r *Rebirth) Run(ctx context.Context) (*report.ImportView, error) {
	aside, err := r.place(ctx)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(filepath.Dir(r.Store), importFolder+"*")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	temp := filepath.Join(dir, "audit.db")
	v := &report.ImportView{Store: r.Store, From: []string{}, Skipped: []report.LeftOut{}, Aside: aside}
	full, err := r.build(ctx, temp, v)
	if err != nil {
		return nil, err
	}
	if err := r.finish(ctx, temp, full, v); err != nil {
		return nil, err
	}
	if aside != "" {
		if err := os.Rename(r.Store, aside); err != nil {
			return nil, err
		}
	}
	if err := os.Rename(temp, r.Store); err != nil {
		if aside != "" {
			err = errors.Join(err, os.Rename(aside, r.Store))
		}
		return nil, err
	}
	return v, errors.Join(syncFolder(filepath.Dir(r.Store)), Kept(r.Store))
}

func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	d.Sync() // not every file system can
	return nil
}

// place says where a damaged store goes; one that is sound stays.
func (r *Rebirth) place(ctx context.Context) (aside string, err error) {
	if _, err := os.Lstat(r.Store); errors.Is(err, os.ErrNotExist) {
		return "", nil
	}
	run := &Runner{Store: r.Store}
	bad, err := run.damaged(ctx)
	switch {
	case err != nil:
		return "", err
	case !bad:
		return "", &InTheWayError{r.Store}
	case !r.NewStore:
		return "", &store.CorruptError{Path: r.Store, What: "the import would take its place"}
	}
	return asideName(r.Store, r.Host.Now()), nil
}

// asideName is where a damaged store is moved.
func asideName(path string, now time.Time) string {
	return path + ".damaged-" + now.UTC().Format("20060102T150405Z")
}

// build makes the store of the archives: of the full one if there is one, then of
// the slim ones, those that are newer than it.
func (r *Rebirth) build(ctx context.Context, temp string, v *report.ImportView) (full bool, err error) {
	var list []piece
	whole := ""
	for _, file := range r.Files {
		m, err := archive.ReadFile(ctx, file, r.IDs, nil)
		var bad *archive.DamagedError
		switch {
		case errors.As(err, &bad) && len(r.Files) > 1:
			v.Skipped = append(v.Skipped, report.LeftOut{Path: file, Reason: bad.Error()})
		case err != nil:
			return false, err
		case m.Kind == archive.Slim:
			list = append(list, piece{file, m.Snapshot.At, m.Snapshot.ID})
		case whole != "":
			return false, fmt.Errorf("%s is a second full archive: name one", file)
		default:
			whole = file
		}
	}
	slices.SortFunc(list, func(a, b piece) int {
		if c := a.at.Compare(b.at); c != 0 {
			return c
		}
		return strings.Compare(a.id+a.file, b.id+b.file)
	})
	list = slices.CompactFunc(list, func(a, b piece) bool { return a.id == b.id })
	if whole == "" && len(list) == 0 {
		return false, errors.New("no archive that could be read is left")
	}
	v.Kind = string(archive.Slim)
	if whole != "" {
		v.Kind = string(archive.Full)
		if err := r.whole(ctx, whole, temp, v); err != nil {
			return true, err
		}
	}
	return whole != "", r.pieces(ctx, list, whole == "", temp, v)
}

// whole takes the store out of a full archive.
func (r *Rebirth) whole(ctx context.Context, file, temp string, v *report.ImportView) error {
	c, err := archive.Load(ctx, file, r.IDs, func(_ *archive.Manifest, e archive.Entry) bool { return e.Name == archive.StoreName })
	if err != nil {
		return err
	}
	defer c.Close()
	if c.Kind != archive.Full {
		return fmt.Errorf("%s is no full archive, whatever its name says", file)
	}
	if err := c.Save(archive.StoreName, temp); err != nil {
		return err
	}
	made, err := store.Rekey(temp)
	if err != nil {
		return err
	}
	if made {
		err = update(temp, func(tx *store.Tx) error { return rebaseNewest(tx) })
	}
	v.From = append(v.From, file)
	return err
}

// rebaseNewest makes the next run compare no hash with those of a lost key.
func rebaseNewest(tx *store.Tx) error {
	seq := tx.Seq()
	h, ok, err := tx.Header(seq)
	if err != nil || !ok {
		return err
	}
	var info Info
	if err := json.Unmarshal(h.Body, &info); err != nil {
		return err
	}
	rebase(info.Systems)
	if h.Body, err = json.Marshal(info); err != nil {
		return err
	}
	return tx.Amend(seq, h)
}

func update(path string, fn func(*store.Tx) error) error {
	st, err := store.Open(path, store.Options{Wait: time.Second, Verify: true})
	if err != nil {
		return err
	}
	defer st.Close()
	return st.Update(fn)
}

// finish journals the import and checks every byte of the new store.
func (r *Rebirth) finish(ctx context.Context, temp string, full bool, v *report.ImportView) error {
	names := make([]string, len(v.From))
	for i, f := range v.From {
		names[i] = filepath.Base(f)
	}
	what := "this store was made of " + strings.Join(names, ", ")
	if v.Aside != "" {
		what += "; the damaged one was set aside as " + filepath.Base(v.Aside)
	}
	err := update(temp, func(tx *store.Tx) error {
		if full {
			if _, err := VerifyJournal(tx, nil); err != nil {
				return err
			}
		}
		stats, err := tx.Stats()
		if err != nil {
			return err
		}
		v.Snapshots = stats.Snapshots
		if h, ok, err := tx.Header(tx.Seq()); err != nil {
			return err
		} else if ok {
			v.Newest = &report.SnapshotRef{Seq: tx.Seq(), ID: h.ID, At: sec(h.At)}
		}
		return Append(tx, rules.Entry{At: r.Host.Now(), Actor: r.Actor, Tool: r.Version, Command: "archive import", Phase: "done", What: what})
	})
	if err != nil {
		return err
	}
	st, err := store.Open(temp, store.Options{ReadOnly: true, Verify: true, Wait: time.Second})
	if err != nil {
		return err
	}
	defer st.Close()
	problems, err := st.Verify(ctx, true)
	if err == nil && len(problems) > 0 {
		err = fmt.Errorf("what came of it is damaged: %s: %s", problems[0].Where, problems[0].What)
	}
	return err
}
