package rules

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strconv"
	"time"

	"healthaudit/audit"
	"healthaudit/audit/condition"
	"healthaudit/snapshot"
)

// A Site is what applying a plan needs of the world. Every method may be the
// last one that is called: what was committed before must say what was under way.
type Site interface {
	Now() time.Time
	// Look reads one item again, past every cache, and judges it anew; a nil
	// subject is an item that is gone. The preparation is of that item, and holds
	// only until fn returns.
	Look(ctx context.Context, item snapshot.Key, fn func(*Subject, *Preparation) error) error
	// Commit keeps, in one transaction that is on disk when it returns, the state,
	// the entry of the journal, and the bytes that stand at these paths.
	Commit(st State, e Entry, before []Write) error
	// Write puts bytes in place of others. It refuses, with an error, when what
	// stands there is not w.Was, and reads back what it wrote.
	Write(w Write) error
	// Hand returns what carries out deeds.
	Hand() *Hand
}

// A Pending is an action that began and did not end: the journal has its intent.
type Pending struct {
	Step     Step      `json:"step"`
	At       time.Time `json:"at"`
	Executed bool      `json:"executed,omitempty"` // its deed was carried out; only whether it helped is not known
	Resumed  bool      `json:"resumed,omitempty"`  // its deed was begun a second time: no third
	Behind   *Pending  `json:"behind,omitempty"`   // one before it, whose item cannot be looked at yet
}

// An applier carries one plan out.
type applier struct {
	set    *Set
	site   Site
	state  State
	entry  Entry // who, by what
	failed int
}

// Apply carries out the planned steps of a plan, one after the other, and
// returns them with what became of them. The state is as it was kept last.
// Errors are those of Commit: nothing is done whose intent could not be kept.
func (s *Set) Apply(ctx context.Context, site Site, p *Plan, st State, who Entry) ([]Step, State, error) {
	a := &applier{set: s, site: site, state: st.Clone(), entry: who}
	out := make([]Step, len(p.Steps))
	copy(out, p.Steps)
	for i := range out {
		if out[i].Status != Planned {
			continue
		}
		step := &out[i]
		switch {
		case ctx.Err() != nil:
			step.Status, step.Skip, step.Reason = Skipped, SkipStopped, "audit was told to stop before it"
			continue
		case a.state.Global.cut(step):
			step.Status, step.Skip, step.Reason = Skipped, SkipAwaited, "an action on it was interrupted, and nobody can look how far it came yet"
			continue
		case a.failed >= s.Limits.StopAfter:
			step.Status, step.Skip, step.Reason = Skipped, SkipBreaker, fmt.Sprintf("failures: %s failed in this run", plural(a.failed, "action"))
			continue
		}
		// What was begun is brought to its end.
		if err := a.step(context.WithoutCancel(ctx), step); err != nil {
			return out, a.state, err
		}
	}
	return out, a.state, nil
}

// Clone returns a state that shares no incidents with this one.
func (s State) Clone() State {
	s.Incidents = maps.Clone(s.Incidents)
	if s.Incidents == nil {
		s.Incidents = map[string]Incident{}
	}
	return s
}

// step carries out one step: look, keep the intent, do, look again, keep the outcome.
func (a *applier) step(ctx context.Context, s *Step) error {
	rule := a.set.Rule(s.Rule)
	var e Effect
	worst := audit.Severity(0)
	err := a.site.Look(ctx, s.Item, func(sub *Subject, p *Preparation) (err error) {
		if sub != nil {
			worst = sub.Worst
		}
		e, err = ready(rule, s, sub, p)
		return err
	})
	if err != nil {
		r := refused(err)
		s.Status, s.Skip, s.Reason, s.Hint = Skipped, SkipRefused, r.Why, r.Hint
		return nil
	}
	s.Effect = &e
	if err := a.begin(rule, s, e.Writes); err != nil {
		return err
	}
	if e.Deed != nil {
		return a.deed(ctx, rule, s, worst)
	}
	for i, w := range e.Writes {
		if err := a.site.Write(w); err != nil {
			return a.fail(ctx, rule, s, e.Writes[:i], err.Error())
		}
	}
	return a.verified(ctx, rule, s, worst)
}

