package checktest

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"healthaudit/audit"
	"healthaudit/snapshot"
)

// History is what earlier snapshots measured: by their number, and "item metric".
type History struct {
	marks   []audit.Mark // newest first
	metrics map[uint64]map[string]snapshot.Metric
}

// Add adds a measurement of a snapshot that was that long before now.
func (h *History) Add(now time.Time, ago time.Duration, k snapshot.Key, m snapshot.Metric) {
	at := now.Add(-ago)
	seq := uint64(at.Unix())
	if h.metrics == nil {
		h.metrics = map[uint64]map[string]snapshot.Metric{}
	}
	if h.metrics[seq] == nil {
		h.metrics[seq] = map[string]snapshot.Metric{}
		h.marks = append(h.marks, audit.Mark{Seq: seq, At: at})
		slices.SortFunc(h.marks, func(a, b audit.Mark) int { return cmp.Compare(b.Seq, a.Seq) })
	}
	h.metrics[seq][string(k)+" "+m.Name] = m
}

// Marks returns all snapshots since a time, and at least so many.
func (h *History) Marks(since time.Time, least int) []audit.Mark {
	n := 0
	for n < len(h.marks) && (n < least || !h.marks[n].At.Before(since)) {
		n++
	}
	return h.marks[:n]
}

// Metric returns what an item measured in a snapshot.
func (h *History) Metric(seq uint64, k snapshot.Key, name string) (snapshot.Metric, bool) {
	m, ok := h.metrics[seq][string(k)+" "+name]
	return m, ok
}

func measured(t *testing.T, now time.Time, lines []byte) *History {
	t.Helper()
	h := &History{}
	for line := range strings.Lines(string(lines)) {
		f := append(strings.Fields(line), "")
		if len(f) < 5 {
			t.Fatalf("history: %q", line)
		}
		hours, err1 := strconv.ParseFloat(f[0], 64)
		value, err2 := strconv.ParseFloat(f[3], 64)
		if err1 != nil || err2 != nil {
			t.Fatal(err1, err2)
		}
		h.Add(now, time.Duration(hours*float64(time.Hour)), snapshot.Key(f[1]), snapshot.Metric{Name: f[2], Value: value, Incarnation: f[4]})
	}
	return h
}
