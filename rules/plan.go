package rules

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"healthaudit/audit"
	"healthaudit/audit/condition"
	"healthaudit/snapshot"
)

// A World is what a plan is made of, besides rules and State.
type World struct {
	Seq      uint64 // of the snapshot
	Run      string // its ULID
	Now      time.Time
	Taken    time.Time     // when the snapshot was; zero is now
	Every    time.Duration // the usual time between two runs; 0 unknown
	Snapshot *snapshot.Snapshot
	Subjects []Subject // in the order of their keys
	Sources  Sources
	Approved []string // ids of steps that a person approved; then no others are carried out
	Only     string   // the rule to plan for; empty is all
	Trial    bool     // every action is taken to be possible: nothing is asked, nothing can be applied
}

// A Status is what became of a step.
type Status string

const (
	Planned    Status = "planned"
	Skipped    Status = "skipped"
	Done       Status = "done"
	Failed     Status = "failed"
	RolledBack Status = "rolled_back"
	Awaited    Status = "pending" // done; a later run tells whether it helped
)

// A Step is what one rule does about one item, or why it does not.
type Step struct {
	ID      string         `json:"id"`
	Rule    string         `json:"rule"`
	Action  string         `json:"action"`
	Item    snapshot.Key   `json:"item"`
	Status  Status         `json:"status"`
	Skip    Skip           `json:"skip,omitempty"`   // of a skipped one
	Reason  string         `json:"reason,omitempty"` // for a person
	Hint    string         `json:"hint,omitempty"`   // what to do next
	Attempt int            `json:"attempt"`          // which one this is or would be
	Max     int            `json:"max"`
	Effect  *Effect        `json:"effect,omitempty"`
	Worst   audit.Severity `json:"worst"` // of the item's findings
}

// A Skip is why a step is not carried out, in a word.
type Skip string

const (
	SkipHealthy    Skip = "healthy"
	SkipWaived     Skip = "waived"
	SkipFlapping   Skip = "flapping"
	SkipStreak     Skip = "streak"
	SkipExhausted  Skip = "exhausted"
	SkipCooldown   Skip = "cooldown"
	SkipWindow     Skip = "window"
	SkipPaused     Skip = "paused"
	SkipUpstream   Skip = "upstream"
	SkipSuperseded Skip = "superseded"
	SkipMutex      Skip = "mutex"
	SkipBreaker    Skip = "breaker"
	SkipApproval   Skip = "approval"
	SkipRefused    Skip = "refused"
	SkipAwaited    Skip = "pending" // an action on the item was done, and it is not known yet whether it helped
	SkipStopped    Skip = "stopped" // the plan ended before it
)

// Unknown is a rule whose condition could not be told of some items.
type Unknown struct {
	Rule  string       `json:"rule"`
	Items int          `json:"items"`
	Item  snapshot.Key `json:"item"` // the first of them
	Why   string       `json:"why"`
}

// Exhausted is an incident that was given up just now: a person must look.
type Exhausted struct {
	Rule     string       `json:"rule"`
	Item     snapshot.Key `json:"item"`
	Attempts int          `json:"attempts"`
}

// A Plan is what would be done, in this order, and everything else that a rule
// asked for, with the reason why it is not.
type Plan struct {
	ID        string      `json:"id"` // sha256 in hex over snapshot, rules and planned steps
	Seq       uint64      `json:"seq"`
	Run       string      `json:"run"`
	Rules     string      `json:"rules"` // hash of the file
	Steps     []Step      `json:"steps"` // planned ones first
	Unknown   []Unknown   `json:"unknown,omitempty"`
	Exhausted []Exhausted `json:"exhausted,omitempty"`
	Broken    []string    `json:"broken,omitempty"` // breakers that are open, by name
}

// maxPrepared bounds the actions of one plan that are looked into: each may ask git.
const maxPrepared = 20

// Make makes the plan of a snapshot, and what is remembered after it. It is
// pure: the same set, world and state give the same plan. Making it again for
// the same snapshot counts nothing twice.
func (s *Set) Make(w *World, old State) (*Plan, State) {
	p := &planner{set: s, w: w, old: old, used: map[string]Step{}, plan: &Plan{Seq: w.Seq, Run: w.Run, Rules: s.Hash}}
	p.next = State{Incidents: map[string]Incident{}, Global: p.global()}
	p.evaluate()
	p.choose()
	p.plan.ID = p.hash()
	return p.plan, p.next
}

// A planner makes one plan.
type planner struct {
	set      *Set
	w        *World
	old      State
	next     State
	plan     *Plan
	matches  []match
	sick     map[snapshot.System]int // items that fail, or that a rule is about
	judged   map[snapshot.System]int
	used     map[string]Step // what was taken: "item …", "mutex …", "target …"
	actions  map[snapshot.System]int
	total    int
	prepared int
}

// A match is a rule whose condition holds on an item.
type match struct {
	rule    *Rule
	order   int // in the file
	subject *Subject
	inc     Incident
}

func (p *planner) global() Global {
	g := p.old.Global
	g.Done = slices.DeleteFunc(slices.Clone(g.Done), func(t time.Time) bool { return p.w.Now.Sub(t) >= day })
	if g.Paused != nil && !p.w.Now.Before(*g.Paused) {
		g.Paused = nil
	}
	return g
}

