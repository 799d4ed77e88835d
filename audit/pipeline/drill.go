package pipeline

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"filippo.io/age"

	"healthaudit/audit"
	"healthaudit/report"
	"healthaudit/rules"
	"healthaudit/snapshot"
	"healthaudit/snapshot/archive"
	"healthaudit/snapshot/collect"
	"healthaudit/snapshot/host"
	"healthaudit/snapshot/store"
)

// A Drill proves that an archive comes back: it is restored into a temporary
// folder, what came back is audited, and compared with the snapshot that the
// archive was made of. Processes are not looked at, and what is secret in the
// archive is read but written nowhere. The caller holds the run lock.
type Drill struct {
	Host       host.Host
	Config     *Config
	Collectors []*collect.Collector
	Checks     []*audit.Check
	Store      string // path of the store that keeps the result
	File       string
	IDs        []age.Identity
	Version    string
	Actor      rules.Actor
}

// A NotDrilledError says that there was no place to bring an archive back to:
// nothing that says something of the archive.
type NotDrilledError struct{ Err error }

func (e *NotDrilledError) Error() string { return "the drill could not be done: " + e.Err.Error() }
func (e *NotDrilledError) Unwrap() error { return e.Err }

// Run does the drill and keeps its result in store and journal, also that it
// failed. An error says that it could not be done at all, or that nothing could
// be kept of it; NotDrilledError, that there was no place.
func (d *Drill) Run(ctx context.Context) (*report.DrillView, error) {
	v := &report.DrillView{Path: shown(d.Host.Root(), d.File), Differences: []report.LeftOut{}}
	err := d.try(ctx, v)
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if err != nil {
		return nil, err
	}
	v.Passed = len(v.Differences) == 0
	return v, d.keep(v)
}

// opened says of an archive that did not open that it does not come back, unless
// there was no place to put it.
func opened(v *report.DrillView, err error) error {
	if place := (*archive.PlaceError)(nil); errors.As(err, &place) {
		return &NotDrilledError{place}
	}
	differs(v, v.Path, ofArchive(err).Error())
	return nil
}

// ofArchive is what is wrong with an archive, without the path that was read.
func ofArchive(err error) error {
	var bad *archive.DamagedError
	switch {
	case errors.As(err, &bad):
		return bad
	case errors.Is(err, archive.ErrIdentity):
		return archive.ErrIdentity
	}
	return err
}

func (d *Drill) keep(v *report.DrillView) error {
	e := rules.Entry{At: d.Host.Now(), Actor: d.Actor, Tool: d.Version, Command: "archive drill", Phase: "done",
		What: fmt.Sprintf("%s came back: %d files, %d items", filepath.Base(d.File), v.Files, v.Items)}
	if !v.Passed {
		e.Phase, e.What = "failed", fmt.Sprintf("%s did not come back as it was: %s: %s", filepath.Base(d.File), v.Differences[0].Path, v.Differences[0].Reason)
	}
	return update(d.Store, func(tx *store.Tx) error {
		if v.Passed {
			b, err := readBackups(tx)
			if err != nil {
				return err
			}
			now := d.Host.Now().UTC()
			b.Drilled = &now
			if err := writeBackups(tx, b); err != nil {
				return err
			}
		}
		return Append(tx, e)
	})
}

func (d *Drill) try(ctx context.Context, v *report.DrillView) error {
	dir, err := os.MkdirTemp("", "audit-drill-*")
	if err != nil {
		return &NotDrilledError{err}
	}
	defer os.RemoveAll(dir)
	c, err := archive.Load(ctx, d.File, d.IDs, func(_ *archive.Manifest, e archive.Entry) bool {
		return strings.HasPrefix(e.Name, archive.FilesFolder) || e.Name == archive.StateName || e.Name == archive.StoreName
	})
	if err != nil {
		return opened(v, err)
	}
	defer c.Close()
	v.Snapshot, v.LeftOut = report.SnapshotRef{Seq: c.Snapshot.Seq, ID: c.Snapshot.ID, At: sec(c.Snapshot.At)}, len(c.LeftOut)
	back, done, err := Unpack(ctx, c, dir)
	if err != nil {
		return opened(v, err)
	}
	defer done()
	project := filepath.Join(dir, "project")
	if err := d.restore(back, project, v); err != nil {
		return err
	}
	again, err := d.audit(ctx, project, filepath.Join(dir, "no-store.db"))
	if err != nil {
		return fmt.Errorf("audit what came back: %w", err)
	}
	compareDrill(back, again, v)
	return d.withStore(back, v)
}

