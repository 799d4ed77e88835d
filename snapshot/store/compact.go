package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"time"

	bolt "go.etcd.io/bbolt"
)

// copyBytes bounds one transaction of a copy, in bytes.
const copyBytes = 1 << 20

// Compact writes the store at path into a new file without free pages and puts
// that in its place, in one step: a process that is killed leaves the old one.
// It returns the size of the file before and after, in bytes; where nothing can
// be gained the old one stays and both are the same. A damaged store is
// left as it is, with a *CorruptError. The caller holds the run lock.
func Compact(ctx context.Context, path string) (before, after int64, err error) {
	s, err := Open(path, Options{Wait: 10 * time.Second, Verify: true})
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	switch found, err := s.Verify(ctx, false); {
	case err != nil:
		return 0, 0, err
	case len(found) > 0:
		return 0, 0, &CorruptError{Path: path, What: found[0].Where + ": " + found[0].What, Hint: "audit store verify names all that is damaged, audit store verify --repair drops it"}
	}
	if before, err = size(s.file); err != nil {
		return 0, 0, err
	}
	temp := path + ".compact"
	if err := os.Remove(temp); err != nil && !errors.Is(err, os.ErrNotExist) { // of a run that was killed
		return 0, 0, fmt.Errorf("compact store: %w", err)
	}
	f, err := os.OpenFile(temp, os.O_RDWR|os.O_CREATE|os.O_EXCL|noFollow, 0o600)
	if err != nil {
		return 0, 0, fmt.Errorf("compact store: %w", err)
	}
	defer os.Remove(temp)
	if after, err = s.copyTo(f, temp); err != nil {
		return 0, 0, fmt.Errorf("compact store %s: %w", path, err)
	}
	if after >= before {
		return before, before, nil
	}
	if runtime.GOOS == "windows" { // an open file cannot be replaced there; the run lock keeps writers away
		if err := s.Close(); err != nil {
			return 0, 0, err
		}
	}
	if err := os.Rename(temp, path); err != nil {
		return 0, 0, fmt.Errorf("compact store: %w", err)
	}
	return before, after, syncDir(filepath.Dir(path))
}

// copyTo writes all rows into f, which it closes, and checks the result.
func (s *Store) copyTo(f *os.File, path string) (after int64, err error) {
	defer guard(s.path, &err)()
	db, err := openBolt(path, f, false)
	if err != nil {
		f.Close()
		return 0, err
	}
	err = bolt.Compact(db, s.db, copyBytes)
	if err = errors.Join(err, db.Close()); err != nil {
		return 0, err
	}
	made, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer made.Close()
	if err := checkFile(made, Options{Verify: true}); err != nil {
		return 0, err
	}
	return size(made)
}

func size(f *os.File) (int64, error) {
	fi, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return fi.Size(), nil
}
