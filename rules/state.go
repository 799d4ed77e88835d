package rules

import (
	"math/bits"
	"strings"
	"time"

	"healthaudit/snapshot"
)

// A State is what recovery remembers between runs. Planning makes a new one and
// leaves the old as it is.
type State struct {
	Incidents map[string]Incident // by IncidentID
	Global    Global
}

// IncidentID names what a rule remembers of an item.
func IncidentID(rule string, item snapshot.Key) string { return rule + " " + string(item) }

// SplitIncident is the way back from an IncidentID.
func SplitIncident(id string) (rule string, item snapshot.Key) {
	rule, key, _ := strings.Cut(id, " ")
	return rule, snapshot.Key(key)
}

// An Incident is one rule on one item, from the first run in which its
// condition held until the item was well for long enough.
type Incident struct {
	Bits  uint64    `json:"bits"`  // the last evaluations, the newest lowest: 1 is that the condition held
	Known int       `json:"known"` // how many of the bits are evaluations
	Seq   uint64    `json:"seq"`   // the snapshot of the newest
	At    time.Time `json:"at"`    // and its time
	Since time.Time `json:"since"` // when the condition first held

	Attempts int        `json:"attempts,omitempty"`
	Last     *time.Time `json:"last,omitempty"`    // end of the last attempt
	Latched  *time.Time `json:"latched,omitempty"` // since when no attempt is left
	Told     bool       `json:"told,omitempty"`    // that it is exhausted was told
	Undone   bool       `json:"undone,omitempty"`  // a person undid the last attempt: no more are made
	Stuck    string     `json:"stuck,omitempty"`   // the step that did not help and could not be put back: no more are made
	StuckWhy string     `json:"stuck_why,omitempty"`
	Cut      bool       `json:"cut,omitempty"`  // it is stuck because it was interrupted, and too long ago to be carried on
	Well     *time.Time `json:"well,omitempty"` // since when the condition does not hold, with attempts made
	WellRuns int        `json:"well_runs,omitempty"`
}

// Holds reports whether the condition held in the newest evaluation.
func (i Incident) Holds() bool { return i.Bits&1 == 1 }

// Row returns the evaluations in a row in which the condition held, up to now.
func (i Incident) Row() int { return min(bits.TrailingZeros64(^i.Bits), i.Known) }

// Of returns in how many of the last n evaluations the condition held.
func (i Incident) Of(n int) int {
	if n < maxWithin {
		return bits.OnesCount64(i.Bits & (1<<n - 1))
	}
	return bits.OnesCount64(i.Bits)
}

// Lasts reports whether the condition held long enough.
func (i Incident) Lasts(f For) bool { return i.Holds() && i.Of(f.Within) >= f.Times }

// A Global is what concerns all rules.
type Global struct {
	Done   []time.Time `json:"done,omitempty"`   // actions of the last 24 hours
	Broken *time.Time  `json:"broken,omitempty"` // when failures opened the breaker
	Paused *time.Time  `json:"paused,omitempty"` // until when nothing is done

	Pending *Pending  `json:"pending,omitempty"` // an action that began and did not end
	Waiting []Waiting `json:"waiting,omitempty"` // actions that were done, and of which it is not known whether they helped

	Littered []string `json:"littered,omitempty"` // files beside which an interrupted action may have left something
}

// cut reports whether an action that began and did not end is in the way of a
// step: it is on the same item, or changes the same.
func (g Global) cut(s *Step) bool {
	for p := g.Pending; p != nil; p = p.Behind {
		if p.Step.Item == s.Item || p.Step.Effect.Target == s.Effect.Target {
			return true
		}
	}
	return false
}

// over notes that a step ended. What was interrupted before it stays pending.
func (g *Global) over(s *Step) {
	if p := g.Pending; p != nil && p.Step.ID == s.ID {
		g.Pending = p.Behind
	}
}

// day is the span of Limits.ActionsPerDay.
const day = 24 * time.Hour

// Today returns the actions of the 24 hours before now.
func (g Global) Today(now time.Time) (n int) {
	for _, t := range g.Done {
		if now.Sub(t) < day {
			n++
		}
	}
	return n
}

// rest is how long a breaker that failures opened stays open; after it, one
// action is tried (a half-open breaker).
const rest = time.Hour

// wellRuns is how many runs an item must be well, besides Rule.Reset, before
// its attempts are forgotten: at the first green a restart loop looks mended.
const wellRuns = 3

// see notes one evaluation. Seeing the same snapshot again changes the newest
// evaluation and adds none.
func (i Incident) see(holds bool, seq uint64, now time.Time, gap time.Duration) Incident {
	again := i.Known > 0 && i.Seq == seq
	if i.Known > 0 && !again && gap > 0 && now.Sub(i.At) > gap {
		i.Bits, i.Known = 0, 0
		if i.Attempts == 0 {
			i.Since = now
		}
	}
	if !again {
		i.Bits <<= 1
		i.Known = min(i.Known+1, maxWithin)
	}
	i.Bits &^= 1
	if holds {
		i.Bits |= 1
	}
	if holds && i.Since.IsZero() {
		i.Since = now
	}
	switch {
	case i.Attempts == 0:
	case holds:
		i.Well, i.WellRuns = nil, 0
	case i.Well == nil:
		i.Well, i.WellRuns = &now, 1
	case !again:
		i.WellRuns++
	}
	i.Seq, i.At = seq, now
	return i
}

// over reports whether nothing of the incident needs to be remembered.
func (i Incident) over(r *Rule, now time.Time) bool {
	if i.Attempts == 0 {
		window := uint64(1<<min(r.For.Within, maxWithin-1)) - 1
		return i.Bits&window == 0
	}
	return i.Stuck == "" && i.Well != nil && i.WellRuns >= wellRuns && now.Sub(*i.Well) >= r.Reset
}

// left returns how many attempts an exhausted incident may make: one after its
// rest, and none before.
func (i Incident) left(r *Rule, now time.Time) int {
	if i.Undone {
		return 0
	}
	if i.Attempts < r.Attempts {
		return r.Attempts - i.Attempts
	}
	if i.Latched != nil && r.Disable > 0 && now.Sub(*i.Latched) >= r.Disable {
		return 1
	}
	return 0
}

// Attempted notes the end of an attempt.
func (i Incident) Attempted(r *Rule, now time.Time) Incident {
	i.Attempts++
	i.Last = &now
	if i.Attempts >= r.Attempts {
		i.Latched = &now
	}
	return i
}

// Renewed begins an incident anew that would never end: its action is about what
// keeps coming, and was done. The cooldown of the attempt holds.
func (i Incident) Renewed(now time.Time) Incident {
	i.Since, i.Attempts, i.Latched, i.Told = now, 0, nil, false
	return i
}
