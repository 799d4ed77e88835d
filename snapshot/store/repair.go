package store

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// errShort is what a read beyond the end of a file that was cut off gives.
var errShort = io.ErrUnexpectedEOF

// A Repaired is what a repair found and did.
type Repaired struct {
	Store *Store    // the new store, open for writing and not yet in its place; nil when nothing could be saved
	Lost  []Problem // what the old one no longer held

	path, temp string
}

// Salvage makes a sound store of what is whole in the damaged one at path, beside
// it: the damaged file is only read. What rows refer to each other for is made
// right: a state that is lost is as if the item had been removed, never an older
// state. The caller completes it, and calls Place or Discard. It holds the run
// lock. Where both meta pages or the list of buckets are lost nothing can be
// saved: *CorruptError.
func Salvage(path string, now time.Time, host string) (*Repaired, error) {
	if err := Exists(path); err != nil {
		return nil, err
	}
	f, err := openFile(path, Options{Wait: DefaultWait})
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r := &Repaired{path: path, temp: path + ".repair"}
	if err := os.Remove(r.temp); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("repair store: %w", err)
	}
	if r.Lost, err = salvage(f, r.temp); err == nil {
		r.Store, err = r.open(now, host)
	}
	if err != nil {
		os.Remove(r.temp)
		return nil, corrupt(path, err)
	}
	return r, nil
}

func (r *Repaired) open(now time.Time, host string) (*Store, error) {
	f, err := os.OpenFile(r.temp, os.O_RDWR|noFollow, 0)
	if err != nil {
		return nil, err
	}
	db, err := openBolt(r.temp, f, false)
	if err != nil {
		f.Close()
		return nil, err
	}
	s := &Store{path: r.temp, file: f, db: db}
	m := &mender{lost: &r.Lost}
	err = s.raw(true, func(tx *Tx) error { m.tx = tx; return m.all(now, host) })
	if err == nil {
		err = s.load()
	}
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return s, nil
}

// Place puts the new store in the place of the damaged one, which stays under
// the name aside, in the same folder.
func (r *Repaired) Place(aside string) error {
	if err := r.Store.Close(); err != nil {
		return err
	}
	if err := os.Rename(r.path, aside); err != nil {
		return fmt.Errorf("repair store: %w", err)
	}
	if err := os.Rename(r.temp, r.path); err != nil {
		return fmt.Errorf("repair store: %w", errors.Join(err, os.Rename(aside, r.path)))
	}
	return syncDir(filepath.Dir(r.path))
}

// Discard takes the new store away.
func (r *Repaired) Discard() error {
	return errors.Join(r.Store.Close(), os.Remove(r.temp))
}
