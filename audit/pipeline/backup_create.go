package pipeline

import (
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"healthaudit/report"
	"healthaudit/rules"
	"healthaudit/snapshot/archive"
	"healthaudit/snapshot/host"
	"healthaudit/snapshot/store"
)

// A Creation makes an archive of a stored snapshot. The caller holds the run lock.
type Creation struct {
	Host    host.Host
	Backups *Backups
	Store   string // path
	Seq     uint64
	Kind    archive.Kind
	Version string
	Actor   rules.Actor
}

// Run makes the archive, notes it, and removes what archive.keep lets go of.
// With an error nothing is left, and nothing was removed. Errors: *BackupError,
// those of the store, or the context's cause.
func (c *Creation) Run(ctx context.Context) (*report.ArchiveView, error) {
	to, err := c.Backups.recipients()
	if err != nil {
		return nil, err
	}
	st, err := store.Open(c.Store, store.Options{ReadOnly: true, Wait: 10 * time.Second})
	if err != nil {
		return nil, err
	}
	c.sweep()
	r := &request{cfg: c.Backups, host: c.Host, tool: c.Version, store: st.ID(), kind: c.Kind, to: to}
	var a *archiving
	err = st.View(func(tx *store.Tx) (err error) {
		a, err = c.write(ctx, r, st, tx)
		return err
	})
	st.Close()
	var bad *store.CorruptError
	switch {
	case ctx.Err() != nil:
		a.close()
		return nil, context.Cause(ctx)
	case errors.As(err, &bad):
		return nil, err
	case err != nil:
		return nil, c.Backups.failed(err, c.Host.Root())
	}
	if err := a.commit(); err != nil {
		a.close()
		return nil, c.Backups.failed(err, c.Host.Root())
	}
	if err := c.note(a, r.g.memo.fresh); err != nil {
		a.revoke()
		return nil, err
	}
	return c.view(r, a), a.thin()
}

func (c *Creation) write(ctx context.Context, r *request, st *store.Store, tx *store.Tx) (*archiving, error) {
	from, err := loadBacked(tx, c.Seq)
	if err != nil {
		return nil, err
	}
	known, err := readBackups(tx)
	if err != nil {
		return nil, err
	}
	r.from, r.thin = from, newThinner(c.Backups, c.Host.Root(), c.Store, &known)
	r.g = &gatherer{bytes: tx.Blob, has: tx.HasBlob, memo: &memo{tx: tx, fresh: map[string]made{}}, key: st.Key(), sealed: len(r.to) > 0, keys: c.Backups.keys()}
	if c.Seq == tx.Seq() { // what is never captured is only there as it is now
		r.g.host = c.Host
	}
	r.g.secrets(from.Snapshot)
	if err := r.g.files(from.Snapshot); err != nil {
		return nil, err
	}
	if c.Kind == archive.Full {
		var remove func()
		if r.full, r.left, remove, err = copyStore(tx, r.g.sealed, filepath.Dir(c.Store)); err != nil {
			return nil, err
		}
		defer remove()
		r.left = missingFrom(r.left, r.g.left)
	}
	return r.write(ctx)
}

// missingFrom returns those of more that are not in list.
func missingFrom(more, list []archive.LeftOut) (out []archive.LeftOut) {
	there := map[string]bool{}
	for _, l := range list {
		there[l.Path] = true
	}
	for _, l := range more {
		if !there[l.Path] {
			out = append(out, l)
		}
	}
	return out
}

// sweep removes what a killed run left of a copy of the store.
func (c *Creation) sweep() {
	dir := filepath.Dir(c.Store)
	list, _ := os.ReadDir(dir)
	for _, e := range list {
		if e.IsDir() && (strings.HasPrefix(e.Name(), copyFolder) || strings.HasPrefix(e.Name(), importFolder)) {
			os.RemoveAll(filepath.Join(dir, e.Name()))
		}
	}
}

// Beginnings of the names of folders that hold a store on its way.
const (
	copyFolder   = ".audit-copy-"
	importFolder = ".audit-import-"
)

// note records the archive, and what was found out about files on the way.
func (c *Creation) note(a *archiving, fresh map[string]made) error {
	st, err := store.Open(c.Store, store.Options{Wait: 10 * time.Second})
	if err != nil {
		return err
	}
	defer st.Close()
	return st.Update(func(tx *store.Tx) error {
		for _, key := range slices.Sorted(maps.Keys(fresh)) {
			var of []store.Begin
			for _, sum := range fresh[key].of {
				if b, ok := store.BeginOf(sum); ok {
					of = append(of, b)
				}
			}
			if err := tx.PutMade(key, fresh[key].value, of); err != nil {
				return err
			}
		}
		return a.record(tx, rules.Entry{At: c.Host.Now(), Actor: c.Actor, Tool: c.Version})
	})
}

func (c *Creation) view(r *request, a *archiving) *report.ArchiveView {
	v := &report.ArchiveView{Archive: *a.shown(c.Host.Root()), Kind: string(c.Kind), Removed: []string{}, LeftOut: []report.LeftOut{},
		Snapshot: report.SnapshotRef{Seq: c.Seq, ID: r.from.Info.ID, At: sec(r.from.Info.Started)}}
	if a.copy != nil {
		v.Copy = a.copy.Path()
	}
	for _, d := range a.Drop {
		v.Removed = append(v.Removed, d.File)
	}
	for _, l := range a.Made.LeftOut {
		v.LeftOut = append(v.LeftOut, report.LeftOut{Path: l.Path, Reason: l.Reason})
	}
	return v
}
