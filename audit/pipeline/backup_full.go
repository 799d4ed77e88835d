package pipeline

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"

	"healthaudit/snapshot"
	"healthaudit/snapshot/archive"
	"healthaudit/snapshot/store"
)

// copyStore makes a full archive's copy of the store in a temporary file. An
// archive in the clear has neither the key of the hashes nor bytes that a slim
// one would leave out, of any snapshot.
func copyStore(tx *store.Tx, sealed bool, dir string) (src archive.Source, left []archive.LeftOut, remove func(), err error) {
	o := store.CopyOptions{NoKey: !sealed}
	if !sealed {
		var keep map[string]bool
		if keep, left, err = harmless(tx); err != nil {
			return src, nil, nil, err
		}
		o.Keep = func(sum string) bool { return keep[sum] }
	}
	folder, err := os.MkdirTemp(dir, copyFolder+"*")
	if err != nil {
		return src, nil, nil, err
	}
	remove = func() { os.RemoveAll(folder) }
	file := filepath.Join(folder, "audit.db")
	if err := tx.CopyTo(file, o); err != nil {
		remove()
		return src, nil, nil, err
	}
	st, err := os.Stat(file)
	if err == nil {
		src.Entry = archive.Entry{Name: archive.StoreName, Mode: 0o600, Size: st.Size()}
		src.Entry.SHA256, err = archive.Digest(file)
		src.Open = func() (io.ReadCloser, error) { return os.Open(file) }
	}
	if err != nil {
		remove()
	}
	return src, left, remove, err
}

// harmless returns the digests of the bytes that may lie in the clear: those of
// files of which no version ever had a value that is masked, and of trees.
func harmless(tx *store.Tx) (keep map[string]bool, left []archive.LeftOut, err error) {
	keep = map[string]bool{}
	masked, files := map[string]bool{}, map[string]map[string]bool{}
	g := &gatherer{}
	note := func(s *snapshot.Snapshot) {
		for p := range Masked(s) {
			masked[p] = true
		}
		for p := range unmaskable(s) {
			masked[p] = true
		}
		_ = each(s, func(f snapshot.File) error {
			if f.SHA256 != "" && f.Link == "" {
				if files[f.Path] == nil {
					files[f.Path] = map[string]bool{}
				}
				files[f.Path][f.SHA256] = true
			}
			return nil
		})
	}
	err = versions(tx, tableItem, func(_ string, value []byte) error {
		it, err := snapshot.DecodeItem(string(value))
		if err == nil {
			note(&snapshot.Snapshot{Items: []*snapshot.Item{it}})
		}
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	err = versions(tx, tableState, func(id string, value []byte) error {
		switch id {
		case rowTree:
			keep[string(bytes.Trim(value, `"`))] = true
		case rowContext:
			s := &snapshot.Snapshot{}
			if err := json.Unmarshal(value, &s.Context); err != nil {
				return err
			}
			note(s)
		}
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	for path, sums := range files {
		if masked[path] {
			g.out(path, outMasked)
			continue
		}
		for sum := range sums {
			b, err := tx.Blob(sum)
			switch {
			case errors.Is(err, store.ErrNoBlob):
				g.out(path, outUnkept)
			case err != nil:
				return nil, nil, err
			case tellsSecret(b):
				g.out(path, outTelling)
			default:
				keep[sum] = true
			}
		}
	}
	// The same bytes under a name that is harmless are no less secret.
	for path := range masked {
		for sum := range files[path] {
			delete(keep, sum)
		}
	}
	return keep, g.left, nil
}

// versions calls fn for every version of every row of a table.
func versions(tx *store.Tx, table string, fn func(id string, value []byte) error) error {
	return tx.Table(table).Changed(0, tx.Seq(), func(id string) (err error) {
		e := tx.Table(table).History(id, func(_ uint64, value []byte) bool {
			if value != nil {
				err = fn(id, value)
			}
			return err == nil
		})
		return errors.Join(e, err)
	})
}
