package audit

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/bmatcuk/doublestar/v4"

	"healthaudit/snapshot"
)

// MaxWaived is the longest a waiver may still have to run: what nobody looks at
// for half a year is not accepted but forgotten.
const MaxWaived = 180 * 24 * time.Hour

// A Waiver accepts findings for a while. It stands in the file that it is about;
// one with an Item stands in the configuration, one with a Finding in the store.
type Waiver struct {
	Checks   []string // ids
	Reason   string
	Until    string // the last day it holds, as 2006-01-02, in UTC
	At       Location
	From, To int      // the lines of the file that it is about, inclusive
	Item     string   // a key, or a glob over keys: that accepts nothing critical
	Finding  string   // the id of the only finding it accepts
	By       string   // who or what says so; empty: the place
	Severity Severity // what was accepted; 0: what the finding has when it is accepted first
}

// A Waived says by what a finding is accepted.
type Waived struct {
	Reason   string   `json:"reason"`
	Until    string   `json:"until"`
	At       Location `json:"at"`
	By       string   `json:"by,omitempty"`     // see Waiver.By
	Severity Severity `json:"severity"`         // of the finding when it was accepted
	Lapsed   bool     `json:"lapsed,omitempty"` // the finding became worse than that: it counts again
}

// String names the waiver: what it is, of what, and where.
func (w *Waiver) String() string {
	checks := strings.Join(w.Checks, ", ")
	switch {
	case w.Finding != "":
		return fmt.Sprintf("acceptance of %s on %s (%s)", checks, w.Item, w.By)
	case w.Item != "":
		return fmt.Sprintf("waiver of %s on %s in %s", checks, w.Item, w.At.Path)
	}
	return fmt.Sprintf("waiver of %s in %s", checks, w.At.Path)
}

// Author says who accepted a finding, or in which file and line it is written.
func (w *Waived) Author() string {
	if w.By != "" {
		return w.By
	}
	return fmt.Sprintf("%s:%d", w.At.Path, w.At.Line)
}

// covers reports whether the waiver is about a finding. What is about several
// files at once stands in the first of them, which cannot accept it for all. A
// glob accepts nothing critical: that is granted one by one.
func (w *Waiver) covers(f *Finding) bool {
	switch {
	case w.Finding != "":
		return f.ID == w.Finding
	case w.Item != "":
		return slices.Contains(w.Checks, f.Check) && (w.Item == string(f.Item) || f.Severity < Critical && matches(w.Item, f.Item))
	}
	return !f.Wide && w.meets(f)
}

// matches reports whether a key, or a glob over keys, names an item.
func matches(glob string, item snapshot.Key) bool {
	ok, _ := doublestar.Match(glob, string(item))
	return ok || glob == string(item)
}

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

// Seen reports whether all was read that a key, or a glob over keys, may name, so
// that what is not there does not exist.
func (p *Pass) Seen(glob string) bool {
	name, _, _ := strings.Cut(glob, "/")
	for _, st := range p.Now.Systems {
		about := st.System != snapshot.Auditor && (string(st.System) == name || strings.ContainsAny(name, "*?[{"))
		if about && !(st.Status.Listed() && p.whole(st.System)) {
			return false
		}
	}
	return true
}

// Covered returns how many of the findings made so far a waiver is about: what a
// check that runs Last asks.
func (p *Pass) Covered(w *Waiver) int {
	n := 0
	for _, f := range p.made.near(w) {
		if w.covers(f) {
			n++
		}
	}
	return n
}

// Place is where a reader finds a waiver: what audit accept accepted stands where
// its finding is.
func (p *Pass) Place(w *Waiver) Location {
	if w.Finding != "" {
		for _, f := range p.made.near(w) {
			if w.covers(f) {
				return f.At
			}
		}
	}
	return w.At
}

// Worse returns the finding that a waiver is about and no longer accepts, since
// it became worse than what was accepted; nil when there is none.
func (p *Pass) Worse(w *Waiver) *Finding {
	for _, f := range p.made.near(w) {
		if w.Severity != 0 && f.Severity > w.Severity && w.covers(f) {
			return f
		}
	}
	return nil
}

// Spared returns how many critical findings a waiver would be about if it were
// not for several items at once.
func (p *Pass) Spared(w *Waiver) int {
	n := 0
	for _, f := range p.made.near(w) {
		if w.Item != "" && f.Severity == Critical && matches(w.Item, f.Item) && !w.covers(f) {
			n++
		}
	}
	return n
}

// Narrow reports whether a waiver stands where a finding is that is about other
// files as well, so that it does not accept that.
func (p *Pass) Narrow(w *Waiver) bool {
	return w.Item == "" && slices.ContainsFunc(p.made.path[w.At.Path], func(f *Finding) bool { return f.Wide && w.meets(f) })
}

// A pile is findings by the path of their file and by their check.
type pile struct{ path, check map[string][]*Finding }

func piled(findings []Finding) pile {
	out := pile{map[string][]*Finding{}, map[string][]*Finding{}}
	for i := range findings {
		f := &findings[i]
		out.path[f.At.Path] = append(out.path[f.At.Path], f)
		out.check[f.Check] = append(out.check[f.Check], f)
	}
	return out
}

// near returns the findings among which are those that a waiver is about.
func (p pile) near(w *Waiver) []*Finding {
	if w.Item == "" {
		return p.path[w.At.Path]
	}
	var out []*Finding
	for _, id := range w.Checks {
		out = append(out, p.check[id]...)
	}
	return out
}

// waive marks the findings that a waiver accepts.
func (w *World) waive(made pile) {
	for i := range w.Waivers {
		v := &w.Waivers[i]
		if v.Problem(w.Now.At) != "" || v.Over(w.Now.At) {
			continue
		}
		for _, f := range made.near(v) {
			v.accept(f)
		}
	}
}

// accept marks a finding that the waiver is about, unless another accepts it.
func (w *Waiver) accept(f *Finding) {
	if f.Waived == nil && w.covers(f) {
		f.Waived = &Waived{Reason: w.Reason, Until: w.Until, At: w.At, By: w.By, Severity: w.Severity}
	}
}

// accept stamps the acceptance of a finding, given what was known of it before:
// it holds while the finding is no worse than when it was accepted.
func (r *Record) accept(old *Record) {
	if r.Waived == nil {
		return
	}
	w := *r.Waived
	switch {
	case w.Severity != 0: // the waiver says what it accepts
	case old != nil && old.Waived != nil && old.Open() && old.Waived.Reason == w.Reason && old.Waived.Until == w.Until:
		w.Severity = old.Waived.Severity
	default:
		w.Severity = r.Severity
	}
	w.Lapsed = r.Severity > w.Severity
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

// carry keeps a finding that nobody could look for: its waiver ends all the same,
// and what stands outside of the file accepts it or no longer does.
func (w *World) carry(r *Record) Tracked {
	c := *r
	if c.Waived != nil && (c.Waived.By != "" || over(c.Waived.Until, w.Now.At)) {
		c.Waived = nil
	}
	for i := range w.Waivers {
		v := &w.Waivers[i]
		if v.Item != "" && v.Problem(w.Now.At) == "" && !v.Over(w.Now.At) {
			v.accept(&c.Finding)
		}
	}
	c.accept(r)
	if reflect.DeepEqual(&c, r) {
		return Tracked{Record: r, Carried: true}
	}
	return Tracked{Record: &c, Carried: true, Changed: true, Ended: r.Accepted() && !c.Accepted()}
}
