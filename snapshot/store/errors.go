package store

import (
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"
)

var (
	// ErrNotExist says that there is no store at the path.
	ErrNotExist = errors.New("no store there")
	// ErrLocked says that another process kept the store file open longer than the wait.
	ErrLocked = errors.New("store is in use by another process")
)

var (
	errEnded    = errors.New("store transaction has ended")
	errReadOnly = errors.New("store transaction is read-only")
)

const hint = "audit store verify --repair saves what is whole of it, and keeps the damaged file; or put a good copy in its place"

// A CorruptError says that the file, or one row of it, is not what was written,
// or that it is no store at all.
type CorruptError struct {
	Path string // the store file
	What string // what is damaged
	Hint string // what to do

	row *Place // that is damaged; nil: more than one row
}

// Row returns the row that is damaged; nil where more than one may be.
func (e *CorruptError) Row() *Place { return e.row }

func (e *CorruptError) Error() string { return "store " + e.Path + " is damaged: " + e.What }

// A NewerError says that the store was made by a newer audit.
type NewerError struct {
	Path   string
	Schema int // version of the file
	Known  int // newest version this program reads
}

func (e *NewerError) Error() string {
	return fmt.Sprintf("store %s has schema %d, this audit knows up to %d: use a newer audit", e.Path, e.Schema, e.Known)
}

// A PathError says that no store can be at that path: nothing was opened.
type PathError struct {
	Path   string // of the store, its folder or its run lock
	What   string // what is wrong with it
	Lost   bool   // it stands in the place of the store itself
	Folder bool   // it is a folder, where a file belongs
}

func (e *PathError) Error() string { return "open store " + e.Path + ": " + e.What }

// corrupt makes a CorruptError of what a check found; errors of reading stay themselves.
func corrupt(path string, err error) error {
	var d damage
	if errors.As(err, &d) {
		return &CorruptError{Path: path, What: string(d), Hint: hint}
	}
	return fmt.Errorf("check store %s: %w", path, err)
}

// damage is the text of a finding of the structural check.
type damage string

func (d damage) Error() string { return string(d) }

func damaged(format string, args ...any) error { return damage(fmt.Sprintf(format, args...)) }

// guard makes a *CorruptError of a panic that bbolt raised and of a fault in
// the mapped file, in this goroutine. Every other panic goes on.
func guard(path string, err *error) func() {
	old := debug.SetPanicOnFault(true)
	return func() {
		debug.SetPanicOnFault(old)
		r := recover()
		if r == nil {
			return
		}
		if !fault(r) && !strings.HasPrefix(culprit(), "go.etcd.io/bbolt") {
			panic(r)
		}
		*err = &CorruptError{Path: path, What: fmt.Sprintf("reading it ended with: %.200v", r), Hint: hint}
	}
}

// fault tells an access to a page that is not there from a nil dereference,
// which has no address.
func fault(r any) bool {
	e, ok := r.(interface {
		runtime.Error
		Addr() uintptr
	})
	return ok && e.Addr() >= pageSize
}

// culprit returns the function that panicked. It is to be called by guard's
// deferred function only.
func culprit() string {
	pc := make([]uintptr, 64)
	frames := runtime.CallersFrames(pc[:runtime.Callers(3, pc)])
	for {
		f, more := frames.Next()
		if !strings.HasPrefix(f.Function, "runtime.") || !more {
			return f.Function
		}
	}
}
