package audit

import (
	"reflect"
	"slices"
	"time"
)

// A Mark is a run: its number, its ULID and when it started.
type Mark struct {
	Seq uint64    `json:"seq"`
	Run string    `json:"run"`
	At  time.Time `json:"at"`
}

// A Record is a finding over time. It changes only when something about the
// finding changes, so an unchanged finding costs a store nothing.
type Record struct {
	Finding
	First       Mark   `json:"first"`              // when it was first seen, of this occurrence
	Opened      Mark   `json:"opened"`             // when it last became open: First, or a reopening
	Updated     *Mark  `json:"updated,omitempty"`  // when severity or evidence last changed
	Resolved    *Mark  `json:"resolved,omitempty"` // nil while open
	ResolvedBy  string `json:"resolved_by,omitempty"`
	Occurrences int    `json:"occurrences"`     // times it appeared after having been resolved for long, 1 at first
	Blind       bool   `json:"blind,omitempty"` // it was last found although the item as a whole could not be judged
}

// Why a finding was resolved.
const (
	ByPass    = "passed"        // the check ran on the item and found nothing
	ByRemoval = "item_removed"  // the item is gone, and its source was read
	ByRetire  = "check_retired" // the check is off or no longer exists
)

// A Status is what a finding is in one snapshot.
type Status string

const (
	New        Status = "new"
	Persisting Status = "persisting"
	Resolved   Status = "resolved" // in this very snapshot
	Reopened   Status = "reopened"
)

// ReopenWindow is how long after its resolution a finding that comes back is
// the same one, reopened; later it is a new occurrence.
const ReopenWindow = 30 * 24 * time.Hour

// Open reports whether the finding is open.
func (r *Record) Open() bool { return r.Resolved == nil }

// StatusAt returns the status in the snapshot of that number. A record that was
// resolved in an earlier snapshot has none: ok is false.
func (r *Record) StatusAt(seq uint64) (s Status, ok bool) {
	switch {
	case r.Resolved != nil:
		return Resolved, r.Resolved.Seq == seq
	case r.Opened.Seq != seq:
		return Persisting, true
	case r.First.Seq == seq:
		return New, true
	}
	return Reopened, true
}

// A Tracked is a record as it is in one snapshot.
type Tracked struct {
	*Record
	Carried bool // the check could not look this time: the last known state stands
	Changed bool // the record differs from the one given to Track
	Ended   bool // its waiver did: it counts again, and nothing became worse
}

// Track follows findings from one snapshot to the next. Prev are the records
// of the reference, resolved ones included. The result holds every record that
// is open or was resolved just now, in report order. A finding is resolved only
// with proof; see conclusive.
func Track(prev []*Record, j Judgement, checks []*Check, w *World, now Mark) []Tracked {
	byID := make(map[string]*Record, len(prev))
	for _, r := range prev {
		byID[r.ID] = r
	}
	known := make(map[string]*Check, len(checks))
	for _, c := range checks {
		known[c.ID] = c
	}
	var out []Tracked
	found := make(map[string]bool, len(j.Findings))
	for _, f := range j.Findings {
		found[f.ID] = true
		t := follow(byID[f.ID], f, w.blind(f.Item), now)
		t.Carried = !w.conclusive(known[f.Check], f.Item)
		out = append(out, t)
	}
	crashed := map[string]bool{}
	for _, c := range j.Crashed {
		crashed[c.Check] = crashed[c.Check] || c.Item == ""
	}
	for _, r := range prev {
		if found[r.ID] || !r.Open() {
			continue
		}
		c := known[r.Check]
		switch {
		case slices.Contains(w.Off, r.Check): // as it was, unseen
		case c == nil:
			out = append(out, resolve(r, now, ByRetire))
		case crashed[r.Check] || j.Doubted(r) || !w.proven(c, r):
			out = append(out, w.carry(r))
		case w.Now.Item(r.Item) == nil && !r.Item.IsPseudo():
			out = append(out, resolve(r, now, ByRemoval))
		default:
			out = append(out, resolve(r, now, ByPass))
		}
	}
	sortTracked(out)
	return out
}

func follow(old *Record, f Finding, blind bool, now Mark) Tracked {
	if old == nil {
		r := &Record{Finding: f, First: now, Opened: now, Occurrences: 1, Blind: blind}
		r.accept(nil)
		return Tracked{Record: r, Changed: true}
	}
	r := *old
	r.Finding, r.Blind = f, blind
	switch {
	case old.Open():
		if old.Severity != f.Severity || !reflect.DeepEqual(old.Evidence, f.Evidence) {
			r.Updated = &now
		}
	case now.At.Sub(old.Resolved.At) <= ReopenWindow:
		r.Opened, r.Resolved, r.ResolvedBy = now, nil, ""
	default:
		r = Record{Finding: f, First: now, Opened: now, Occurrences: old.Occurrences + 1, Blind: blind}
	}
	r.accept(old)
	return Tracked{Record: &r, Changed: !reflect.DeepEqual(&r, old), Ended: old.Open() && old.Accepted() && r.Waived == nil && f.Severity <= old.Waived.Severity}
}

func resolve(old *Record, now Mark, by string) Tracked {
	r := *old
	r.Resolved, r.ResolvedBy = &now, by
	return Tracked{Record: &r, Changed: true}
}

func sortTracked(t []Tracked) {
	f := make([]Finding, len(t))
	at := make(map[string]Tracked, len(t))
	for i, x := range t {
		f[i], at[x.ID] = x.Finding, x
	}
	SortFindings(f)
	for i := range f {
		t[i] = at[f[i].ID]
	}
}

// Saved returns what Track returned when that snapshot was made, from the
// records as they are stored for it, the checks that crashed and the findings
// that were carried in doubt. Of w it reads what Track reads.
func Saved(recs []*Record, seq uint64, checks []*Check, w *World, crashes []Crash, doubted []string) []Tracked {
	known := make(map[string]*Check, len(checks))
	for _, c := range checks {
		known[c.ID] = c
	}
	crashed := map[string]bool{}
	for _, c := range crashes {
		crashed[c.Check] = crashed[c.Check] || c.Item == ""
	}
	var out []Tracked
	for _, r := range recs {
		if _, ok := r.StatusAt(seq); !ok || r.Open() && slices.Contains(w.Off, r.Check) {
			continue
		}
		c := known[r.Check]
		out = append(out, Tracked{Record: r, Carried: r.Open() && (crashed[r.Check] || slices.Contains(doubted, r.ID) || c != nil && !w.proven(c, r))})
	}
	sortTracked(out)
	return out
}
