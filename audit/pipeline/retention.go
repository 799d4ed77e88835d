package pipeline

import (
	"fmt"
	"slices"
	"time"

	"healthaudit/snapshot/store"
)

// A Retention says how many snapshots are kept for their age: the newest of each
// of so many hours, days, weeks and months that have any, and the last ones in
// any case. What one rule keeps, no other takes away. It is what restic does:
// https://restic.readthedocs.io/en/stable/060_forget.html
type Retention struct {
	Last, Hourly, Daily, Weekly, Monthly int
}

// DefaultRetention is what an audit.yaml without retention means.
var DefaultRetention = Retention{Last: 10, Hourly: 48, Daily: 30, Weekly: 12, Monthly: 24}

// Empty reports whether nothing would be kept.
func (r Retention) Empty() bool { return r == Retention{} }

// A Fate says of one snapshot why it is kept; without a reason it may go.
type Fate struct {
	Seq     uint64
	ID      string
	At      time.Time
	Reasons []string
}

// Kept reports whether the snapshot stays.
func (f *Fate) Kept() bool { return len(f.Reasons) > 0 }

// A period is one rule of a retention; name says in which of its periods a time lies.
type period struct {
	word string
	left int
	name func(time.Time) string
	last string
}

func (r Retention) periods() []*period {
	nth := 0
	return []*period{
		{word: "last", left: r.Last, name: func(time.Time) string { nth++; return fmt.Sprint(nth) }},
		{word: "hourly", left: r.Hourly, name: func(t time.Time) string { return t.Format("2006-01-02 15 -0700") }},
		{word: "daily", left: r.Daily, name: func(t time.Time) string { return t.Format(time.DateOnly) }},
		{word: "weekly", left: r.Weekly, name: func(t time.Time) string { y, w := t.ISOWeek(); return fmt.Sprint(y, " ", w) }},
		{word: "monthly", left: r.Monthly, name: func(t time.Time) string { return t.Format("2006-01") }},
	}
}

// Judge adds to every fate the reasons that the retention has to keep it. Hours,
// days, weeks (of ISO 8601, from Monday on) and months begin where now's location
// has them. Where there are fewer periods than a rule asks for, it keeps the
// oldest snapshot too. One from the future is kept, and counts for none.
func (r Retention) Judge(fates []Fate, now time.Time) {
	order := make([]*Fate, 0, len(fates))
	for i := range fates {
		if fates[i].At.After(now) {
			fates[i].Reasons = append(fates[i].Reasons, "in the future")
			continue
		}
		order = append(order, &fates[i])
	}
	slices.SortStableFunc(order, func(a, b *Fate) int { // newest first; the number decides where the time does not
		if c := b.At.Compare(a.At); c != 0 {
			return c
		}
		return int(b.Seq) - int(a.Seq)
	})
	rules := r.periods()
	for i, f := range order {
		at := f.At.In(now.Location())
		for _, p := range rules {
			if p.left == 0 {
				continue
			}
			if name := p.name(at); name != p.last || i == len(order)-1 {
				word := p.word
				if name == p.last {
					word = "oldest " + word
				}
				f.Reasons = append(f.Reasons, word)
				p.last = name
				p.left--
			}
		}
	}
}

// fates returns all snapshots, oldest first.
func fates(tx *store.Tx) (out []Fate, err error) {
	err = tx.Heads(0, false, func(seq uint64, h store.Header) bool {
		out = append(out, Fate{Seq: seq, ID: h.ID, At: h.At})
		return true
	})
	return out, err
}
