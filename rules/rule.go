package rules

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/bmatcuk/doublestar/v4"

	"healthaudit/audit"
	"healthaudit/audit/condition"
	"healthaudit/snapshot"
)

// A Subject is one item as conditions see it.
type Subject = condition.Subject

// well reports whether nothing is wrong with an item that a rule may act upon.
func (r *Rule) well(s *Subject) bool {
	if about := r.Action.About; about != "" {
		return !s.Open[about]
	}
	return s.Level == audit.LevelOK
}

// A Vocabulary is the names that a file of rules may use.
type Vocabulary struct {
	condition.Vocabulary
	Actions []*Action
}

// A Rule says when something is done about an item, and how often at most.
type Rule struct {
	ID       string
	Why      string // for a person: what the rule is for; may be empty
	System   snapshot.System
	Items    []string // globs over keys; empty is all of the system
	Except   []string // globs over keys that the rule leaves alone
	When     condition.Cond
	For      For
	Priority int // the higher is served first
	Cooldown time.Duration
	Backoff  Backoff
	Attempts int           // per incident, at least 1
	Reset    time.Duration // how long the item must be well before its attempts are forgotten
	Disable  time.Duration // how long an exhausted rule rests before one further attempt
	Window   *Window       // nil is always
	Mutex    string        // of the rules with the same word one acts per run
	Depends  []string      // rules that go first
	Trusted  bool          // see Set.Trust
	Approval bool          // it acts only when a person approved the step
	Verify   Verify
	Action   *Action
	Params   map[string]string // of the action, by the names it declares
	Line     int               // in the file
	Text     string            // the rule as it stands in the file, for explain
}

// For says how long a condition must hold: Times of the last Within runs in
// which it could be told. Within equal to Times is that many in a row.
type For struct{ Times, Within int }

// maxWithin is the number of evaluations that are remembered: one word of bits.
const maxWithin = 64

// A Backoff lengthens the cooldown with every attempt of an incident, as
// Kubernetes does for containers that crash (KEP-4603).
type Backoff struct {
	Factor float64 // at least 1
	Max    time.Duration
}

// A Window is the part of the day in which a rule may act. It may pass midnight.
type Window struct {
	Start, End int // minutes since midnight; equal is the whole day
	Zone       *time.Location
}

// Limits bound what all rules together do.
type Limits struct {
	Actions       int // per run
	PerSystem     int // per run and system
	UnhealthyPct  int // of the items of a system: above it nothing is done there
	StopAfter     int // failures in one run
	ActionsPerDay int // in the last 24 hours
}

// minItems is how many items a system needs before UnhealthyPct says anything:
// of three items one is already a third.
const minItems = 5

// A Set is a file of rules, checked.
type Set struct {
	Path   string
	Hash   string // sha256 of the file in hex
	Limits Limits
	MaxGap time.Duration // after such a pause a streak begins anew; 0 is three times the usual time between runs
	Rules  []*Rule       // in the order of the file
}

// Trust says that whoever may change these rules may have programs run here.
func (s *Set) Trust() {
	for _, r := range s.Rules {
		r.Trusted = true
	}
}

// Rule returns the rule of that id, or nil.
func (s *Set) Rule(id string) *Rule {
	if s == nil {
		return nil
	}
	for _, r := range s.Rules {
		if r.ID == id {
			return r
		}
	}
	return nil
}

// Covers reports whether the rule is about an item. Only a rule with an action
// that is about a check is about what belongs to no single item.
func (r *Rule) Covers(k snapshot.Key) bool {
	if k.System() != r.System || k.IsPseudo() != (r.Action != nil && r.Action.About != "") {
		return false
	}
	return (len(r.Items) == 0 || matches(r.Items, k)) && !matches(r.Except, k)
}

func matches(globs []string, k snapshot.Key) bool {
	return slices.ContainsFunc(globs, func(g string) bool {
		ok, _ := doublestar.Match(g, string(k))
		return ok || g == string(k)
	})
}

// Wait returns how long the rule rests after its n-th attempt, n from 1 on.
func (r *Rule) Wait(n int) time.Duration {
	wait := float64(r.Cooldown)
	for range n - 1 {
		if wait *= r.Backoff.Factor; wait >= float64(r.Backoff.Max) {
			break
		}
	}
	return min(time.Duration(wait), max(r.Backoff.Max, r.Cooldown))
}

// Holds reports whether a moment lies in the window.
func (w *Window) Holds(t time.Time) bool {
	if w == nil || w.Start == w.End {
		return true
	}
	t = t.In(w.Zone)
	m := t.Hour()*60 + t.Minute()
	if w.Start < w.End {
		return m >= w.Start && m < w.End
	}
	return m >= w.Start || m < w.End
}

func (w *Window) String() string {
	return fmt.Sprintf("%02d:%02d to %02d:%02d %s", w.Start/60, w.Start%60, w.End/60, w.End%60, w.Zone)
}

func (f For) String() string {
	if f.Times == f.Within {
		return strings.TrimSuffix(fmt.Sprintf("%d runs in a row", f.Times), " in a row") + map[bool]string{true: " in a row"}[f.Times > 1]
	}
	return fmt.Sprintf("%d of the last %d runs", f.Times, f.Within)
}
