package store

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// Folder is the name of the folder that holds a store by default. Only such a
// folder, or one made here, is given its mode and its .gitignore.
const Folder = ".audit"

const keyLen = 32

// prepare makes folder and store where Options.Create asks for it, and refuses
// links and everything that is not a file.
func prepare(path string, o Options) error {
	create := o.Create && !o.ReadOnly
	if err := folder(filepath.Dir(path), create); err != nil {
		return err
	}
	err := regular(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && create:
		return makeFile(path, o)
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("open store %s: %w", path, ErrNotExist)
	}
	if place := (*PathError)(nil); errors.As(err, &place) {
		place.Lost = true
	}
	return err
}

// regular refuses links and everything that is not a file.
func regular(path string) error {
	fi, err := os.Lstat(path)
	switch {
	case err != nil:
		return fmt.Errorf("open store: %w", err)
	case fi.Mode()&fs.ModeSymlink != 0:
		return &PathError{Path: path, What: "it is a symbolic link"}
	case !fi.Mode().IsRegular():
		return &PathError{Path: path, What: "it is not a regular file", Folder: fi.IsDir()}
	}
	return nil
}

// Exists returns nil where something stands that Open may open, and otherwise
// the error of Open, ErrNotExist or a *PathError. It opens nothing.
func Exists(path string) error { return prepare(path, Options{ReadOnly: true}) }

// folder checks the folder of the store and makes it where it may.
func folder(dir string, create bool) error {
	fi, err := os.Lstat(dir)
	made := false
	if errors.Is(err, fs.ErrNotExist) {
		if !create {
			return fmt.Errorf("open store in %s: %w", dir, ErrNotExist)
		}
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return fmt.Errorf("make store folder: %w", err)
		}
		made = true
		fi, err = os.Lstat(dir)
	}
	switch {
	case errors.Is(err, syscall.ENOTDIR):
		return &PathError{Path: dir, What: "it lies below what is not a folder"}
	case err != nil:
		return fmt.Errorf("open store folder: %w", err)
	case fi.Mode()&fs.ModeSymlink != 0:
		return &PathError{Path: dir, What: "the folder is a symbolic link"}
	case !fi.IsDir():
		return &PathError{Path: dir, What: "it is not a folder"}
	}
	if !create || !made && filepath.Base(dir) != Folder {
		return nil
	}
	if fi.Mode().Perm() != 0o700 {
		if err := os.Chmod(dir, 0o700); err != nil {
			return fmt.Errorf("make store folder private: %w", err)
		}
	}
	return ignore(filepath.Join(dir, ".gitignore"))
}

// ignore keeps git from what lies in the store's folder: the store holds the key
// of the hashes and the bytes of the project. A file of that name that says less,
// such as one that a full disk left empty, is replaced.
func ignore(path string) error {
	if fi, err := os.Lstat(path); err == nil && fi.Mode().IsRegular() && fi.Size() < 1<<16 {
		if b, err := os.ReadFile(path); err == nil && slices.Contains(strings.Fields(string(b)), "*") {
			return nil
		}
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), ".gitignore-*")
	if err == nil {
		defer os.Remove(tmp.Name())
		_, err = tmp.WriteString("*\n")
		err = errors.Join(err, tmp.Close())
	}
	if err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("make store folder: %w", err)
	}
	return nil
}

// makeFile makes a new store under another name first, so that there never is
// half a store at path; when another process is faster, its store stands.
func makeFile(path string, o Options) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".new-*")
	if err != nil {
		return fmt.Errorf("make store: %w", err)
	}
	defer os.Remove(tmp.Name())
	if err := initialise(tmp, o); err != nil {
		return fmt.Errorf("make store %s: %w", path, err)
	}
	switch err := os.Link(tmp.Name(), path); {
	case err == nil, errors.Is(err, fs.ErrExist):
	case errors.Is(err, syscall.EPERM), errors.Is(err, errors.ErrUnsupported): // no hard links there
		if err := os.Rename(tmp.Name(), path); err != nil {
			return fmt.Errorf("make store: %w", err)
		}
	default:
		return fmt.Errorf("make store: %w", err)
	}
	return syncDir(filepath.Dir(path))
}

