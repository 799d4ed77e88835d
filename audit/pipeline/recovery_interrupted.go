package pipeline

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"healthaudit/rules"
	"healthaudit/snapshot"
	"healthaudit/snapshot/archive"
	"healthaudit/snapshot/store"
)

// ErrUnfinished says that what was approved cannot be done alone: an action that
// was interrupted comes before it.
var ErrUnfinished = errors.New("an action was interrupted and is not at its end yet")

// tie ends what was under way before anything is begun. Where a person chose what
// is to be done, nothing else is: then an action that was interrupted is in the
// way, and what is awaited stays so.
func (s *site) tie(ctx context.Context, q Request) ([]rules.Step, error) {
	p := s.kept.Global.Pending
	chosen := q.Plan != "" || len(q.Approved) > 0
	switch {
	case p != nil && (chosen || q.Rule != "" && q.Rule != p.Step.Rule):
		return nil, ErrUnfinished
	case chosen:
		return nil, nil
	}
	if err := s.sweep(); err != nil {
		return nil, err
	}
	left, err := s.resolve(ctx)
	if err != nil {
		return nil, err
	}
	ended, err := s.await(ctx)
	return append(left, ended...), err
}

// settle ends what was interrupted, and looks at what is awaited.
func (r *Runner) settle(ctx context.Context, v *View) error {
	s, done, err := r.site()
	if err != nil {
		return err
	}
	defer done()
	ended, err := s.tie(ctx, Request{})
	if err != nil || len(ended) == 0 || v.recovered == nil {
		return err
	}
	p := *v.recovered.Plan
	p.Steps = append(ended, slices.DeleteFunc(slices.Clone(p.Steps), func(o rules.Step) bool {
		return slices.ContainsFunc(ended, func(e rules.Step) bool { return e.ID == o.ID })
	})...)
	v.recovered = &Recovered{Rules: v.recovered.Rules, Plan: &p}
	return s.st.Update(func(tx *store.Tx) error {
		w := writer{tx: tx, seq: tx.Seq()}
		w.recovered(v.recovered)
		return w.err
	})
}

// await ends what was done in earlier runs, as far as it is known now whether it helped.
func (s *site) await(ctx context.Context) ([]rules.Step, error) {
	if len(s.kept.Global.Waiting) == 0 {
		return nil, nil
	}
	ended, _, err := s.Rules.Await(ctx, s, s.kept, s.entry("recover"), s.Recovery == "apply")
	return ended, err
}

// resolve ends the actions that were interrupted, the last one first, as far as
// their items can be looked at. It returns the steps that a person must look at.
func (s *site) resolve(ctx context.Context) (left []rules.Step, err error) {
	for p := s.kept.Global.Pending; p != nil; p = s.kept.Global.Pending {
		ended, step, err := s.resolved(ctx, p)
		if err != nil || !ended {
			return left, err
		}
		if step != nil {
			left = append(left, *step)
		}
	}
	return left, nil
}

// resolved ends an action that was interrupted, by a new look at its item, where
// it does not stay as it is. It returns its step when a person must look at it.
func (s *site) resolved(ctx context.Context, p *rules.Pending) (ended bool, left *rules.Step, err error) {
	var beside []string
	for _, w := range p.Step.Effect.Writes {
		beside = append(beside, w.Path)
		if err := archive.Sweep(s.root, w.Path, s.Now().Add(-young)); err != nil {
			return false, nil, fmt.Errorf("clean up after an interrupted action: %w", err)
		}
	}
	rule := s.Rules.Rule(p.Step.Rule)
	found := rules.Interrupted{Rule: rule}
	if p.Repeatable(rule) && !p.Settled(ctx, s.Hand(), rule) {
		stale := p.Stale(rule, s.Now())
		if !stale && !p.Seen(ctx, s, rule) {
			return false, nil, nil // it stays as it is until somebody can look, or its time is over
		}
		found.Left = stale || p.Resumed
		if !found.Left && !s.may() {
			found.Subject = s.subject(ctx, p.Step.Item)
			if rule.Action.Renew == nil || !found.Mended(p) {
				return false, nil, nil // it stays as it is until something may be done
			}
		}
		if !found.Left && s.may() {
			next, err := s.Rules.Resume(ctx, s, s.kept, s.entry("recover"))
			if err != nil {
				return false, nil, err
			}
			p = next.Global.Pending
		}
	}
	if d := p.Step.Effect.Deed; d != nil && rule != nil && rule.Action.Settled != nil {
		found.Unsettled = rule.Action.Settled(ctx, s.Hand(), *d)
	}
	if rule != nil && rule.Action.About != "" && !allStand(s, p.Step.Effect.Writes) {
		found.Unsettled = errors.New("not all of it was done")
	}
	found.Subject = s.subject(ctx, p.Step.Item)
	next, e := rules.Resolve(s.kept, found, s.entry("recover"), s.Now())
	if now := s.waits(beside); len(now) > 0 {
		next.Global.Littered = slices.Compact(slices.Sorted(slices.Values(append(now, next.Global.Littered...))))
	}
	inc := next.Incidents[rules.IncidentID(p.Step.Rule, p.Step.Item)]
	if err := s.Commit(next, e, nil); err != nil || inc.Stuck != p.Step.ID {
		return true, nil, err
	}
	step := p.Step
	step.Status, step.Reason = rules.Failed, inc.StuckWhy
	step.Hint = fmt.Sprintf("put it right by hand, then audit recover reset %s %s", step.Rule, step.Item)
	return true, &step, nil
}

// may reports whether anything may be done to the world now.
func (s *site) may() bool {
	until := s.kept.Global.Paused
	return s.Recovery == "apply" && (until == nil || !s.Now().Before(*until))
}

// subject is an item read again; nil where it is gone or cannot be: not known is
// not mended.
func (s *site) subject(ctx context.Context, item snapshot.Key) (found *rules.Subject) {
	err := s.Look(ctx, item, func(sub *rules.Subject, _ *rules.Preparation) error {
		found = sub
		return nil
	})
	if err != nil {
		return nil
	}
	return found
}