// verified ends a step that was carried out: by how its item is then, or later.
func (a *applier) verified(ctx context.Context, rule *Rule, s *Step, worst audit.Severity) error {
	if rule.Verify.Deferred() {
		return a.wait(rule, s)
	}
	if why := a.verify(ctx, rule, s, worst); why != "" {
		return a.fail(ctx, rule, s, s.Effect.Writes, why)
	}
	return a.end(s, Done, "")
}

// ready says what is to be done now. A *Refusal is that the world is not the
// one of the plan any more.
func ready(rule *Rule, s *Step, sub *Subject, p *Preparation) (e Effect, err error) {
	switch {
	case sub == nil:
		return e, &Refusal{Why: "it is gone"}
	case sub.Level == audit.LevelUnknown:
		return e, &Refusal{Why: "looked at again, nobody knows how it is"}
	case rule.well(sub):
		return e, &Refusal{Why: "it is well already"}
	case sub.Waived:
		return e, &Refusal{Why: "a finding of it is waived"}
	}
	j := condition.NewJudge()
	j.About(sub)
	holds, err := j.Eval(rule.When)
	switch {
	case err != nil:
		return e, &Refusal{Why: "looked at again, its condition cannot be told: " + err.Error()}
	case !holds:
		return e, &Refusal{Why: "looked at again, its condition does not hold any more"}
	}
	p.Params, p.Trusted = rule.Params, rule.Trusted
	if e, err = rule.Action.Prepare(p); err != nil {
		return e, err
	}
	if e.Target != s.Effect.Target || len(e.Writes) != len(s.Effect.Writes) || !e.Deed.Same(s.Effect.Deed) {
		return e, &Refusal{Why: "it changed since it was planned", Hint: "audit run looks again"}
	}
	for i, w := range e.Writes {
		if v := s.Effect.Writes[i]; w.Path != v.Path || w.Was != v.Was || w.Sum != v.Sum {
			return e, &Refusal{Why: "it changed since it was planned", Hint: "audit run looks again"}
		}
	}
	return e, nil
}

// begin keeps the intent: from now on the attempt counts, whatever happens.
func (a *applier) begin(rule *Rule, s *Step, writes []Write) error {
	now := a.site.Now()
	id := IncidentID(s.Rule, s.Item)
	a.state.Incidents[id] = a.state.Incidents[id].Attempted(rule, now)
	a.state.Global.Done = append(a.state.Global.Done[:len(a.state.Global.Done):len(a.state.Global.Done)], now)
	a.state.Global.Pending = &Pending{Step: *s, At: now, Behind: a.state.Global.Pending}
	return a.site.Commit(a.state, entryOf(a.entry, s, "intent", s.Effect.What, now), writes)
}

// fail puts back what was written or done, and keeps the outcome.
func (a *applier) fail(ctx context.Context, rule *Rule, s *Step, written []Write, why string) error {
	a.failed++
	if a.failed >= a.set.Limits.StopAfter {
		now := a.site.Now()
		a.state.Global.Broken = &now
	}
	back := "what stood there is back"
	var err error
	switch d := s.Effect.Deed; {
	case d != nil && rule.Action.Undo != nil:
		err, back = rule.Action.Undo(ctx, a.site.Hand(), *d), "it was taken back"
	case len(written) == 0:
		return a.end(s, Failed, why)
	}
	if errors.Is(err, ErrNothing) {
		return a.end(s, Failed, why)
	}
	for i := 0; i < len(written) && err == nil; i++ {
		err = a.site.Write(written[i].back())
	}
	if err != nil {
		now := a.site.Now()
		id := IncidentID(s.Rule, s.Item)
		inc := a.state.Incidents[id]
		inc.Attempts, inc.Latched = max(inc.Attempts, rule.Attempts), &now // nothing more is tried here
		inc.Stuck, inc.StuckWhy = s.ID, err.Error()
		a.state.Incidents[id] = inc
		s.Hint = "audit recover undo " + s.ID + " tries again; what stood there is kept in the store"
		if s.Effect.Deed != nil {
			s.Hint = "audit recover undo " + s.ID + " tries again"
		}
		return a.end(s, Failed, why+"; it could not be put back: "+err.Error())
	}
	return a.end(s, RolledBack, why+"; "+back)
}

