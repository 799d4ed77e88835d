package pipeline

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"healthaudit/report"
	"healthaudit/snapshot"
	"healthaudit/snapshot/archive"
	"healthaudit/snapshot/store"
)

// A piece is a slim archive that was read to its end once.
type piece struct {
	file string
	at   time.Time
	id   string
}

// pieces puts a snapshot of each slim archive into the store: into a new one, or
// into that of a full archive those that it does not have and that are newer.
func (r *Rebirth) pieces(ctx context.Context, list []piece, create bool, temp string, v *report.ImportView) error {
	st, err := store.Open(temp, store.Options{Create: create, Now: r.Host.Now(), Host: r.Host.Name(), Verify: !create})
	if err != nil {
		return err
	}
	defer st.Close()
	var newest time.Time
	err = st.View(func(tx *store.Tx) error {
		h, _, err := tx.Header(tx.Seq())
		newest = h.At
		return err
	})
	if err != nil {
		return err
	}
	for i, p := range list {
		if !create && !p.at.Truncate(time.Millisecond).After(newest) { // headers keep milliseconds
			continue
		}
		if err := r.piece(ctx, st, p, create && i == 0); err != nil {
			return fmt.Errorf("%s: %w", p.file, err)
		}
		v.From = append(v.From, p.file)
	}
	if !create {
		return nil
	}
	return st.Update(func(tx *store.Tx) error {
		return writeBackups(tx, backupState{First: list[0].at.UTC()})
	})
}

// maxBatch is how many bytes of files are put into a store in one transaction.
const maxBatch = 8 << 20

// piece puts one slim archive into the store.
func (r *Rebirth) piece(ctx context.Context, st *store.Store, p piece, first bool) error {
	var state, key []byte
	var batch [][]byte
	size := 0
	flush := func() error {
		err := st.Update(func(tx *store.Tx) error {
			for _, b := range batch {
				if err := tx.PutBlob(snapshot.Sum(b), b, ""); err != nil {
					return err
				}
			}
			return nil
		})
		batch, size = nil, 0
		return err
	}
	_, err := archive.ReadFile(ctx, p.file, r.IDs, func(_ *archive.Manifest, e archive.Entry, in io.Reader) error {
		if e.Link != "" || !strings.HasPrefix(e.Name, archive.FilesFolder) && e.Name != archive.StateName && e.Name != archive.KeyName {
			return nil
		}
		b, err := io.ReadAll(in)
		switch {
		case err != nil:
			return err
		case e.Name == archive.StateName:
			state = b
		case e.Name == archive.KeyName:
			key = b
		default:
			if batch, size = append(batch, b), size+len(b); size > maxBatch {
				return flush()
			}
		}
		return nil
	})
	if err == nil {
		err = flush()
	}
	if err != nil {
		return err
	}
	s, err := decodeState(state)
	if err != nil {
		return err
	}
	if first && key != nil {
		if err := st.SetKey(key); err != nil {
			return err
		}
	}
	if key == nil || string(key) != string(st.Key()) {
		rebase(s.Info.Systems)
	}
	return st.Update(func(tx *store.Tx) error { _, err := s.insert(tx); return err })
}
