package rules

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"healthaudit/snapshot"
)

// choose decides about every match, in the order in which they would be served.
func (p *planner) choose() {
	slices.SortStableFunc(p.matches, func(a, b match) int {
		return cmp.Or(b.rule.Priority-a.rule.Priority, int(b.subject.Worst)-int(a.subject.Worst), a.order-b.order,
			strings.Compare(string(a.subject.Item.Key), string(b.subject.Item.Key)))
	})
	holding := map[string]bool{}
	for _, m := range p.matches {
		holding[m.rule.ID] = true
	}
	p.actions = map[snapshot.System]int{}
	broken := map[string]bool{}
	planned, skipped := p.awaited(), []Step(nil)
	for _, m := range p.matches {
		if w := p.old.Global.Waits(m.subject.Item.Key); w != nil && w.Step.Rule == m.rule.ID {
			continue // its step is there
		}
		if p.w.Only != "" && m.rule.ID != p.w.Only {
			continue
		}
		s := p.decide(m, holding)
		if s.Skip == SkipBreaker {
			broken[strings.SplitN(s.Reason, ":", 2)[0]] = true
		}
		if s.Status == Planned {
			planned = append(planned, s)
		} else {
			skipped = append(skipped, s)
		}
	}
	p.plan.Steps = append(planned, skipped...)
	p.plan.Broken = slices.Sorted(maps.Keys(broken))
}

// awaited are the steps of which it is not known yet whether they helped. They
// hold their item, mutex and target.
func (p *planner) awaited() (out []Step) {
	for _, w := range p.old.Global.Waiting {
		s := w.Step
		s.Reason = "done; whether it helped is looked at until " + clock(w.By)
		if r := p.set.Rule(s.Rule); r != nil {
			p.hold(r, s)
		}
		p.used["item "+string(s.Item)] = s
		out = append(out, s)
	}
	return out
}

// decide makes the step of one match.
func (p *planner) decide(m match, holding map[string]bool) Step {
	s := Step{ID: stepID(m.rule, m.subject.Item.Key, m.inc), Rule: m.rule.ID, Action: m.rule.Action.ID, Item: m.subject.Item.Key,
		Status: Skipped, Attempt: m.inc.Attempts + 1, Max: m.rule.Attempts, Worst: m.subject.Worst}
	for _, test := range []func(match) (Skip, string){p.subject, p.timing, func(m match) (Skip, string) { return upstream(m.rule, holding) }, p.taken, p.breaker} {
		if s.Skip, s.Reason = test(m); s.Skip != "" {
			if s.Skip == SkipExhausted {
				p.exhausted(m)
			}
			return s
		}
	}
	return p.prepare(m, s)
}

// subject tells why nothing is done about an item as it is.
func (p *planner) subject(m match) (Skip, string) {
	switch {
	case m.rule.well(m.subject):
		return SkipHealthy, "nothing of medium severity or worse is found: what is well is left alone"
	case m.subject.Waived:
		return SkipWaived, "a finding of it is waived: a person decided to live with it"
	case m.subject.Flapping:
		return SkipFlapping, "it keeps changing between well and unwell: acting on it would add to that"
	case !m.inc.Lasts(m.rule.For):
		if f := m.rule.For; f.Times == f.Within {
			return SkipStreak, fmt.Sprintf("its condition holds in %s so far, %s are needed", plural(m.inc.Row(), "run"), f)
		}
		return SkipStreak, fmt.Sprintf("seen in %d of the last %d runs, %d are needed", m.inc.Of(m.rule.For.Within), m.rule.For.Within, m.rule.For.Times)
	}
	return "", ""
}

// timing tells why it is not the moment.
func (p *planner) timing(m match) (Skip, string) {
	now := p.w.Now
	if m.inc.Cut {
		return SkipExhausted, "an attempt was interrupted and may be half done: audit recover reset " + m.rule.ID + " " + string(m.subject.Item.Key) + " lets it act again"
	}
	if m.inc.Stuck != "" {
		return SkipExhausted, "an attempt did not help and could not be put back: audit recover undo " + m.inc.Stuck + " tries again"
	}
	if m.inc.Undone {
		return SkipExhausted, "a person undid the last attempt: audit recover reset " + m.rule.ID + " " + string(m.subject.Item.Key) + " lets it act again"
	}
	if m.inc.Last != nil && m.inc.Last.After(cmp.Or(p.w.Taken, now)) {
		return SkipCooldown, "an attempt was made after this snapshot: the next audit run shows whether it helped"
	}
	if m.inc.left(m.rule, now) == 0 {
		reason := fmt.Sprintf("%s made, none helped", plural(m.inc.Attempts, "attempt"))
		if m.inc.Latched != nil && m.rule.Disable > 0 {
			reason += "; one more after " + clock(m.inc.Latched.Add(m.rule.Disable))
		}
		return SkipExhausted, reason
	}
	if m.inc.Last != nil && m.inc.Attempts < m.rule.Attempts {
		if next := m.inc.Last.Add(m.rule.Wait(m.inc.Attempts)); now.Before(next) {
			return SkipCooldown, "after the last attempt it waits until " + clock(next)
		}
	}
	switch {
	case !m.rule.Window.Holds(now):
		return SkipWindow, "it acts only from " + m.rule.Window.String()
	case p.next.Global.Paused != nil:
		return SkipPaused, "recovery is paused until " + clock(*p.next.Global.Paused)
	}
	return "", ""
}

