//go:build unix

package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
)

// What a store may hold in bytes after so many runs, nothing of it pruned.
var years = []struct {
	title   string
	runs    int  // in the whole year
	made    *int // of them, by default: what a run adds does not depend on how many were before
	changed int  // files before each run
	limit   int64
}{
	{"daily", 365, flag.Int("daily", 60, "daily runs to make; what is missing to 365 is extrapolated"), 40, 28e6},
	{"hourly", 8760, flag.Int("hourly", 60, "hourly runs to make; what is missing to 8760 is extrapolated"), 2, 40e6},
}

// growth runs audit on a project of 2,000 items and 20 MB that changes a little
// before every run, and tells how large its store becomes within a year.
func (b *bench) growth() (ok bool, err error) {
	files, size, err := count(b.year)
	if err != nil {
		return false, err
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "%d files, %.1f MB, nothing pruned\truns\tfirst\teach\tafter a year\tlimit\t\n", files, float64(size)/1e6)
	ok = true
	for _, y := range years {
		runs := min(y.runs, max(*y.made, 2))
		first, last, err := b.grow(runs, y.changed)
		if err != nil {
			return false, err
		}
		each := float64(last-first) / float64(runs-1)
		end := first + int64(each*float64(y.runs-1))
		mark := fmt.Sprintf("%.0f MB", float64(y.limit)/1e6)
		if end > y.limit {
			ok, mark = false, mark+" OVER"
		}
		fmt.Fprintf(w, "%s, %d files changed\t%d of %d\t%.2f MB\t%.0f B\t%.2f MB\t%s\t\n", y.title, y.changed, runs, y.runs,
			float64(first)/1e6, each, float64(end)/1e6, mark)
	}
	return ok, w.Flush()
}

// grow makes the runs with files changed before each, and returns the bytes in use
// after the first and after the last.
func (b *bench) grow(runs, changed int) (first, last int64, err error) {
	h, err := b.newHistory(changed)
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, h.undo()) }()
	store := filepath.Join(b.year, ".audit", "audit.db")
	for i := range runs {
		if i > 0 {
			if err := h.change(); err != nil {
				return 0, 0, err
			}
		}
		if _, err := b.time(b.year, b.env, b.audit, "-q", "run", "--fail-on", "never", "--config", h.config); err != nil {
			return 0, 0, err
		}
		if i == 0 {
			if first, err = b.inUseOf(b.year, store); err != nil {
				return 0, 0, err
			}
		}
	}
	last, err = b.inUseOf(b.year, store)
	return first, last, err
}

// A history changes files of a project, always the same ones for the same number,
// and can put all of them back.
type history struct {
	dir     string
	config  string // keeps every snapshot
	paths   []string
	changed int
	rng     *rand.Rand
	n       int
	was     map[string][]byte
}

// newHistory begins one, on a project without a store.
func (b *bench) newHistory(changed int) (*history, error) {
	h := &history{dir: b.year, changed: changed, rng: rand.New(rand.NewPCG(7, uint64(changed))), was: map[string][]byte{}}
	if err := os.RemoveAll(filepath.Join(b.year, ".audit")); err != nil {
		return nil, err
	}
	err := filepath.WalkDir(b.year, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && d.Name() == ".git" {
			return fs.SkipDir
		}
		switch ext := filepath.Ext(path); {
		case err == nil && slices.Contains([]string{".sh", ".py", ".mjs", ".cjs", ".js", ".yml"}, ext) && filepath.Base(path) != "ecosystem.config.js":
			h.paths = append(h.paths, path)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	h.config = filepath.Join(b.temp, "keep.yaml")
	return h, os.WriteFile(h.config, []byte("version: 1\nretention: {last: 1000000}\n"), 0o644)
}

// change inserts one line in the middle of some files.
func (h *history) change() error {
	h.n++
	for range h.changed {
		path := h.paths[h.rng.IntN(len(h.paths))]
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if h.was[path] == nil {
			h.was[path] = b
		}
		mark := "# "
		if ext := filepath.Ext(path); strings.HasSuffix(ext, "js") {
			mark = "// "
		}
		at := bytes.IndexByte(b[len(b)/2:], '\n') + len(b)/2 + 1
		line := fmt.Appendf(nil, "%schanged in run %d: %x\n", mark, h.n, h.rng.Uint64())
		if err := os.WriteFile(path, slices.Concat(b[:at], line, b[at:]), 0o644); err != nil {
			return err
		}
	}
	return nil
}

func (h *history) undo() error {
	var errs []error
	for path, b := range h.was {
		errs = append(errs, os.WriteFile(path, b, 0o644))
	}
	return errors.Join(append(errs, os.RemoveAll(filepath.Join(h.dir, ".audit")))...)
}
