package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gofrs/flock"
)

// LockOptions says who takes the run lock and how long it may wait for it.
type LockOptions struct {
	Wait    time.Duration // for another run to end; 0 tries once
	Now     time.Time     // start of this run
	Host    string
	Command string // what runs, without arguments that may be secret
}

// A Holder is who holds the run lock, as it wrote it there.
type Holder struct {
	PID     int       `json:"pid"`
	Host    string    `json:"host"`
	Started time.Time `json:"started"`
	Command string    `json:"command"`
}

// A BusyError says that another run holds the lock. Holder is zero when it has
// not yet written who it is.
type BusyError struct {
	Path   string
	Holder Holder
}

func (e *BusyError) Error() string {
	if e.Holder.PID == 0 {
		return "another run holds " + e.Path
	}
	h := e.Holder
	return fmt.Sprintf("another run holds %s: %s, process %d on %s since %s",
		e.Path, h.Command, h.PID, h.Host, h.Started.Format(time.RFC3339))
}

// A RunLock is held from Lock to Unlock or the end of the process, whichever
// comes first; no child inherits it.
type RunLock struct{ f *flock.Flock }

// LockPath returns the path of the lock file that belongs to a store:
// audit.lock beside audit.db.
func LockPath(store string) string {
	return strings.TrimSuffix(store, filepath.Ext(store)) + ".lock"
}

// Lock takes the run lock of the store at path, and makes its folder where it
// is not there. It returns a *BusyError when another run holds it for longer
// than the wait, and a *PathError where it cannot be made. The lock file stays behind: removing it would let two runs in.
func Lock(path string, o LockOptions) (*RunLock, error) {
	path = LockPath(path)
	if err := folder(filepath.Dir(path), true); err != nil {
		return nil, err
	}
	if err := regular(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), o.Wait)
	defer cancel()
	f := flock.New(path, flock.SetFlag(os.O_CREATE|os.O_RDWR|noFollow), flock.SetPermissions(0o600))
	ok, err := f.TryLock()
	if !ok && err == nil && o.Wait > 0 {
		ok, err = f.TryLockContext(ctx, 20*time.Millisecond)
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded), err == nil && !ok:
		return nil, &BusyError{Path: path, Holder: readHolder(path)}
	case err != nil:
		return nil, fmt.Errorf("take run lock: %w", err)
	}
	l := &RunLock{f}
	if err := l.write(Holder{os.Getpid(), o.Host, o.Now.UTC(), o.Command}); err != nil {
		return nil, errors.Join(fmt.Errorf("write run lock: %w", err), f.Unlock())
	}
	return l, nil
}

func (l *RunLock) write(h Holder) error {
	b, err := json.Marshal(h)
	if err != nil {
		return err
	}
	return os.WriteFile(l.f.Path(), append(b, '\n'), 0o600)
}

// Unlock frees the lock. A second call does nothing.
func (l *RunLock) Unlock() error {
	if !l.f.Locked() {
		return nil
	}
	err := os.Truncate(l.f.Path(), 0)
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return errors.Join(err, l.f.Unlock())
}

func readHolder(path string) (h Holder) {
	f, err := os.OpenFile(path, os.O_RDONLY|noFollow, 0)
	if err != nil {
		return h
	}
	defer f.Close()
	b := make([]byte, 4096)
	n, _ := f.Read(b)
	if json.Unmarshal(b[:n], &h) != nil {
		return Holder{}
	}
	return h
}
