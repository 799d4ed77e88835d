package rules

import (
	"context"
	"encoding/json"
	"fmt"

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
