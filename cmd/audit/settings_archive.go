package main

import (
	"bytes"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"healthaudit/audit"
	"healthaudit/audit/pipeline"
	"healthaudit/snapshot/analyze/lazyregexp"
	"healthaudit/snapshot/archive"
)

// The defaults of archive.keep, max_bytes and drill_every.
const (
	keepLast, keepWeekly, keepMonthly = 7, 8, 12

	defaultMaxBytes   = 1_000_000_000
	defaultDrillEvery = 30 * 24 * time.Hour
)

// checkArchive validates what the configuration says of archives. Relative paths
// are relative to the root; without archive.dir archives lie beside the store.
func (s *settings) checkArchive(a *App, bad func(string, ...any) error) error {
	f, b := &s.file.Archive, &s.pipeline.Backups
	b.Configured = s.archiveLine > 0
	if rel, err := filepath.Rel(s.root, s.config); b.Configured && err == nil && filepath.IsLocal(rel) {
		b.At = audit.Location{Path: filepath.ToSlash(rel), Line: s.archiveLine, Column: 1}
	}
	beside, err := filepath.Abs(filepath.Join(filepath.Dir(a.Store), "archives"))
	if err != nil {
		return err
	}
	b.Dir = s.path(a, f.Dir, beside)
	b.CopyTo, b.Recipients = s.path(a, f.CopyTo, ""), s.path(a, f.Recipients, "")
	if b.CopyTo == b.Dir {
		return bad("archive.copy_to is the same folder as archive.dir")
	}
	if b.When = f.When; b.When == "" {
		b.When = pipeline.WhenAuto
	}
	if err := validWhen(b.When); err != nil {
		return bad("archive.when: %v", err)
	}
	b.Keep = archive.Keep{Last: keepLast, Weekly: keepWeekly, Monthly: keepMonthly}
	for _, k := range []struct {
		name string
		from *int
		to   *int
	}{{"last", f.Keep.Last, &b.Keep.Last}, {"weekly", f.Keep.Weekly, &b.Keep.Weekly}, {"monthly", f.Keep.Monthly, &b.Keep.Monthly}} {
		if k.from == nil {
			continue
		}
		if *k.from < 0 || *k.from > 10000 {
			return bad("archive.keep.%s is %d, want a number from 0 to 10000", k.name, *k.from)
		}
		*k.to = *k.from
	}
	if b.Keep.Last+b.Keep.Weekly+b.Keep.Monthly == 0 {
		return bad("archive.keep keeps nothing: give at least last: 1, or archive.when: never")
	}
	if b.Keep.Bytes, err = parseSize(f.MaxBytes, defaultMaxBytes); err != nil {
		return bad("archive.max_bytes: %v", err)
	}
	if b.DrillEvery, err = parseDays(f.DrillEvery, defaultDrillEvery); err != nil {
		return bad("archive.drill_every: %v", err)
	}
	return nil
}

// path makes a path of the configuration absolute: below HOME after a ~, below
// the root when it is relative.
func (s *settings) path(a *App, p, otherwise string) string {
	if p == "" {
		p = otherwise
	}
	if rest, ok := strings.CutPrefix(p, "~/"); ok && a.Env("HOME") != "" {
		p = filepath.Join(a.Env("HOME"), rest)
	}
	if p == "" || filepath.IsAbs(p) {
		return p
	}
	return filepath.Join(s.root, p)
}

func validWhen(word string) error {
	if !slices.Contains([]string{pipeline.WhenAuto, pipeline.WhenAlways, pipeline.WhenNever}, word) {
		return fmt.Errorf("%q is none of auto, always, never", word)
	}
	return nil
}

var (
	sizeForm = lazyregexp.New(`^(\d{1,6}(?:\.\d{1,3})?) ?(B|KB|MB|GB|TB|KiB|MiB|GiB|TiB)?$`)
	daysForm = lazyregexp.New(`^(\d{1,5})([hdw])$`)
)

// sizes are the units of sizes, in bytes.
var sizes = map[string]float64{"": 1, "B": 1, "KB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40}

// parseSize reads a size such as 1GB or 500 MiB.
func parseSize(s string, otherwise int64) (int64, error) {
	if s == "" {
		return otherwise, nil
	}
	m := sizeForm().FindStringSubmatch(s)
	if m == nil {
		return 0, fmt.Errorf("%q is no size such as 1GB or 500MB", s)
	}
	n, err := strconv.ParseFloat(m[1], 64)
	n *= sizes[m[2]]
	if err != nil || n < 1 || n > math.MaxInt64/2 {
		return 0, fmt.Errorf("%q is no size such as 1GB or 500MB", s)
	}
	return int64(n), nil
}

// parseDays reads a span such as 30d, 12h or 2w.
func parseDays(s string, otherwise time.Duration) (time.Duration, error) {
	if s == "" {
		return otherwise, nil
	}
	m := daysForm().FindStringSubmatch(s)
	if m == nil {
		return 0, fmt.Errorf("%q is no span such as 30d, 12h or 2w", s)
	}
	n, _ := strconv.Atoi(m[1])
	return time.Duration(n) * map[string]time.Duration{"h": time.Hour, "d": 24 * time.Hour, "w": 7 * 24 * time.Hour}[m[2]], nil
}

// lineOf returns the line of a key at the top of a configuration, 0 for none.
func lineOf(src []byte, key string) int {
	n := 0
	for line := range bytes.Lines(src) {
		n++
		if rest, ok := bytes.CutPrefix(line, []byte(key)); ok && bytes.HasPrefix(bytes.TrimLeft(rest, " \t"), []byte(":")) {
			return n
		}
	}
	return 0
}
