// Package store keeps snapshots in one bbolt file: temporal tables, captured
// bytes, volatile readings, the analysis cache, stat shortcuts and the journal.
//
// Invariants: every commit is one synced bbolt transaction; every row carries a
// check over its bucket, key and value that is verified on each read; the
// page structure is checked before bbolt may read a page, because a fault in a
// mapped file cannot be recovered. A read gives what was written or a
// *CorruptError, never anything else.
//
// It knows nothing of what it keeps: tables hold bytes under names. It prunes what
// it is told to, and what is left reads as if the rest had never been. Nothing is
// repaired in place: Salvage makes a new store of what is whole.
package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync/atomic"
	"time"

	bolt "go.etcd.io/bbolt"
)

// Schema is the version of the file format this package writes and reads.
//
//	1  the first
//	2  headers have a brief and a compressed body; analyses name what they were made of
//	3  older versions, and headers, may be differences; entries of the journal are compressed
const Schema = 3

// DefaultWait is how long Open waits for the file when Options.Wait is zero.
const DefaultWait = time.Second

// Options says how Open opens. The zero value opens an existing store for
// reading and writing.
type Options struct {
	ReadOnly bool          // share the file with other readers; nothing is created
	Create   bool          // make the store, and its folder, when it is not there
	Lazy     bool          // of a reader: check each page when it is first come to, of large files too
	Once     bool          // of a reader that comes by most rows once: a scan lets go of the pages it passed
	Verify   bool          // check the structure of a file of any size
	Checked  bool          // this process checked it a moment ago, and its run lock kept others from writing since
	Wait     time.Duration // for another process to let go of the file; 0 is DefaultWait, less tries once
	Now      time.Time     // creation time of a new store
	Host     string        // host name kept in a new store
}

// A Store is one open store file. View, Update and Begin are safe for
// concurrent use.
type Store struct {
	path  string
	file  *os.File
	db    *bolt.DB
	ro    bool
	once  bool  // see Options
	size  int64 // of the file when it was opened, in bytes
	about about
	open  atomic.Int64 // transactions of Begin that have not ended
	lazy  *lazyLayout  // nil where all was checked
}

// Open opens the store at path, which must lie in a real folder and be a real
// file: symbolic links are refused. Errors: ErrNotExist, ErrLocked,
// *CorruptError (also for what is no store at all), *NewerError, or the
// operating system's. A store is locked against other processes while it is
// open, readers sharing it: open late, close early.
func Open(path string, o Options) (*Store, error) {
	if err := prepare(path, o); err != nil {
		return nil, err
	}
	f, err := openFile(path, o)
	if err != nil {
		return nil, err
	}
	fi, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, err
	}
	var lazy *lazyLayout
	if o.Lazy && o.ReadOnly && !o.Verify {
		lazy, err = newLazyLayout(f)
	} else {
		err = checkFile(f, o)
	}
	if err != nil {
		f.Close()
		return nil, corrupt(path, err)
	}
	db, err := openBolt(path, f, o.ReadOnly)
	if err != nil {
		f.Close() // frees the lock also after a panic of bbolt
		return nil, err
	}
	s := &Store{path: path, file: f, db: db, ro: o.ReadOnly, once: o.ReadOnly && o.Once, size: fi.Size(), lazy: lazy}
	if err := s.load(); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	if err := s.migrate(); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return s, nil
}

// openBolt lets bbolt take over the locked and checked file.
func openBolt(path string, f *os.File, readOnly bool) (db *bolt.DB, err error) {
	defer guard(path, &err)()
	db, err = bolt.Open(path, 0o600, &bolt.Options{
		ReadOnly:     readOnly,
		Timeout:      DefaultWait, // the file is locked already; 0 would wait for ever
		FreelistType: bolt.FreelistMapType,
		PageSize:     pageSize,
		NoStatistics: true,
		// Address space, not memory: a first run then grows the file without mapping
		// it again, which makes bbolt copy every key it holds.
		InitialMmapSize: mapAhead(readOnly),
		OpenFile:        func(string, int, os.FileMode) (*os.File, error) { return f, nil },
	})
	if err != nil {
		return nil, fmt.Errorf("open store %s: %w", path, err)
	}
	db.AllocSize = growStep
	return db, nil
}

// growStep is how far beyond what is needed the file grows, in bytes.
const growStep = 256 << 10

// mapAhead is how far beyond the file a writer maps, in bytes.
func mapAhead(readOnly bool) int {
	if readOnly || runtime.GOOS == "windows" { // there the file would be grown to it
		return 0
	}
	return 256 << 20
}