// gap is the pause after which a streak begins anew.
func (p *planner) gap() time.Duration { return cmp.Or(p.set.MaxGap, 3*p.w.Every) }

func (p *planner) evaluate() {
	p.sick, p.judged = map[snapshot.System]int{}, map[snapshot.System]int{}
	of := map[snapshot.System][]int{}
	for i, r := range p.set.Rules {
		of[r.System] = append(of[r.System], i)
	}
	j, unknown := condition.NewJudge(), make([]Unknown, len(p.set.Rules))
	for i := range p.w.Subjects {
		sub := &p.w.Subjects[i]
		sys, before := sub.Item.System(), len(p.matches)
		if sub.Item.Foreign() { // no action knows what it is
			continue
		}
		if sub.Level != audit.LevelUnknown && !sub.Item.Key.IsPseudo() {
			p.judged[sys]++
		}
		ready := false
		for _, n := range of[sys] {
			if !p.set.Rules[n].Covers(sub.Item.Key) {
				continue
			}
			if !ready {
				j.About(sub)
				ready = true
			}
			p.one(n, sub, j, &unknown[n])
		}
		if !sub.Item.Key.IsPseudo() && (sub.Level == audit.LevelFailing || len(p.matches) > before) {
			p.sick[sys]++
		}
	}
	for _, u := range unknown {
		if u.Items > 0 {
			p.plan.Unknown = append(p.plan.Unknown, u)
		}
	}
	p.keepGone()
}

// one evaluates one rule on one item.
func (p *planner) one(n int, sub *Subject, j *condition.Judge, unknown *Unknown) {
	r := p.set.Rules[n]
	var id string
	var inc Incident
	had := false
	if len(p.old.Incidents) > 0 {
		id = IncidentID(r.ID, sub.Item.Key)
		inc, had = p.old.Incidents[id]
	}
	holds, err := false, error(nil)
	if sub.Level == audit.LevelUnknown {
		err = fmt.Errorf("nobody knows how it is")
	} else {
		holds, err = j.Eval(r.When)
	}
	if err != nil { // neither true nor false: what was counted stays
		if had {
			p.next.Incidents[id] = inc
		}
		if unknown.Items++; unknown.Items == 1 {
			unknown.Rule, unknown.Item, unknown.Why = r.ID, sub.Item.Key, err.Error()
		}
		return
	}
	if !holds && !had {
		return
	}
	id = IncidentID(r.ID, sub.Item.Key)
	inc = inc.see(holds, p.w.Seq, p.w.Now, p.gap())
	if !inc.over(r, p.w.Now) {
		p.next.Incidents[id] = inc
	}
	if holds {
		p.matches = append(p.matches, match{r, n, sub, inc})
	}
}

// keepGone keeps the attempts on items that are not there now: one that comes
// back the next day must not begin at the first attempt again.
func (p *planner) keepGone() {
	here := map[snapshot.Key]bool{}
	for i := range p.w.Subjects {
		here[p.w.Subjects[i].Item.Key] = true
	}
	for id, inc := range p.old.Incidents {
		rule, item := SplitIncident(id)
		r := p.set.Rule(rule)
		gone := r == nil || !here[item] || !r.Covers(item)
		if gone && inc.Stuck != "" || r != nil && !here[item] && inc.Attempts > 0 && p.w.Now.Sub(inc.At) < max(r.Reset, day) {
			p.next.Incidents[id] = inc
		}
	}
}

// exhausted tells once that an incident was given up.
func (p *planner) exhausted(m match) {
	id := IncidentID(m.rule.ID, m.subject.Item.Key)
	inc, ok := p.next.Incidents[id]
	if !ok || inc.Told {
		return
	}
	inc.Told = true
	p.next.Incidents[id] = inc
	p.plan.Exhausted = append(p.plan.Exhausted, Exhausted{m.rule.ID, m.subject.Item.Key, inc.Attempts})
}

// stepID names one attempt of one incident. Planning again names it the same.
func stepID(r *Rule, item snapshot.Key, inc Incident) string {
	h := sha256.Sum256(fmt.Appendf(nil, "%s\x00%s\x00%d\x00%d", r.ID, item, inc.Since.UnixNano(), inc.Attempts+1))
	return hex.EncodeToString(h[:8])
}

func (p *planner) hash() string {
	h := sha256.New()
	fmt.Fprintf(h, "%d\x00%s\x00%s", p.plan.Seq, p.plan.Run, p.plan.Rules)
	for _, s := range p.plan.Steps {
		if s.Status != Planned {
			continue
		}
		fmt.Fprintf(h, "\x00%s\x00%s", s.ID, s.Effect.Target)
		for _, w := range s.Effect.Writes {
			fmt.Fprintf(h, "\x00%s\x00%s\x00%s", w.Path, w.Was, w.Sum)
		}
		if d := s.Effect.Deed; d != nil {
			fmt.Fprintf(h, "\x00%s", (&Deed{Of: d.Of, Args: d.Args}).text())
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}

// clock shows a time as every report does.
func clock(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
