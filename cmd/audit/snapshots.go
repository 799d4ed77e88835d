package main

import (
	"cmp"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"healthaudit/audit/pipeline"
	"healthaudit/snapshot/analyze/lazyregexp"
	"healthaudit/snapshot/store"
)

var (
	agoForm    = lazyregexp.New(`^(\d{1,6})([mhdw])$`)
	ulidForm   = lazyregexp.New(`^[0-9A-HJKMNP-TV-Za-hjkmnp-tv-z]{8,26}$`)
	latestForm = lazyregexp.New(`^latest~(\d{1,9})$`)
)

// find returns the number of the snapshot that the expression names. Tried in
// this order: latest, previous, baseline, latest~N, #SEQ, an RFC 3339 time, a minute
// as audit list shows it (its end, UTC) or a date (its end, local time), an age such
// as 12h, a unique ULID prefix.
func find(tx *store.Tx, expr string, now time.Time) (uint64, error) {
	if n, err := strconv.ParseUint(strings.TrimPrefix(expr, "#"), 10, 64); err == nil && expr[0] == '#' {
		if _, ok, err := tx.Header(n); err != nil || ok { // also where the newest is damaged
			return n, err
		}
	}
	last := tx.Seq()
	if last == 0 {
		return 0, &usageError{"there is no snapshot yet", "audit run makes one"}
	}
	back := func(n uint64) (uint64, error) { return nthBefore(tx, last, n) }
	switch expr {
	case "", "latest":
		return last, nil
	case "previous":
		return back(1)
	case "baseline":
		p, err := pipeline.Baseline(tx)
		if err != nil {
			return 0, err
		}
		if p == nil {
			return 0, noBaseline()
		}
		if _, ok, err := tx.Header(p.Seq); err != nil || !ok {
			return 0, cmp.Or(err, error(&usageError{fmt.Sprintf("the baseline, snapshot #%d, is no longer kept", p.Seq), "audit baseline set pins another"}))
		}
		return p.Seq, nil
	}
	if m := latestForm().FindStringSubmatch(expr); m != nil {
		n, _ := strconv.ParseUint(m[1], 10, 64)
		return back(n)
	}
	if s, ok := strings.CutPrefix(expr, "#"); ok {
		n, err := strconv.ParseUint(s, 10, 64)
		if err != nil || n == 0 || n > last {
			return 0, &usageError{fmt.Sprintf("there is no snapshot %s: the newest is #%d", expr, last), "audit list shows them"}
		}
		return 0, &usageError{fmt.Sprintf("snapshot %s is no longer kept: it was pruned", expr), "audit list shows those that are; retention in audit.yaml says for how long"}
	}
	if t, ok := moment(expr, now); ok {
		return notAfter(tx, t, expr)
	}
	if ulidForm().MatchString(expr) {
		switch seqs := tx.ByID(strings.ToUpper(expr)); len(seqs) {
		case 1:
			return seqs[0], nil
		case 0:
		default:
			return 0, &usageError{fmt.Sprintf("%s names %d snapshots", expr, len(seqs)), "give more letters of the id"}
		}
	}
	return 0, &usageError{fmt.Sprintf("no snapshot is called %q", expr), "latest, previous, latest~2, #7, 2026-11-23, 12h or the start of an id; audit list shows them"}
}

// nthBefore returns the nth snapshot before another, of those that are kept.
func nthBefore(tx *store.Tx, from, n uint64) (found uint64, err error) {
	kept := uint64(0)
	err = tx.Heads(from, true, func(seq uint64, _ store.Header) bool {
		if kept == n {
			found = seq
		}
		kept++
		return found == 0
	})
	if err == nil && found == 0 {
		err = &usageError{fmt.Sprintf("there is no snapshot so far back: the store has %s", counted(int(kept), "snapshot")), "audit list shows them"}
	}
	return found, err
}

// moment reads a time, a date or an age. A date means its last moment, and so does a
// minute.
func moment(expr string, now time.Time) (time.Time, bool) {
	if t, err := time.Parse(time.RFC3339, expr); err == nil {
		return t, true
	}
	if t, err := time.Parse("2006-01-02 15:04", strings.TrimSuffix(expr, " UTC")); err == nil {
		return t.Add(time.Minute - time.Nanosecond), true
	}
	if t, err := time.ParseInLocation(time.DateOnly, expr, now.Location()); err == nil {
		return t.AddDate(0, 0, 1).Add(-time.Nanosecond), true
	}
	m := agoForm().FindStringSubmatch(expr)
	if m == nil {
		return time.Time{}, false
	}
	n, _ := strconv.Atoi(m[1])
	unit := map[string]time.Duration{"m": time.Minute, "h": time.Hour, "d": 24 * time.Hour, "w": 7 * 24 * time.Hour}[m[2]]
	if time.Duration(n) > math.MaxInt64/unit {
		return time.Time{}, true // before everything
	}
	return now.Add(-time.Duration(n) * unit), true
}

// notAfter finds the last snapshot that is not after a time. The number decides
// the order, so a clock that went backwards does not hide a snapshot.
func notAfter(tx *store.Tx, t time.Time, expr string) (found uint64, err error) {
	err = tx.Heads(tx.Seq(), true, func(seq uint64, h store.Header) bool {
		if !h.At.After(t) {
			found = seq
		}
		return found == 0
	})
	if err == nil && found == 0 {
		err = &usageError{fmt.Sprintf("no snapshot is as old as %s", expr), "audit list shows them"}
	}
	return found, err
}
