package pipeline

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"healthaudit/audit"
	"healthaudit/rules"
	"healthaudit/snapshot/analyze/jsontext"
	"healthaudit/snapshot/host"
	"healthaudit/snapshot/store"
)

// maxRuns is how many earlier runs are looked at for those that are missing.
const maxRuns = 300

// PastRuns returns the newest runs, oldest first: those of the last day, and the
// two before them, since the clock of one may have been wrong. Where more than a
// day lies between two, maxRuns of them: a clock may have been wrong several times
// in a row, and only the runs before that tell.
func PastRuns(tx *store.Tx, now time.Time) (out []audit.PastRun, err error) {
	var bad error
	older, far, later := 0, false, now
	err = tx.Headers(tx.Seq(), true, func(seq uint64, h store.Header) bool {
		info := string(h.Body)
		if !jsontext.Valid(info) {
			bad = fmt.Errorf("snapshot #%d: what it says of its run does not decode", seq)
			return false
		}
		run := audit.PastRun{Seq: seq, At: h.At, Host: gjson.Get(info, "host").String(), Every: time.Duration(gjson.Get(info, "every").Int())}
		out = append(out, run)
		if now.Sub(h.At) > audit.MissedWindow {
			older++
		}
		far, later = far || later.Sub(h.At) > audit.MissedWindow, h.At
		return len(out) < maxRuns && run.Every > 0 && (older < 2 || far)
	})
	if err == nil {
		err = bad
	}
	slices.Reverse(out)
	return out, err
}

// watch is what the run knows of the auditor itself.
func (s *session) watch() (*audit.Watch, error) {
	w := &audit.Watch{Host: s.info.Host, Every: s.Config.Every, Grace: s.Config.Grace, EveryAt: s.Config.EveryAt, FreeBytes: -1}
	if s.tx == nil {
		return w, nil
	}
	if st, err := os.Lstat(s.Store); err == nil {
		w.StoreBytes = st.Size()
	}
	if dir, err := s.Host.Outside(absolute(filepath.Dir(s.Store))); err == nil {
		if space, err := dir.Space(); err == nil {
			w.FreeBytes = space.Free
		}
		dir.Close()
	}
	if w.Every > 0 {
		w.Boot = booted(s.Host)
	}
	var err error
	if w.Runs, err = PastRuns(s.tx, s.started); err != nil {
		return nil, err
	}
	if w.Halfway, s.restored, err = Halfway(s.tx, s.Host.Root()); err != nil {
		return nil, err
	}
	w.Journal, err = journalEnd(s.tx)
	return w, err
}

func absolute(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}

// maxProcStat bounds /proc/stat, in bytes: a line for every processor and interrupt.
const maxProcStat = 4 << 20

// booted returns when the machine started, zero where nobody says so
// (proc(5): the line btime of /proc/stat, in seconds since 1970).
func booted(h host.Host) time.Time {
	proc, err := h.Outside("/proc")
	if err != nil {
		return time.Time{}
	}
	defer proc.Close()
	b, err := proc.Read("stat", maxProcStat)
	if err != nil {
		return time.Time{}
	}
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, "btime "); ok {
			if n, err := strconv.ParseInt(strings.TrimSpace(rest), 10, 64); err == nil {
				return time.Unix(n, 0).UTC()
			}
		}
	}
	return time.Time{}
}

// journalEnd says what is wrong at the end of the journal, or was when it went on:
// "" when its last entry is the one that its head names.
func journalEnd(tx *store.Tx) (string, error) {
	if was := tx.Meta(metaGap); len(was) > 0 {
		return "before it went on, " + string(was), nil
	}
	head, err := journalHead(tx)
	if err != nil {
		return "", err
	}
	last, err := lastEntry(tx)
	if err != nil {
		return "", err
	}
	switch n := tx.JournalHead(); {
	case head == nil:
		return "its head is missing", nil
	case head.Seq != n:
		return fmt.Sprintf("its head is entry %d, and its last entry is %d", head.Seq, n), nil
	case head.Hash != rules.Hash(last):
		return fmt.Sprintf("entry %d is not the one that its head names", n), nil
	}
	return "", nil
}
