package report

import (
	"strings"
	"testing"
	"time"
)

// A repository without commits has none to name.
func TestRunLineWithoutCommit(t *testing.T) {
	for want, g := range map[string]*Git{
		"in /shop":                       {Branch: "main", Dirty: true},
		", commit 0123456789 of main":    {Commit: "0123456789abcdef", Branch: "main"},
		", commit 0123456789 with uncom": {Commit: "0123456789abcdef", Dirty: true},
	} {
		r := &reading{Document: &Document{Run: Run{Root: "/shop", Git: g}}}
		if got := r.runLine(); !strings.Contains(got, want) || strings.Contains(got, "commit ") != (g.Commit != "") {
			t.Errorf("%+v: %q", g, got)
		}
	}
}

// The run that is named is the one that the score is really compared with; where
// nothing is known of it any more, none is.
func TestTrend(t *testing.T) {
	history := []ScorePoint{{Seq: 3, At: noon.Add(-2 * time.Hour), Value: ptr(90.0), Run: runID(3)}, {Seq: 5, At: noon, Value: ptr(91.5), Run: thisRun}}
	for want, d := range map[string]*Document{
		"1.5 higher than in run #4, 1 h ago":                                    {Score: Score{Delta: ptr(1.5), ComparedTo: &SnapshotRef{Seq: 4, At: noon.Add(-time.Hour)}}},
		"1.5 higher than in the run before, of which nothing is known any more": {Score: Score{Delta: ptr(1.5)}},
		"the run before is not known":                                           {Run: Run{Past: "lost"}},
		"first run, nothing to compare with":                                    {Run: Run{Past: "first"}},
	} {
		d.Run.Started, d.Score.History = noon, history
		if got := (&reading{Document: d}).trend(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	r := &reading{Document: &Document{Run: Run{Started: noon, ID: thisRun, Seq: 5}, Score: Score{History: history}}}
	if got := r.since(Mark{runID(4), noon.Add(-2 * time.Hour)}); got != "since 2 h ago" { // of the same second as #3, and not it
		t.Error(got)
	}
	if got := r.since(Mark{runID(3), noon.Add(-2 * time.Hour)}); got != "since run #3, 2 h ago" {
		t.Error(got)
	}
}
