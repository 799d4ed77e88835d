package rules

import (
	"context"
	"fmt"
	"slices"
	"time"

	"healthaudit/audit"
)

// Resume carries an interrupted deed out again, where doing it twice does no
// harm, it is not done yet, its time is not over and its item can be looked at:
// half of a deed may be worse than none, and no rule asks for the other half. It
// does so once. The state has the action pending still: Resolve ends it. Errors
// are those of Commit.
func (s *Set) Resume(ctx context.Context, site Site, st State, who Entry) (State, error) {
	p := st.Global.Pending
	rule := s.Rule(p.Step.Rule)
	if !p.Resumable(rule) || p.Stale(rule, site.Now()) || p.Settled(ctx, site.Hand(), rule) || !p.Seen(ctx, site, rule) {
		return st, nil
	}
	again := *p
	again.Resumed, again.Executed = true, false
	step := again.Step
	if rule.Action.Renew != nil && renew(ctx, site, rule, &step) != nil {
		return st, nil // Resolve ends it by how its item is
	}
	a := &applier{set: s, site: site, state: st.Clone(), entry: who}
	a.state.Global.Pending = &again
	if err := site.Commit(a.state, entryOf(who, &step, "resumed", "interrupted, and carried out again: "+step.Effect.What, site.Now()), nil); err != nil {
		return st, err
	}
	if err := a.execute(ctx, rule.Action, &step); err != nil {
		return a.state, nil // Resolve asks whether it is settled
	}
	return a.state, a.executed(&step)
}

// renew gives the deed of a step what it needs and what no journal holds. An
// error is that it is not carried on: its item is mended, or another one by now.
func renew(ctx context.Context, site Site, rule *Rule, step *Step) error {
	return site.Look(ctx, step.Item, func(sub *Subject, p *Preparation) error {
		if sub == nil || unmended(rule, sub, step.Worst) == "" {
			return &Refusal{Why: "it need not be carried on"}
		}
		p.Params, p.Trusted = rule.Params, rule.Trusted
		d, err := rule.Action.Renew(p, *step.Effect.Deed)
		if err == nil {
			step.did(d)
		}
		return err
	})
}

// Settled reports whether an interrupted deed is known to be done and to hold. It
// changes nothing, and waits for as long as it takes to know.
func (p *Pending) Settled(ctx context.Context, h *Hand, rule *Rule) bool {
	if rule.Action.Renew != nil && !p.Executed {
		return false
	}
	return rule.Action.Settled(ctx, h, *p.Step.Effect.Deed) == nil
}

// Seen reports whether the item of an interrupted deed can be looked at, and its
// world be asked: the only time that it is carried on is not spent on a machine
// that is just coming up. One that is known to be gone is seen.
func (p *Pending) Seen(ctx context.Context, site Site, rule *Rule) bool {
	unknown := false
	err := site.Look(ctx, p.Step.Item, func(sub *Subject, _ *Preparation) error {
		unknown = sub != nil && sub.Level == audit.LevelUnknown
		return nil
	})
	if err != nil || unknown {
		return false
	}
	return rule.Action.Ask == nil || rule.Action.Ask(ctx, site.Hand(), *p.Step.Effect.Deed) == nil
}

// leastCarried is how long an interrupted deed is carried on at least: audit that
// runs every hour must come to it.
const leastCarried = 2 * time.Hour

// Carried is how long after its beginning an interrupted deed of the rule is
// carried on: while it would be looked at whether it helped, and then rest, but
// two hours at least. Later the world is another one, and a person must look.
func (r *Rule) Carried() time.Duration {
	return max(leastCarried, r.Verify.After+r.Verify.Timeout+r.Cooldown)
}

// Stale reports whether an interrupted action began too long ago to be carried on,
// or by a clock that was set back since.
func (p *Pending) Stale(rule *Rule, now time.Time) bool {
	return now.Sub(p.At).Abs() > rule.Carried()
}

