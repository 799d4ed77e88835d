package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"healthaudit/audit/pipeline"
	"healthaudit/report"
	"healthaudit/snapshot"
	"healthaudit/snapshot/archive"
	"healthaudit/snapshot/store"
)

// A source is where a restore takes from.
type source struct {
	snap    *snapshot.Snapshot
	latest  *snapshot.Snapshot // of the store; nil without one
	bytes   func(sum string) ([]byte, error)
	extra   []archive.Wanted  // of an archive: what no snapshot has
	of      map[string]string // path → snapshot it is of, with --last-good
	good    func(key snapshot.Key, seq uint64) (*snapshot.Item, uint64, error)
	missing []report.RestoreFile // what could not even be planned
	close   func()
}

// Items of files that are in no snapshot.
const (
	secretFiles snapshot.Key = "audit/(secrets)" // .env and its like, of an encrypted archive
	pm2Home     snapshot.Key = "pm2/(home)"      // what PM2 keeps, of an encrypted archive
)

// wanted returns what is to be brought back, and sees to it that its bytes can be read.
func (b *bringing) wanted(ctx context.Context) ([]archive.Wanted, error) {
	if err := b.latest(); err != nil {
		return nil, err
	}
	switch {
	case b.Undo > 0:
		return b.undo()
	case b.Archive != "":
		if err := b.unpack(ctx); err != nil {
			return nil, err
		}
	default:
		if err := b.stored(); err != nil {
			return nil, err
		}
	}
	if !b.LastGood {
		return b.choose()
	}
	if b.Archive != "" {
		return nil, &usageError{"--last-good looks through the store, and --archive names another place", "audit archive import makes a store of archives"}
	}
	var wanted []archive.Wanted
	err := b.st.View(func(tx *store.Tx) (err error) {
		b.from.good = pipeline.LastGood(tx)
		wanted, err = b.choose()
		return err
	})
	return wanted, err
}

// stored takes from the store.
func (b *bringing) stored() error {
	b.from.bytes = b.blob
	return b.st.View(func(tx *store.Tx) error {
		seq, err := find(tx, b.Snapshot, b.a.Now())
		if err != nil {
			return err
		}
		tx.Forgive()
		snap, info, err := pipeline.LoadSnapshot(tx, seq)
		if err != nil {
			return err
		}
		snap.Content = nil // the transaction ends
		b.from.snap, b.seq, b.view.Snapshot = snap, seq, ref(seq, info)
		return nil
	})
}

func (b *bringing) blob(sum string) (raw []byte, err error) {
	err = b.st.View(func(tx *store.Tx) (err error) { raw, err = tx.Blob(sum); return err })
	return raw, err
}

// unpack takes from an archive, which is read to its end before anything is written.
func (b *bringing) unpack(ctx context.Context) error {
	ids, err := b.keys(b.a)
	if err != nil {
		return err
	}
	c, err := archive.Load(ctx, b.Archive, ids, func(*archive.Manifest, archive.Entry) bool { return true })
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "audit-restore-*")
	if err != nil {
		c.Close()
		return err
	}
	b.from.close = func() { c.Close(); os.RemoveAll(dir) }
	u, done, err := pipeline.Unpack(ctx, c, dir)
	if err != nil {
		return err
	}
	b.from.close = func() { done(); c.Close(); os.RemoveAll(dir) }
	b.from.snap, b.seq = u.Snapshot, u.Manifest.Snapshot.Seq
	info := u.Info
	if u.Store != nil {
		if info, err = b.within(u); err != nil {
			return err
		}
	} else if !names(b.Snapshot, u.Manifest.Snapshot) {
		return &usageError{fmt.Sprintf("that archive holds snapshot #%d (%s) alone, and not %q", b.seq, u.Manifest.Snapshot.ID, b.Snapshot), "audit restore latest --archive FILE takes it"}
	}
	b.view.Snapshot, b.view.Archive = ref(b.seq, info), b.shownArchive()
	sums := map[string]string{}
	for _, e := range c.Entries {
		b.from.add(c, e, sums)
	}
	b.from.bytes = func(sum string) ([]byte, error) {
		if name, ok := sums[sum]; ok {
			return c.Bytes(name)
		}
		return u.Bytes(sum)
	}
	return nil
}

// within finds the snapshot that is meant in the store of a full archive.
func (b *bringing) within(u *pipeline.Unpacked) (info *pipeline.Info, err error) {
	err = u.Store.View(func(tx *store.Tx) (err error) {
		if b.seq, err = find(tx, b.Snapshot, b.a.Now()); err != nil {
			return err
		}
		b.from.snap, info, err = pipeline.LoadSnapshot(tx, b.seq)
		return err
	})
	return info, err
}

// add notes an entry that no snapshot has.
func (s *source) add(c *archive.Contents, e archive.Entry, sums map[string]string) {
	f := snapshot.File{Mode: e.Mode, Size: e.Size, SHA256: e.SHA256}
	switch {
	case strings.HasPrefix(e.Name, archive.SecretsFolder):
		f.Path = strings.TrimPrefix(e.Name, archive.SecretsFolder)
		s.extra = append(s.extra, archive.Wanted{Item: secretFiles, File: f})
	case strings.HasPrefix(e.Name, archive.PM2Folder):
		f.Path = "pm2-home-" + strings.TrimPrefix(e.Name, archive.PM2Folder)
		s.extra = append(s.extra, archive.Wanted{Item: pm2Home, File: f})
	default:
		return
	}
	sums[e.SHA256] = e.Name
}

// names reports whether an expression means the one snapshot of a slim archive.
func names(expr string, r archive.Ref) bool {
	if expr == "latest" || expr == fmt.Sprintf("#%d", r.Seq) {
		return true
	}
	return len(expr) >= 8 && strings.HasPrefix(r.ID, strings.ToUpper(expr))
}

// undo takes what stood there before another restore.
func (b *bringing) undo() (wanted []archive.Wanted, err error) {
	b.from.bytes = b.blob
	err = b.st.View(func(tx *store.Tx) error {
		list, now, target, err := pipeline.Undo(tx, b.Undo)
		if err != nil {
			return &usageError{err.Error(), "audit journal lists what was done; a restore prints the number that undoes it"}
		}
		here, err := filepath.Abs(b.target.Name())
		if err != nil {
			return err
		}
		if target != here {
			return &usageError{fmt.Sprintf("that restore wrote to %s", target), "name it: --target " + target}
		}
		wanted = list
		b.r.Latest = func(p string) (snapshot.File, bool) { f, ok := now[p]; return f, ok }
		b.r.Since = "that restore"
		b.view.Snapshot = report.SnapshotRef{Seq: tx.Seq()}
		if h, ok, err := tx.Header(tx.Seq()); err == nil && ok {
			b.view.Snapshot = report.SnapshotRef{Seq: tx.Seq(), ID: h.ID, At: h.At.UTC().Truncate(time.Second)}
		}
		b.seq, b.view.Undone = tx.Seq(), b.Undo
		return nil
	})
	return wanted, err
}

var errNoGood = errors.New("in no snapshot was it good: free of what is as bad as now, and of anything of high severity")