// upstream tells which rule must come to rest first.
func upstream(r *Rule, holding map[string]bool) (Skip, string) {
	for _, d := range r.Depends {
		if holding[d] {
			return SkipUpstream, "it waits for the rule " + d
		}
	}
	return "", ""
}

// taken tells which step before has the item or the mutex.
func (p *planner) taken(m match) (Skip, string) {
	if s, ok := p.used["item "+string(m.subject.Item.Key)]; ok {
		if s.Status == Awaited {
			return SkipAwaited, "whether what the rule " + s.Rule + " did there helped is not known yet"
		}
		return SkipSuperseded, "the rule " + s.Rule + " acts on it in this run"
	}
	if s, ok := p.used["mutex "+m.rule.Mutex]; ok && m.rule.Mutex != "" {
		return SkipMutex, fmt.Sprintf("the rule %s acts on %s, and only one of %s may in one run", s.Rule, s.Item, m.rule.Mutex)
	}
	return "", ""
}

// The breakers that stay open past one run, by name: the reason of a step that
// they hold back begins with it.
const (
	breakerUnhealthy = "unhealthy"
	breakerFailures  = "failures"
	breakerDay       = "day"
)

// breaker tells which bound on all rules is reached.
func (p *planner) breaker(m match) (Skip, string) {
	l, g, sys := p.set.Limits, p.next.Global, m.subject.Item.System()
	pct := 0
	if n := p.judged[sys]; n >= minItems {
		pct = 100 * p.sick[sys] / n
	}
	switch {
	case g.Broken != nil && p.w.Now.Sub(*g.Broken) < rest:
		return SkipBreaker, breakerFailures + ": actions failed; nothing is done until " + clock(g.Broken.Add(rest))
	case g.Broken != nil && p.total > 0:
		return SkipBreaker, breakerFailures + ": after failures one action is tried first"
	case pct > l.UnhealthyPct:
		return SkipBreaker, fmt.Sprintf(breakerUnhealthy+": %d %% of %s are unwell, more than %d %%: that has one cause, and no rule mends it", pct, sys, l.UnhealthyPct)
	case p.total >= l.Actions:
		return SkipBreaker, fmt.Sprintf("run: %s are planned in this run, no more are allowed", plural(p.total, "action"))
	case p.actions[sys] >= l.PerSystem:
		return SkipBreaker, fmt.Sprintf("system: %s are planned for %s in this run, no more are allowed", plural(p.actions[sys], "action"), sys)
	case g.Today(p.w.Now)+p.total >= l.ActionsPerDay:
		return SkipBreaker, fmt.Sprintf(breakerDay+": %s in 24 hours are the most that is allowed", plural(l.ActionsPerDay, "action"))
	}
	return "", ""
}

// prepare asks the action what it would do, and takes what it needs.
func (p *planner) prepare(m match, s Step) Step {
	if p.w.Trial {
		s.Status, s.Effect = Planned, &Effect{Target: "trial " + string(s.Item)}
		p.take(m, s)
		return s
	}
	if p.prepared++; p.prepared > maxPrepared {
		s.Skip, s.Reason = SkipStopped, fmt.Sprintf("%d actions were looked into; the rest waits for the next run", maxPrepared)
		return s
	}
	e, err := m.rule.Action.Prepare(&Preparation{Item: m.subject.Item, Worst: m.subject.Worst, Params: m.rule.Params, Trusted: m.rule.Trusted, Snapshot: p.w.Snapshot, Sources: p.w.Sources})
	if err == nil || e.Target != "" {
		s.Effect = &e
	}
	if err != nil {
		r := refused(err)
		s.Skip, s.Reason, s.Hint = SkipRefused, r.Why, r.Hint
		return s
	}
	if other, ok := p.used["target "+e.Target]; ok {
		s.Skip, s.Reason = SkipSuperseded, fmt.Sprintf("the rule %s changes %s in this run", other.Rule, e.Target)
		return s
	}
	switch {
	case m.rule.Approval && !slices.Contains(p.w.Approved, s.ID):
		s.Skip, s.Reason, s.Hint = SkipApproval, "it waits for a person", "audit recover apply --approve "+s.ID
	case len(p.w.Approved) > 0 && !slices.Contains(p.w.Approved, s.ID):
		s.Skip, s.Reason = SkipApproval, "other steps were approved, not this one"
	default:
		s.Status = Planned
	}
	p.take(m, s)
	return s
}

// take keeps item, target and mutex for a step, and counts it if it is planned.
func (p *planner) take(m match, s Step) {
	if s.Status == Planned {
		p.total++
		p.actions[m.subject.Item.System()]++
	}
	p.hold(m.rule, s)
}

func (p *planner) hold(r *Rule, s Step) {
	p.used["item "+string(s.Item)], p.used["target "+s.Effect.Target], p.used["mutex "+r.Mutex] = s, s, s
}
