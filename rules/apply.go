package rules

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
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
}

// A Pending is an action that began and did not end: the journal has its intent.
type Pending struct {
	Step Step      `json:"step"`
	At   time.Time `json:"at"`
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
	var writes []Write
	worst := audit.Severity(0)
	err := a.site.Look(ctx, s.Item, func(sub *Subject, p *Preparation) (err error) {
		if sub != nil {
			worst = sub.Worst
		}
		writes, err = ready(rule, s, sub, p)
		return err
	})
	if err != nil {
		r := refused(err)
		s.Status, s.Skip, s.Reason, s.Hint = Skipped, SkipRefused, r.Why, r.Hint
		return nil
	}
	if err := a.begin(rule, s, writes); err != nil {
		return err
	}
	for i, w := range writes {
		if err := a.site.Write(w); err != nil {
			return a.fail(rule, s, writes[:i], err.Error())
		}
	}
	if why := a.verify(ctx, rule, s, worst); why != "" {
		return a.fail(rule, s, writes, why)
	}
	return a.end(s, Done, "")
}

// ready says what is to be written now. A *Refusal is that the world is not the
// one of the plan any more.
func ready(rule *Rule, s *Step, sub *Subject, p *Preparation) ([]Write, error) {
	switch {
	case sub == nil:
		return nil, &Refusal{Why: "it is gone"}
	case sub.Level == audit.LevelUnknown:
		return nil, &Refusal{Why: "looked at again, nobody knows how it is"}
	case sub.Level == audit.LevelOK:
		return nil, &Refusal{Why: "it is well already"}
	case sub.Waived:
		return nil, &Refusal{Why: "a finding of it is waived"}
	}
	j := condition.NewJudge()
	j.About(sub)
	holds, err := j.Eval(rule.When)
	switch {
	case err != nil:
		return nil, &Refusal{Why: "looked at again, its condition cannot be told: " + err.Error()}
	case !holds:
		return nil, &Refusal{Why: "looked at again, its condition does not hold any more"}
	}
	p.Params = rule.Params
	e, err := rule.Action.Prepare(p)
	if err != nil {
		return nil, err
	}
	if e.Target != s.Effect.Target || len(e.Writes) != len(s.Effect.Writes) {
		return nil, &Refusal{Why: "it changed since it was planned", Hint: "audit run looks again"}
	}
	for i, w := range e.Writes {
		if v := s.Effect.Writes[i]; w.Path != v.Path || w.Was != v.Was || w.Sum != v.Sum {
			return nil, &Refusal{Why: "it changed since it was planned", Hint: "audit run looks again"}
		}
	}
	return e.Writes, nil
}

// begin keeps the intent: from now on the attempt counts, whatever happens.
func (a *applier) begin(rule *Rule, s *Step, writes []Write) error {
	now := a.site.Now()
	id := IncidentID(s.Rule, s.Item)
	a.state.Incidents[id] = a.state.Incidents[id].Attempted(rule, now)
	a.state.Global.Done = append(a.state.Global.Done[:len(a.state.Global.Done):len(a.state.Global.Done)], now)
	a.state.Global.Pending = &Pending{Step: *s, At: now}
	return a.site.Commit(a.state, entryOf(a.entry, s, "intent", s.Effect.What, now), writes)
}

// verify looks again: the condition must be known not to hold, and nothing worse
// may have come up.
func (a *applier) verify(ctx context.Context, rule *Rule, s *Step, was audit.Severity) (why string) {
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
	j := condition.NewJudge()
	j.About(sub)
	holds, err := j.Eval(rule.When)
	switch {
	case err != nil:
		return "whether it helped cannot be told: " + err.Error()
	case holds:
		return "its condition still holds afterwards"
	}
	return ""
}

// fail puts back what was written, and keeps the outcome.
func (a *applier) fail(rule *Rule, s *Step, written []Write, why string) error {
	a.failed++
	if a.failed >= a.set.Limits.StopAfter {
		now := a.site.Now()
		a.state.Global.Broken = &now
	}
	for _, w := range written {
		if err := a.site.Write(w.back()); err != nil {
			now := a.site.Now()
			id := IncidentID(s.Rule, s.Item)
			inc := a.state.Incidents[id]
			inc.Attempts, inc.Latched = max(inc.Attempts, rule.Attempts), &now // nothing more is tried here
			a.state.Incidents[id] = inc
			s.Hint = "audit recover undo " + s.ID + " tries again; what stood there is kept in the store"
			return a.end(s, Failed, why+"; it could not be put back: "+err.Error())
		}
	}
	if len(written) == 0 {
		return a.end(s, Failed, why)
	}
	return a.end(s, RolledBack, why+"; what stood there is back")
}

// end keeps the outcome.
func (a *applier) end(s *Step, status Status, why string) error {
	now := a.site.Now()
	s.Status, s.Reason = status, why
	id := IncidentID(s.Rule, s.Item)
	inc := a.state.Incidents[id]
	inc.Last = &now
	a.state.Incidents[id] = inc
	if a.state.Global.Pending = nil; status == Done {
		a.state.Global.Broken = nil
		why = "done and verified: " + s.Effect.What
	}
	return a.site.Commit(a.state, entryOf(a.entry, s, string(status), why, now), nil)
}

// entryOf is the entry of the journal about one step.
func entryOf(e Entry, s *Step, phase, what string, now time.Time) Entry {
	e.At, e.Phase, e.Item, e.What = now, phase, string(s.Item), what+" ("+s.ID+")"
	e.Data = map[string]string{"id": s.ID, "rule": s.Rule, "action": s.Action, "attempt": strconv.Itoa(s.Attempt)}
	for _, w := range s.Effect.Writes {
		e.Data["file"], e.Data["was"], e.Data["sha256"] = w.Path, w.Was, w.Sum
		e.Data["mode"], e.Data["was_mode"] = octal(w.Mode), octal(w.Old)
	}
	return e
}

func octal(m fs.FileMode) string { return strconv.FormatUint(uint64(m.Perm()), 8) }

// Undone is the write that undoes the action of a journal entry.
func Undone(e Entry) (Write, error) {
	mode, err1 := strconv.ParseUint(e.Data["mode"], 8, 9)
	old, err2 := strconv.ParseUint(e.Data["was_mode"], 8, 9)
	if err := errors.Join(err1, err2); err != nil || e.Data["file"] == "" {
		return Write{}, fmt.Errorf("journal entry %d names no file to bring back", e.Seq)
	}
	return Write{Path: e.Data["file"], Was: e.Data["was"], Sum: e.Data["sha256"], Mode: fs.FileMode(mode), Old: fs.FileMode(old)}.back(), nil
}

// Resolve ends an action that was interrupted: by how its item is now, it is
// done or has failed, and its attempt counted when it began. The subject may be
// nil when the item is gone, or its rule is.
func Resolve(st State, rule *Rule, sub *Subject, who Entry, now time.Time) (State, Entry) {
	p := st.Global.Pending
	st = st.Clone()
	st.Global.Pending = nil
	phase, what := string(Failed), "interrupted; whether it helped is not known"
	switch {
	case rule == nil || sub == nil:
	case unmended(rule, sub, p.Step.Worst) == "":
		phase, what = string(Done), "interrupted, and found mended afterwards"
	default:
		what = "interrupted before it helped"
	}
	return st, entryOf(who, &p.Step, phase, what, now)
}
