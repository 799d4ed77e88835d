package rules

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"healthaudit/audit"
)

// deed carries out the deed of a step whose intent is kept, and sees whether it
// helped: first by the deed itself, then by the item.
func (a *applier) deed(ctx context.Context, rule *Rule, s *Step, worst audit.Severity) error {
	if err := a.execute(ctx, rule.Action, s); err != nil {
		return a.fail(ctx, rule, s, nil, err.Error())
	}
	if err := a.executed(s); err != nil {
		return err
	}
	if err := rule.Action.Settled(ctx, a.site.Hand(), *s.Effect.Deed); err != nil {
		return a.fail(ctx, rule, s, nil, err.Error())
	}
	return a.verified(ctx, rule, s, worst)
}

// execute does the deed; what it made is in the step afterwards, and kept as
// soon as the deed notes it.
func (a *applier) execute(ctx context.Context, act *Action, s *Step) error {
	h := *a.site.Hand()
	h.Keep = func(d Deed) error {
		s.did(d)
		p := *a.state.Global.Pending
		p.Step = *s
		a.state.Global.Pending = &p
		return a.site.Commit(a.state, entryOf(a.entry, s, "under way", s.Effect.What, a.site.Now()), nil)
	}
	did, err := act.Do(ctx, &h, *s.Effect.Deed)
	s.did(did)
	return err
}

// did puts a deed as far as it came into a step.
func (s *Step) did(d Deed) {
	e := *s.Effect
	e.Deed = &d
	s.Effect = &e
}

// executed keeps that the deed was carried out, and what it made.
func (a *applier) executed(s *Step) error {
	p := *a.state.Global.Pending
	p.Step, p.Executed = *s, true
	a.state.Global.Pending = &p
	return a.site.Commit(a.state, entryOf(a.entry, s, "executed", s.Effect.What, a.site.Now()), nil)
}

// Resume carries an interrupted deed out again, where doing it twice does no
// harm and it is not done yet: half of a deed may be worse than none, and no
// rule asks for the other half. It does so once. The state has the action
// pending still: Resolve ends it. Errors are those of Commit.
func (s *Set) Resume(ctx context.Context, site Site, st State, who Entry) (State, error) {
	p := st.Global.Pending
	rule := s.Rule(p.Step.Rule)
	if !p.Resumable(rule) || rule.Action.Settled(ctx, site.Hand(), *p.Step.Effect.Deed) == nil {
		return st, nil
	}
	a := &applier{set: s, site: site, state: st.Clone(), entry: who}
	again := *p
	again.Resumed = true
	a.state.Global.Pending = &again
	step := again.Step
	if err := site.Commit(a.state, entryOf(who, &step, "resumed", "interrupted, and carried out again: "+step.Effect.What, site.Now()), nil); err != nil {
		return st, err
	}
	if err := a.execute(ctx, rule.Action, &step); err != nil {
		return a.state, nil // Resolve asks whether it is settled
	}
	return a.state, a.executed(&step)
}

// Resumable reports whether an interrupted action is a deed that may be carried
// out once more by the rule it was begun for.
func (p *Pending) Resumable(rule *Rule) bool {
	d := p.Step.Effect.Deed
	return d != nil && !p.Resumed && rule != nil && rule.Action.ID == p.Step.Action && rule.Action.Class == Idempotent
}

// An Interrupted is how an action that was interrupted is found afterwards.
type Interrupted struct {
	Rule      *Rule    // nil: there is none of that name any more
	Subject   *Subject // its item; nil: it is gone, or nobody knows
	Unsettled error    // of a deed: why it is not done, or does not hold
}

// waits reports whether only the runs that follow can tell whether it helped.
func (i Interrupted) waits(p *Pending) bool {
	return i.Rule != nil && p.Executed && i.Unsettled == nil && i.Rule.Verify.Deferred() && (i.Subject == nil || unmended(i.Rule, i.Subject, p.Step.Worst) != "")
}

// Resolve ends an action that was interrupted: by how its item is now, it is
// done or has failed, and its attempt counted when it began. One that may be
// done once only, and of which nobody knows whether it was, rests for its
// cooldown from now on.
func Resolve(st State, found Interrupted, who Entry, now time.Time) (State, Entry) {
	p := st.Global.Pending
	st = st.Clone()
	st.Global.Pending = nil
	phase, what := string(Failed), "interrupted; whether it helped is not known"
	switch {
	case found.waits(p):
		w := Waiting{Step: p.Step, From: p.At.Add(found.Rule.Verify.After), By: p.At.Add(found.Rule.Verify.After + found.Rule.Verify.Timeout)}
		w.Step.Status = Awaited
		st.Global.Waiting = append(slices.Clone(st.Global.Waiting), w)
		phase, what = string(Awaited), "interrupted after it was done; whether it helped is looked at until "+clock(w.By)
	case found.Rule == nil || found.Subject == nil:
	case found.Unsettled == nil && unmended(found.Rule, found.Subject, p.Step.Worst) == "":
		phase, what = string(Done), "interrupted, and found mended afterwards"
	case p.Step.Effect.Deed != nil && !p.Executed && found.Rule.Action.Class == AtMostOnce:
		what = "unknown outcome: it was interrupted, and nobody knows whether it was carried out; it is not done again before its time"
		id := IncidentID(p.Step.Rule, p.Step.Item)
		inc := st.Incidents[id]
		inc.Last = &now
		st.Incidents[id] = inc
	case found.Unsettled != nil:
		what = "interrupted: " + found.Unsettled.Error()
	default:
		what = "interrupted before it helped"
	}
	return st, entryOf(who, &p.Step, phase, what, now)
}

// deedKey is where an entry of the journal holds a deed.
const deedKey = "deed"

func (d *Deed) text() string {
	b, err := json.Marshal(d)
	if err != nil {
		panic(err) // maps of texts
	}
	return string(b)
}

// Did returns the deed of a journal entry; ok is false when it has none.
func Did(e Entry) (d Deed, ok bool, err error) {
	text, ok := e.Data[deedKey]
	if !ok {
		return d, false, nil
	}
	if err := json.Unmarshal([]byte(text), &d); err != nil {
		return d, true, fmt.Errorf("journal entry %d: its deed: %w", e.Seq, err)
	}
	return d, true, nil
}