// load reads what the store says of itself and refuses what is not ours.
func (s *Store) load() error {
	return s.raw(false, func(tx *Tx) error {
		a, err := tx.about()
		if err != nil {
			return err
		}
		if a.Schema > Schema || a.MinReader > Schema {
			return &NewerError{Path: s.path, Schema: max(a.Schema, a.MinReader), Known: Schema}
		}
		if err := tx.complete(); err != nil {
			return err
		}
		s.about = a
		return nil
	})
}

// migrations lead from the schema of their number to the next. Rows that tell
// their own form need none; what an older program cannot read needs one.
var migrations = map[int]func(*Tx) error{
	1: func(*Tx) error { return nil }, // headers and analyses of schema 1 are read as they are
	2: func(*Tx) error { return nil }, // versions, headers and entries of schema 2 as well
}

// migrate brings a store that is open for writing to the schema of this program,
// in one transaction. A reader reads older schemas as they are.
func (s *Store) migrate() error {
	if s.ro || s.about.Schema >= Schema {
		return nil
	}
	a := s.about
	err := s.raw(true, func(tx *Tx) error {
		for ; a.Schema < Schema; a.Schema++ {
			step := migrations[a.Schema]
			if step == nil {
				return &CorruptError{Path: s.path, What: fmt.Sprintf("its schema %d never was", a.Schema), Hint: hint}
			}
			if err := step(tx); err != nil {
				return fmt.Errorf("migrate store %s from schema %d: %w", s.path, a.Schema, err)
			}
		}
		a.MinReader = Schema
		say, err := json.Marshal(a)
		if err != nil {
			return err
		}
		return tx.put(bMeta, aboutKey, say)
	})
	if err == nil {
		s.about = a
	}
	return err
}

// Close closes the file and frees it for others. It is an error to close while
// a transaction of Begin is open. Closing twice does nothing.
func (s *Store) Close() (err error) {
	if n := s.open.Load(); n > 0 {
		return fmt.Errorf("close store %s: %d read transactions are still open", s.path, n)
	}
	defer guard(s.path, &err)()
	return s.db.Close()
}

// Path returns the path the store was opened with.
func (s *Store) Path() string { return s.path }

// Key returns the 32 random bytes that key the hashes of secrets in this store.
// They are never to be shown.
func (s *Store) Key() []byte { return append([]byte(nil), s.about.Key...) }

// ID returns the UUID given to the store when it was made.
func (s *Store) ID() string { return s.about.ID }

// Created returns when and on which host the store was made.
func (s *Store) Created() (time.Time, string) { return s.about.Created, s.about.Host }

// View runs fn in a read transaction. Damage met on the way is returned as
// *CorruptError, also when fn ignored it.
func (s *Store) View(fn func(*Tx) error) error { return s.raw(false, fn) }

// Update runs fn in a write transaction and commits it in one synced step; an
// error of fn undoes everything. When the disk is full the error says so and
// the store stays as it was. A read transaction of the same goroutine must not
// be open: bbolt would wait for it for ever.
func (s *Store) Update(fn func(*Tx) error) error {
	if s.ro {
		return fmt.Errorf("write store %s: it was opened read-only", s.path)
	}
	return s.raw(true, fn)
}

func (s *Store) raw(write bool, fn func(*Tx) error) (err error) {
	defer guard(s.path, &err)()
	run := s.db.View
	if write {
		run = s.db.Update
	}
	var inner error
	err = run(func(b *bolt.Tx) error {
		tx := s.newTx(b)
		defer tx.ended.Store(true)
		inner = fn(tx)
		if damage := tx.Err(); damage != nil { // whatever fn says, it may say for that reason
			inner = damage
		}
		return inner
	})
	if err != nil && inner == nil {
		return fmt.Errorf("write store %s: %w", s.path, err)
	}
	return err
}

// Begin opens a read transaction that stays open until Rollback. Its methods
// are safe for concurrent use by several goroutines.
func (s *Store) Begin() (tx *Tx, err error) {
	defer guard(s.path, &err)()
	b, err := s.db.Begin(false)
	if err != nil {
		return nil, fmt.Errorf("read store %s: %w", s.path, err)
	}
	s.open.Add(1)
	return s.newTx(b), nil
}

// Rollback ends a transaction of Begin; repeated calls do nothing. No other
// call on it may still be running. In View and Update it is not to be called.
func (tx *Tx) Rollback() error {
	if tx.ended.Swap(true) {
		return nil
	}
	tx.s.open.Add(-1)
	return tx.tx.Rollback()
}
