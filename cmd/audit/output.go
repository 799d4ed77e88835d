package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
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
	case err == nil && !st.Mode().IsRegular():
		return nil // a device or a pipe says what it refuses when it is written to
	}
	if st, err := os.Stat(filepath.Dir(path)); err != nil || !st.IsDir() {
		return &usageError{fmt.Sprintf("--output %s: there is no folder %s", path, filepath.Dir(path)), ""}
	}
	f, err := temporary(path)
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

// temporary makes the file that will take the place of another.
func temporary(path string) (*os.File, error) {
	return os.CreateTemp(filepath.Dir(target(path)), ".audit-report-*")
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
	mode := fs.FileMode(0o644)
	if st, err := os.Stat(path); err == nil {
		if !st.Mode().IsRegular() {
			return a.stream(path, o, render) // a device or a pipe is written to, never replaced
		}
		mode = st.Mode().Perm()
	}
	f, err := temporary(path)
	if err != nil {
		return &failure{exitAction, fmt.Errorf("write the report: %w", err), ""}
	}
	defer os.Remove(f.Name())
	err = render(f, o)
	if err == nil {
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

// stream renders into what is there already and is no regular file. A pipe that
// nobody reads is an error, not a reason to wait.
func (a *App) stream(path string, o report.Options, render func(io.Writer, report.Options) error) error {
	f, err := os.OpenFile(path, os.O_WRONLY|syscall.O_NONBLOCK, 0)
	if err == nil {
		err = render(f, o)
		if cerr := f.Close(); err == nil {
			err = cerr
		}
	}
	if err != nil {
		return &failure{exitAction, fmt.Errorf("write the report to %s: %w", path, err), ""}
	}
	return nil
}
