package audit

import (
	"fmt"
	"slices"
	"time"
)

// A Watch is what a run knows of the auditor itself.
type Watch struct {
	Host       string
	Runs       []PastRun     // the newest earlier runs, oldest first
	Boot       time.Time     // of the machine; zero: not known
	Every      time.Duration // how often a run is to be; 0: nobody said
	Grace      time.Duration // how much later is still in time
	EveryAt    Location      // where that is written
	StoreBytes int64         // of the store's file; 0: not known
	FreeBytes  int64         // of the file system below it; -1: not known
	Journal    string        // what is wrong at the journal's end; empty: nothing
	Halfway    []Halfway     // restores that were interrupted, oldest first
}

// A Halfway is a restore that was interrupted: some files are as it wanted them, some
// as they were.
type Halfway struct {
	Entry   uint64    // of the journal
	At      time.Time // when it began
	Target  string    // the folder; empty: in place
	Files   int       // that it was to write
	Written int       // of them
	Again   string    // the command that goes on; empty: none does the same
	Back    string    // the command that goes back
}

// Said says what became of it.
func (h *Halfway) Said() string {
	where := ""
	if h.Target != "" {
		where = " into " + h.Target
	}
	return fmt.Sprintf("restore of %s UTC%s (journal entry %d) was interrupted: %d of %d files are as it was to make them, the others as they were before", h.At.UTC().Format("2006-01-02 15:04"), where, h.Entry, h.Written, h.Files)
}

// Next says how to end it, for a person.
func (h *Halfway) Next() string {
	if h.Again == "" {
		return fmt.Sprintf("`%s` goes back; what --last-good took cannot be told any more: restore anew after that", h.Back)
	}
	return fmt.Sprintf("`%s` goes on, `%s` goes back", h.Again, h.Back)
}

// A PastRun is an earlier run.
type PastRun struct {
	Seq   uint64
	At    time.Time
	Host  string
	Every time.Duration // how often a run was to be then
}

// Missed returns how many runs are missing in a gap between two of them, given
// how often one is due and how much later is still in time.
func Missed(gap, every, grace time.Duration) int {
	if every <= 0 || gap <= grace {
		return 0
	}
	return max(0, int((gap-grace+every-1)/every)-1)
}

// Lost is what is missing in a stretch of time.
type Lost struct {
	Runs     int       // that should have been, with the machine up
	Down     int       // that could not be, since the machine was down
	From, To time.Time // the longest gap
}

// MissedWindow is how far back missing runs are told: a day, so that who reads a
// report each morning reads of the night.
const MissedWindow = 24 * time.Hour

// Lost returns the runs that are missing in the last MissedWindow. A gap counts
// when the run before it knew how often one is due, and it was on this host.
func (w *Watch) Lost(now time.Time) (l Lost) {
	runs := append([]PastRun{}, w.Runs...)
	runs = append(runs, PastRun{At: now, Host: w.Host, Every: w.Every})
	chain := inOrder(runs)
	for i := 0; i+1 < len(chain); i++ {
		was, next := runs[chain[i]], runs[chain[i+1]]
		between := chain[i+1] - chain[i] - 1 // runs that were, at a time that nobody knows
		if was.Every != w.Every || was.Host != w.Host || next.Host != w.Host || now.Sub(next.At) > MissedWindow {
			continue
		}
		gap := next.At.Sub(was.At)
		n := Missed(gap, w.Every, w.Grace) - between
		if n <= 0 {
			continue
		}
		up := n
		if w.Boot.After(was.At) && w.Boot.Before(next.At) {
			up = min(n, Missed(next.At.Sub(w.Boot), w.Every, w.Grace))
		}
		l.Runs, l.Down = l.Runs+up, l.Down+n-up
		if gap > l.To.Sub(l.From) {
			l.From, l.To = was.At, next.At
		}
	}
	return l
}

// inOrder returns the indices of the runs whose times can be right, all but those
// that a clock gone wrong wrote: the longest series, up to the last run, in which
// no time is before the one before it; of several, the one that is nearest.
func inOrder(runs []PastRun) []int {
	length, before := make([]int, len(runs)), make([]int, len(runs))
	for i, r := range runs {
		length[i], before[i] = 1, -1
		for j := i - 1; j >= 0; j-- {
			longer := length[j]+1 > length[i]
			nearer := length[j]+1 == length[i] && before[i] >= 0 && runs[j].At.After(runs[before[i]].At)
			if !runs[j].At.After(r.At) && (longer || nearer) {
				length[i], before[i] = length[j]+1, j
			}
			if length[i] == i+1 { // nothing is longer
				break
			}
		}
	}
	var chain []int
	for i := len(runs) - 1; i >= 0; i = before[i] {
		chain = append(chain, i)
	}
	slices.Reverse(chain)
	return chain
}