// restore brings every file back that the archive holds. Errors: NotDrilledError.
func (d *Drill) restore(back *Unpacked, project string, v *report.DrillView) error {
	if err := os.Mkdir(project, 0o700); err != nil {
		return &NotDrilledError{err}
	}
	root, err := os.OpenRoot(project)
	if err != nil {
		return &NotDrilledError{err}
	}
	defer root.Close()
	var wanted []archive.Wanted
	_ = each(back.Snapshot, func(f snapshot.File) error {
		if back.Holds(f) {
			wanted = append(wanted, archive.Wanted{File: f})
		}
		return nil
	})
	r := &archive.Restorer{Target: root, Policy: archive.Never, Bytes: back.Bytes}
	for _, o := range r.Do(r.Plan(wanted)) {
		if o.NoRoom {
			return &NotDrilledError{fmt.Errorf("%s: %s", o.File.Path, o.Reason)}
		}
		if o.Action != archive.Written {
			differs(v, o.File.Path, o.Reason)
			continue
		}
		v.Files++
	}
	return nil
}

// audit collects what came back. Nothing of it is kept.
func (d *Drill) audit(ctx context.Context, project, none string) (*snapshot.Snapshot, error) {
	quiet := func(name string) string { // nothing of this machine but the way to its programs
		if name == "PATH" {
			return d.Host.Env(name)
		}
		return ""
	}
	h, err := host.New(project, quiet, d.Host.Now)
	if err != nil {
		return nil, err
	}
	defer h.Close()
	cfg := *d.Config
	cfg.Only, cfg.Skip, cfg.Backups = []snapshot.System{snapshot.Workflows, snapshot.Functions, snapshot.Scripts}, nil, Backups{}
	s := &session{Runner: &Runner{Host: h, Config: &cfg, Collectors: d.Collectors, Checks: d.Checks, Store: none, Version: d.Version, Ephemeral: true}, started: d.Host.Now().UTC()}
	defer s.close()
	s.list(ctx)
	if err := s.open(); err != nil {
		return nil, err
	}
	err = s.look(ctx)
	return s.snap, err
}

// compareDrill looks for every item whose own files all came back.
func compareDrill(back *Unpacked, again *snapshot.Snapshot, v *report.DrillView) {
	for _, old := range back.Snapshot.Items {
		if !comparable(back, old) {
			continue
		}
		now := again.Item(old.Key)
		if now == nil {
			differs(v, string(old.Key), "an audit of what came back does not find it")
			continue
		}
		if len(rewritten(old.Files, now.Files)) > 0 {
			differs(v, string(old.Key), "an audit of what came back finds other bytes")
			continue
		}
		v.Items++
	}
}

// comparable reports whether an item must be found again in its own files alone.
func comparable(back *Unpacked, it *snapshot.Item) bool {
	if it.System() == snapshot.PM2 || it.Carried || len(it.Files) == 0 || it.Source == snapshot.Followed || !back.Snapshot.System(it.System()).Status.Listed() {
		return false
	}
	own := 0
	for _, f := range it.Files {
		if f.Role == snapshot.Shared {
			continue
		}
		if own++; !back.Holds(f) || f.Link != "" {
			return false
		}
	}
	return own > 0
}

// withStore compares with the snapshot in the store, where that still is.
func (d *Drill) withStore(back *Unpacked, v *report.DrillView) error {
	st, err := store.Open(d.Store, store.Options{ReadOnly: true, Wait: 10 * time.Second})
	if err != nil {
		return err
	}
	defer st.Close()
	return st.View(func(tx *store.Tx) error {
		seqs := tx.ByID(back.Snapshot.ID)
		if len(seqs) != 1 {
			return nil
		}
		kept, _, err := LoadSnapshot(tx, seqs[0])
		if err != nil {
			return err
		}
		for _, it := range kept.Items {
			if other := back.Snapshot.Item(it.Key); other == nil || string(other.Encode()) != string(it.Encode()) {
				differs(v, string(it.Key), "the archive knows it otherwise than the snapshot it was made of")
			}
		}
		if n := len(back.Snapshot.Items); n != len(kept.Items) {
			differs(v, "(items)", fmt.Sprintf("the archive has %d, the snapshot it was made of %d", n, len(kept.Items)))
		}
		return nil
	})
}

func differs(v *report.DrillView, path, why string) {
	v.Differences = append(v.Differences, report.LeftOut{Path: path, Reason: why})
}