// initialise writes an empty store into f and closes it.
func initialise(f *os.File, o Options) (err error) {
	db, err := openBolt(f.Name(), f, false)
	if err != nil {
		f.Close()
		return err
	}
	s := &Store{path: f.Name(), db: db}
	defer func() { err = errors.Join(err, db.Close()) }()
	key := make([]byte, keyLen)
	rand.Read(key) // never fails: crypto/rand.Read
	say, err := json.Marshal(about{Schema: Schema, MinReader: Schema, ID: uuid(), Created: o.Now.UTC(), Host: o.Host})
	if err != nil {
		return err
	}
	return s.raw(true, func(tx *Tx) error {
		for i, name := range names {
			if tx.b[i], err = tx.tx.CreateBucket([]byte(name)); err != nil {
				return err
			}
		}
		return errors.Join(tx.put(bMeta, aboutKey, say), tx.put(bMeta, hmacKey, key))
	})
}

// uuid returns a random UUID: RFC 9562, version 4.
func uuid() string {
	var b [16]byte
	rand.Read(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("make store: %w", err)
	}
	defer d.Close()
	if err := d.Sync(); err != nil && !errors.Is(err, syscall.EINVAL) { // some file systems cannot
		return fmt.Errorf("make store: %w", err)
	}
	return nil
}

// openFile opens and locks the file at path. While it waits for the lock,
// another file may be put at path; then that one is opened.
func openFile(path string, o Options) (*os.File, error) {
	flag := os.O_RDWR
	if o.ReadOnly {
		flag = os.O_RDONLY
	}
	end := deadline(o.Wait)
	for {
		f, err := os.OpenFile(path, flag|noFollow, 0)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("open store %s: %w", path, ErrNotExist)
		}
		if err != nil {
			return nil, fmt.Errorf("open store: %w", err)
		}
		same, err := take(f, path, o.ReadOnly, end)
		if err == nil && same {
			return f, nil
		}
		f.Close()
		if err != nil {
			return nil, fmt.Errorf("open store %s: %w", path, err)
		}
	}
}

// take locks f and makes it private. It returns false when path names another
// file by now.
func take(f *os.File, path string, share bool, end <-chan time.Time) (bool, error) {
	if err := lockFile(f, share, end); err != nil {
		return false, err
	}
	fi, err := f.Stat()
	if err != nil {
		return false, err
	}
	now, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, ErrNotExist
	}
	if err != nil || !os.SameFile(fi, now) {
		return false, err
	}
	if fi.Mode().Perm()&0o077 != 0 {
		if err := f.Chmod(0o600); err != nil && !share { // a reader need not be the owner
			return false, fmt.Errorf("make it private: %w", err)
		}
	}
	return true, nil
}

// lockFile locks f until it is closed; bbolt's own lock on it, the same, then
// succeeds at once. end nil tries once.
func lockFile(f *os.File, share bool, end <-chan time.Time) error {
	for pause := time.Millisecond; ; pause = min(2*pause, 25*time.Millisecond) {
		got, err := tryLock(f, share)
		if got {
			return nil
		}
		if err != nil {
			return fmt.Errorf("lock: %w", err)
		}
		if end == nil {
			return ErrLocked
		}
		select {
		case <-end:
			return ErrLocked
		case <-time.After(pause):
		}
	}
}

// deadline returns a channel that fires when the wait is over; nil for no wait.
func deadline(wait time.Duration) <-chan time.Time {
	if wait == 0 {
		wait = DefaultWait
	}
	if wait < 0 {
		return nil
	}
	return time.NewTimer(wait).C
}
