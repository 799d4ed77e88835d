package rules

import (
	"context"
	"fmt"
	"slices"
	"time"

	"healthaudit/audit"
	"healthaudit/audit/condition"
	"healthaudit/snapshot"
)

// A Verify says how it is told whether an action helped. The zero value looks
// once, at once, whether the condition of the rule ceased to hold.
type Verify struct {
	Expect  *condition.Cond // what must hold; nil: the condition of the rule must be known not to
	After   time.Duration   // how long nothing is looked at
	Timeout time.Duration   // how long after that it may take
}

// maxWait is the longest that a run waits for one action. What may take longer
// is looked at by the runs that follow.
const maxWait = 2 * time.Minute

// Deferred reports whether the runs that follow tell whether an action helped.
func (v Verify) Deferred() bool { return v.After+v.Timeout > maxWait }

// Verified says in words how it is told whether an action of the rule helped.
func (r *Rule) Verified() string {
	v := r.Verify
	what := "the condition does not hold any more"
	switch {
	case v.Expect != nil:
		what = v.Expect.Text
	case r.Action.About != "":
		what = "it was done"
	}
	what += ", and nothing worse is found; "
	switch {
	case v.Deferred():
		return what + fmt.Sprintf("the runs that follow look, from %s after it on and for %s", v.After, v.Timeout)
	case v.After+v.Timeout == 0:
		return what + "looked at once, at once"
	}
	return what + fmt.Sprintf("looked at from %s after it on, for %s", v.After, v.Timeout)
}

// A Waiting is an action that was carried out and of which it is not known yet
// whether it helped. Until it is, nothing else is done about its item.
type Waiting struct {
	Step Step      `json:"step"`
	From time.Time `json:"from"` // when it is looked at first
	By   time.Time `json:"by"`   // when it has failed
}

// Waits returns the action that an item waits for, if any.
func (g Global) Waits(item snapshot.Key) *Waiting {
	i := slices.IndexFunc(g.Waiting, func(w Waiting) bool { return w.Step.Item == item })
	if i < 0 {
		return nil
	}
	return &g.Waiting[i]
}

// verify looks until the item is mended or the time is over, past every cache
// each time. What it returns says why it is not, "" when it is.
func (a *applier) verify(ctx context.Context, rule *Rule, s *Step, was audit.Severity) (why string) {
	v := rule.Verify
	if v.After > 0 {
		a.site.Hand().Pause(ctx, v.After)
	}
	end, pause := a.site.Now().Add(v.Timeout), time.Second
	for {
		if why = a.look(ctx, rule, s, was); why == "" {
			return ""
		}
		left := end.Sub(a.site.Now())
		if left <= 0 {
			return why
		}
		a.site.Hand().Pause(ctx, min(pause, left))
		pause = min(2*pause, 10*time.Second)
	}
}

// look reads the item again and says why it does not count as mended.
func (a *applier) look(ctx context.Context, rule *Rule, s *Step, was audit.Severity) (why string) {
	err := a.site.Look(ctx, s.Item, func(sub *Subject, _ *Preparation) error {
		why = unmended(rule, sub, was)
		return nil
	})
	if err != nil {
		return "it could not be looked at afterwards: " + err.Error()
	}
	return why
}

// unmended says why an item does not count as mended, "" when it does.
func unmended(rule *Rule, sub *Subject, was audit.Severity) string {
	switch {
	case sub == nil:
		return "it is gone afterwards"
	case sub.Level == audit.LevelUnknown:
		return "nobody knows how it is afterwards"
	case sub.Worst > was:
		return "what is found afterwards is worse than before"
	}
	if rule.Action.About != "" && rule.Verify.Expect == nil {
		return "" // some of what it is about may be for a person
	}
	cond, want, missed := rule.When, false, "its condition still holds afterwards"
	if rule.Verify.Expect != nil {
		cond, want, missed = *rule.Verify.Expect, true, "what it was to bring about does not hold afterwards"
	}
	j := condition.NewJudge()
	j.About(sub)
	holds, err := j.Eval(cond)
	switch {
	case err != nil:
		return "whether it helped cannot be told: " + err.Error()
	case holds != want:
		return missed
	}
	return ""
}

// wait leaves it to the runs that follow whether an action helped.
func (a *applier) wait(rule *Rule, s *Step) error {
	now := a.site.Now()
	w := Waiting{From: now.Add(rule.Verify.After), By: now.Add(rule.Verify.After + rule.Verify.Timeout)}
	s.Status, s.Reason = Awaited, "done; whether it helped is looked at until "+clock(w.By)
	w.Step = *s
	a.rest(s, now)
	a.state.Global.over(s)
	a.state.Global.Waiting = append(slices.Clone(a.state.Global.Waiting), w)
	return a.site.Commit(a.state, entryOf(a.entry, s, string(Awaited), s.Reason, now), nil)
}

// Await looks at the actions that were carried out in earlier runs and of which
// it was not known whether they helped, and ends those of which it is known now
// or whose time is over. What did not help is taken back where back is true, and
// else stands until a person says so. It returns the steps that ended. Errors
// are those of Commit.
func (s *Set) Await(ctx context.Context, site Site, st State, who Entry, back bool) ([]Step, State, error) {
	a := &applier{set: s, site: site, state: st.Clone(), entry: who}
	var ended []Step
	for _, w := range st.Global.Waiting {
		now, step := site.Now(), w.Step
		if now.Before(w.From) {
			continue
		}
		rule := s.Rule(step.Rule)
		if rule != nil && rule.Action.ID != step.Action {
			rule = nil
		}
		why := "its rule is gone or does something else now, and nobody can tell whether it helped"
		if rule != nil {
			why = a.look(ctx, rule, &step, step.Worst)
		}
		if why != "" && rule != nil && now.Before(w.By) {
			continue
		}
		a.state.Global.Waiting = slices.DeleteFunc(slices.Clone(a.state.Global.Waiting), func(o Waiting) bool { return o.Step.ID == step.ID })
		var err error
		switch {
		case why == "":
			err = a.end(&step, Done, "")
		case rule == nil || !back:
			a.failed++
			step.Hint = "what it did stands; audit recover undo " + step.ID + " takes it back where that can be"
			err = a.end(&step, Failed, why)
		default:
			err = a.fail(ctx, rule, &step, step.Effect.Writes, fmt.Sprintf("%s, %s after it was done", why, now.Sub(w.From).Round(time.Second)))
		}
		if err != nil {
			return ended, a.state, err
		}
		ended = append(ended, step)
	}
	return ended, a.state, nil
}
