package audit

import (
	"slices"
	"time"
)

// MaxWaived is the longest a waiver may still have to run: what nobody looks at
// for half a year is not accepted but forgotten.
const MaxWaived = 180 * 24 * time.Hour

// A Waiver accepts findings for a while. It stands in the file that it is about.
type Waiver struct {
	Checks   []string // ids
	Reason   string
	Until    string // the last day it holds, as 2006-01-02, in UTC
	At       Location
	From, To int // the lines of the file that it is about, inclusive
}

// A Waived says by what a finding is accepted.
type Waived struct {
	Reason   string   `json:"reason"`
	Until    string   `json:"until"`
	At       Location `json:"at"`
	Severity Severity `json:"severity"`         // of the finding when it was accepted
	Lapsed   bool     `json:"lapsed,omitempty"` // the finding became worse than that: it counts again
}

// covers reports whether the waiver is about a finding. What is about several
// files at once stands in the first of them, which cannot accept it for all.
func (w *Waiver) covers(f *Finding) bool { return !f.Wide && w.meets(f) }

// meets reports whether a finding stands where the waiver holds.
func (w *Waiver) meets(f *Finding) bool {
	return f.At.Path == w.At.Path && f.At.Line >= w.From && f.At.Line <= w.To && slices.Contains(w.Checks, f.Check)
}

// Problem says why a waiver is not honoured on a day, empty when it is. A
// waiver that only ran out is well formed: see Over.
func (w *Waiver) Problem(now time.Time) string {
	day, err := time.Parse(time.DateOnly, w.Until)
	switch {
	case len(w.Checks) == 0:
		return "it names no check"
	case w.Reason == "":
		return "it gives no reason"
	case w.Until == "":
		return "it has no end"
	case err != nil:
		return "its end is no date such as 2027-01-31"
	case day.Sub(now) > MaxWaived:
		return "its end is more than 180 days away"
	}
	return ""
}

// Over reports whether the last day of a waiver is past.
func (w *Waiver) Over(now time.Time) bool { return over(w.Until, now) }

func over(until string, now time.Time) bool {
	day, err := time.Parse(time.DateOnly, until)
	return err == nil && !now.Before(day.AddDate(0, 0, 1))
}

// Looked reports whether all the checks that a waiver names looked at all they
// judge, so that what they did not find is not there.
func (p *Pass) Looked(w *Waiver) bool {
	for _, c := range p.All {
		if slices.Contains(w.Checks, c.ID) && (slices.Contains(p.Off, c.ID) || c.System != "" && !(p.whole(c.System) && p.Now.System(c.System).Status.Listed())) {
			return false
		}
	}
	return true
}

// Covered returns how many of the findings made so far a waiver is about: what a
// check that runs Last asks.
func (p *Pass) Covered(w *Waiver) int {
	n := 0
	for _, f := range p.made[w.At.Path] {
		if w.covers(f) {
			n++
		}
	}
	return n
}

// Narrow reports whether a waiver stands where a finding is that is about other
// files as well, so that it does not accept that.
func (p *Pass) Narrow(w *Waiver) bool {
	return slices.ContainsFunc(p.made[w.At.Path], func(f *Finding) bool { return f.Wide && w.meets(f) })
}

// byPath are the findings of each file.
func byPath(findings []Finding) map[string][]*Finding {
	out := map[string][]*Finding{}
	for i := range findings {
		f := &findings[i]
		out[f.At.Path] = append(out[f.At.Path], f)
	}
	return out
}

// waive marks the findings, given by the path of their file, that a waiver accepts.
func (w *World) waive(findings map[string][]*Finding) {
	for _, v := range w.Waivers {
		if v.Problem(w.Now.At) != "" || v.Over(w.Now.At) {
			continue
		}
		for _, f := range findings[v.At.Path] {
			if f.Waived == nil && v.covers(f) {
				f.Waived = &Waived{Reason: v.Reason, Until: v.Until, At: v.At}
			}
		}
	}
}

// accept stamps the acceptance of a finding, given what was known of it before:
// it holds while the finding is no worse than when it was accepted.
func (r *Record) accept(old *Record) {
	if r.Waived == nil {
		return
	}
	w := *r.Waived
	w.Severity, w.Lapsed = r.Severity, false
	if old != nil && old.Waived != nil && old.Open() && old.Waived.Reason == w.Reason && old.Waived.Until == w.Until {
		w.Severity = old.Waived.Severity
		w.Lapsed = r.Severity > w.Severity
	}
	r.Waived = &w
}

// Accepted reports whether the finding is waived: shown, and counted nowhere.
func (r *Record) Accepted() bool { return r.Waived != nil && !r.Waived.Lapsed }

// Counts reports whether the finding is open and not waived.
func (r *Record) Counts() bool { return r.Open() && !r.Accepted() }

// Unwaived returns the findings as they were without any waiver; nil when none is waived.
func Unwaived(findings []Tracked) []Tracked {
	if !slices.ContainsFunc(findings, func(t Tracked) bool { return t.Open() && t.Accepted() }) {
		return nil
	}
	out := slices.Clone(findings)
	for i := range out {
		r := *out[i].Record
		r.Waived = nil
		out[i].Record = &r
	}
	return out
}

// ends carries a finding that nobody could look for: its waiver ends all the same.
func ends(r *Record, at time.Time) Tracked {
	if !r.Accepted() || !over(r.Waived.Until, at) {
		return Tracked{Record: r, Carried: true}
	}
	c := *r
	c.Waived = nil
	return Tracked{Record: &c, Carried: true, Changed: true, Ended: true}
}
