package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"syscall"

	"healthaudit/report"
)

// writable refuses, before anything is done, a file for a report that cannot be one.
func (a *App) writable(path string) error {
	if path == "" {
		return nil
	}
	st, err := os.Stat(path)
	switch {
	case err == nil && st.IsDir():
		return &usageError{fmt.Sprintf("--output %s: it is a folder", path), "name a file in it"}
	case err == nil && a.streams(path, st):
		return nil // a device or a pipe says what it refuses when it is written to
	}
	if st, err := os.Stat(filepath.Dir(path)); err != nil || !st.IsDir() {
		return &usageError{fmt.Sprintf("--output %s: there is no folder %s", path, filepath.Dir(path)), ""}
	}
	f, err := temporary(path, 0o600)
	if err != nil {
		if pe := (*fs.PathError)(nil); errors.As(err, &pe) {
			err = pe.Err
		}
		return &usageError{fmt.Sprintf("--output %s: no file can be made in its folder: %v", path, err), "a report is written beside its name and then takes its place: name a file where that can be done"}
	}
	f.Close()
	return os.Remove(f.Name())
}

// target is the file that is replaced: that which a link names, and the link stays.
func target(path string) string {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		return real
	}
	return path
}

// temporary makes the file that will take the place of another; of its mode the
// umask takes its part.
func temporary(path string, mode fs.FileMode) (*os.File, error) {
	name := filepath.Join(filepath.Dir(target(path)), fmt.Sprintf(".audit-report-%016x", rand.Uint64()))
	return os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, mode)
}

// streams reports whether what is there is written to, never replaced: a device, a
// pipe, and any file that is open already, by a name such as /dev/stdout or by its
// own.
func (a *App) streams(path string, st fs.FileInfo) bool {
	return !st.Mode().IsRegular() || opens(a.Stdout, st) || opens(a.Stderr, st) || descriptor(path)
}

// opens reports whether a writer is that file.
func opens(w io.Writer, st fs.FileInfo) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	is, err := f.Stat()
	return err == nil && os.SameFile(is, st)
}

// descriptor reports whether a name, or a link on its way, is that of an open file.
func descriptor(path string) bool {
	for range 40 {
		dir, err := os.Stat(filepath.Dir(path))
		for _, open := range []string{"/dev/fd", "/proc/self/fd"} {
			if st, oerr := os.Stat(open); err == nil && oerr == nil && os.SameFile(dir, st) {
				return true
			}
		}
		next, err := os.Readlink(path)
		if err != nil {
			return false
		}
		if !filepath.IsAbs(next) {
			next = filepath.Join(target(filepath.Dir(path)), next)
		}
		path = next
	}
	return false
}

// write renders to standard output, or whole to a file: a reader never sees
// half a report, and a failed one leaves the old file. --quiet keeps standard
// output empty when the exit code is 0.
func (a *App) write(path string, code int, render func(io.Writer, report.Options) error) error {
	if path == "" {
		if a.Quiet && code == exitOK {
			return nil
		}
		var b bytes.Buffer
		if err := render(&b, a.options()); err != nil {
			return err
		}
		if _, err := a.Stdout.Write(b.Bytes()); err != nil {
			return &failure{exitAction, fmt.Errorf("write the report: %w", err), ""}
		}
		return nil
	}
	o := a.options()
	o.Color = a.Color == "always"
	mode, there := fs.FileMode(0o666), false
	if st, err := os.Stat(path); err == nil {
		if a.streams(path, st) {
			return a.stream(path, st, o, render)
		}
		mode, there = st.Mode().Perm(), true
	}
	f, err := temporary(path, mode)
	if err != nil {
		return &failure{exitAction, fmt.Errorf("write the report: %w", err), ""}
	}
	defer os.Remove(f.Name())
	err = render(f, o)
	if err == nil && there {
		err = f.Chmod(mode)
	}
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(f.Name(), target(path))
	}
	if err != nil {
		return &failure{exitAction, fmt.Errorf("write the report to %s: %w", path, err), ""}
	}
	return nil
}

// stream renders into what is there already, behind what stands in it. A pipe that
// nobody reads is an error, not a reason to wait.
func (a *App) stream(path string, st fs.FileInfo, o report.Options, render func(io.Writer, report.Options) error) error {
	err := a.into(path, st, func(w io.Writer) error { return render(w, o) })
	if err != nil {
		return &failure{exitAction, fmt.Errorf("write the report to %s: %w", path, err), ""}
	}
	return nil
}

// into opens a stream. Standard output and error are open: they know how far they
// have been written to.
func (a *App) into(path string, st fs.FileInfo, render func(io.Writer) error) error {
	for _, w := range []io.Writer{a.Stdout, a.Stderr} {
		if opens(w, st) && st.Mode().IsRegular() {
			return render(w)
		}
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|syscall.O_NONBLOCK, 0)
	if err == nil {
		err = render(f)
		if cerr := f.Close(); err == nil {
			err = cerr
		}
	}
	return err
}