// left says of an action why it is not carried on.
func (p *Pending) left(rule *Rule, now time.Time) string {
	why := "that is yet to come by the clock, which was set back"
	switch age := now.Sub(p.At); {
	case p.Resumed:
		why = "it was carried out again, once, and is not known to be done"
	case age >= 0:
		why = fmt.Sprintf("that began %s ago, and is carried on for %s only", inMinutes(age), inMinutes(rule.Carried()))
	}
	return "it was interrupted; " + why + ": it may be half done, and a person must look"
}

// inMinutes writes a duration in whole minutes: 45m, 2h, 50h30m.
func inMinutes(d time.Duration) string {
	h, m := int(d.Round(time.Minute).Hours()), int(d.Round(time.Minute).Minutes())%60
	switch {
	case h == 0:
		return fmt.Sprintf("%dm", m)
	case m == 0:
		return fmt.Sprintf("%dh", h)
	}
	return fmt.Sprintf("%dh%dm", h, m)
}

// Resumable reports whether an interrupted action is a deed that may be carried
// out once more by the rule it was begun for.
func (p *Pending) Resumable(rule *Rule) bool { return !p.Resumed && p.Repeatable(rule) }

// Repeatable reports whether an interrupted action is a deed that does no harm
// when it is done twice by the rule it was begun for.
func (p *Pending) Repeatable(rule *Rule) bool {
	d := p.Step.Effect.Deed
	return d != nil && rule != nil && rule.Action.ID == p.Step.Action && rule.Action.Class == Idempotent
}

// An Interrupted is how an action that was interrupted is found afterwards.
type Interrupted struct {
	Rule      *Rule    // nil: there is none of that name any more
	Subject   *Subject // its item; nil: it is gone, or nobody knows
	Unsettled error    // of a deed: why it is not done, or does not hold
	Left      bool     // of a deed whose rule there is: it is not settled, and is carried on no more
}

// waits reports whether only the runs that follow can tell whether it helped.
func (i Interrupted) waits(p *Pending) bool {
	return i.Rule != nil && p.Executed && i.Unsettled == nil && i.Rule.Verify.Deferred() && (i.Subject == nil || unmended(i.Rule, i.Subject, p.Step.Worst) != "")
}

// Mended reports whether the item of the action is known to be well by the rule.
func (i Interrupted) Mended(p *Pending) bool {
	return i.Rule != nil && i.Subject != nil && unmended(i.Rule, i.Subject, p.Step.Worst) == ""
}

// left reports whether a deed stays half done: its time is over, or to carry it
// out again did not bring it to its end.
func (i Interrupted) left(p *Pending) bool {
	again := p.Repeatable(i.Rule) && p.Resumed && !p.Executed
	return i.Left || again && (i.Unsettled != nil || i.Rule.Action.Renew != nil)
}

// Resolve ends an action that was interrupted: by how its item is now, it is
// done or has failed, and its attempt counted when it began. A deed that was left
// half done is a person's: nothing more is tried there. One that may be
// done once only, and of which nobody knows whether it was, rests for its
// cooldown from now on.
func Resolve(st State, found Interrupted, who Entry, now time.Time) (State, Entry) {
	p := st.Global.Pending
	st = st.Clone()
	st.Global.Pending = p.Behind
	phase, what := string(Failed), "interrupted; whether it helped is not known"
	switch {
	case found.waits(p):
		w := Waiting{Step: p.Step, From: p.At.Add(found.Rule.Verify.After), By: p.At.Add(found.Rule.Verify.After + found.Rule.Verify.Timeout)}
		w.Step.Status = Awaited
		st.Global.Waiting = append(slices.Clone(st.Global.Waiting), w)
		phase, what = string(Awaited), "interrupted after it was done; whether it helped is looked at until "+clock(w.By)
	case found.Unsettled == nil && found.Mended(p):
		phase, what = string(Done), "interrupted, and found mended afterwards"
	case found.left(p):
		what = p.left(found.Rule, now)
		id := IncidentID(p.Step.Rule, p.Step.Item)
		inc := st.Incidents[id]
		inc.Attempts, inc.Last, inc.Latched = max(inc.Attempts, found.Rule.Attempts), &now, &now
		inc.Stuck, inc.Cut, inc.StuckWhy = p.Step.ID, true, what
		st.Incidents[id] = inc
	case found.Rule == nil || found.Subject == nil:
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