// end keeps the outcome.
func (a *applier) end(s *Step, status Status, why string) error {
	now := a.site.Now()
	s.Status, s.Reason = status, why
	a.rest(s, now)
	if a.state.Global.over(s); status == Done {
		a.state.Global.Broken = nil
		if r := a.set.Rule(s.Rule); r != nil && r.Action.About != "" { // what it is about may never end: the incident does
			id := IncidentID(s.Rule, s.Item)
			a.state.Incidents[id] = a.state.Incidents[id].Renewed(now)
		}
		why = "done and verified: " + s.Effect.What
	}
	return a.site.Commit(a.state, entryOf(a.entry, s, string(status), why, now), nil)
}

// rest notes the end of an attempt: from now on the cooldown counts.
func (a *applier) rest(s *Step, now time.Time) {
	id := IncidentID(s.Rule, s.Item)
	inc, ok := a.state.Incidents[id]
	if !ok { // it ended, or was reset, while the step was awaited
		return
	}
	inc.Last = &now
	a.state.Incidents[id] = inc
}

// entryOf is the entry of the journal about one step.
func entryOf(e Entry, s *Step, phase, what string, now time.Time) Entry {
	e.At, e.Phase, e.Item, e.What = now, phase, string(s.Item), what+" ("+s.ID+")"
	e.Data = map[string]string{"id": s.ID, "rule": s.Rule, "action": s.Action, "attempt": strconv.Itoa(s.Attempt)}
	for i, w := range s.Effect.Writes {
		n := nth(i)
		e.Data["file"+n], e.Data["was"+n], e.Data["sha256"+n] = w.Path, w.Was, w.Sum
		e.Data["mode"+n], e.Data["was_mode"+n] = octal(w.Mode), octal(w.Old)
	}
	if s.Effect.Deed != nil {
		e.Data[deedKey] = s.Effect.Deed.text()
	}
	return e
}

func octal(m fs.FileMode) string { return strconv.FormatUint(uint64(m.Perm()), 8) }

// nth sets the files of a step apart in an entry of the journal.
func nth(i int) string {
	if i == 0 {
		return ""
	}
	return " " + strconv.Itoa(i+1)
}

// Undone are the writes that undo the action of a journal entry, the last first.
func Undone(e Entry) (back []Write, err error) {
	for i := 0; ; i++ {
		n := nth(i)
		if e.Data["file"+n] == "" {
			break
		}
		mode, err1 := strconv.ParseUint(e.Data["mode"+n], 8, 9)
		old, err2 := strconv.ParseUint(e.Data["was_mode"+n], 8, 9)
		if err := errors.Join(err1, err2); err != nil {
			return nil, fmt.Errorf("journal entry %d: %s: %w", e.Seq, e.Data["file"+n], err)
		}
		back = append(back, Write{Path: e.Data["file"+n], Was: e.Data["was"+n], Sum: e.Data["sha256"+n], Mode: fs.FileMode(mode), Old: fs.FileMode(old)}.back())
	}
	if len(back) == 0 {
		return nil, fmt.Errorf("journal entry %d names no file to bring back", e.Seq)
	}
	slices.Reverse(back)
	return back, nil
}
