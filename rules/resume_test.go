package rules

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"
)

// What was begun by a rule that is gone, or that does something else now, is not
// carried on, and neither is what was carried on once.
func TestPending_Resumable(t *testing.T) {
	act := &Action{ID: "turn", Class: Idempotent}
	step := Step{Action: "turn", Effect: &Effect{Deed: &Deed{}}}
	for what, c := range map[string]struct {
		p    Pending
		rule *Rule
		want bool
	}{
		"a_deed":           {Pending{Step: step}, &Rule{Action: act}, true},
		"a_second_time":    {Pending{Step: step, Resumed: true}, &Rule{Action: act}, false},
		"no_rule":          {Pending{Step: step}, nil, false},
		"another_action":   {Pending{Step: step}, &Rule{Action: &Action{ID: "x", Class: Idempotent}}, false},
		"once_only":        {Pending{Step: step}, &Rule{Action: &Action{ID: "turn", Class: AtMostOnce}}, false},
		"a_write_of_files": {Pending{Step: Step{Action: "turn", Effect: &Effect{}}}, &Rule{Action: act}, false},
	} {
		if got := c.p.Resumable(c.rule); got != c.want {
			t.Errorf("%s: %v", what, got)
		}
	}
}

// begun is a deed that was interrupted after its first half, at that time.
func begun(t *testing.T, at time.Time) *switchSite {
	t.Helper()
	f := turn(t, Idempotent)
	f.killAt = 6 // after the first half of what it does
	if !killed(t, func() { f.apply(t, 1) }) || f.disk["x"] != "half" {
		t.Fatalf("it is %q", f.disk["x"])
	}
	f.killAt = 0
	f.kept.Global.Pending.At = at
	return f
}

// An interrupted deed is carried on while the world may still be that of its plan.
// Later, and when the clock was set back, it is not: a person is told, and nothing
// more is tried there, however long it looks well.
func TestResume_in_time(t *testing.T) {
	for ago, want := range map[time.Duration]int{0: 1, 119 * time.Minute: 1, -time.Minute: 1, 121 * time.Minute: 0, 72 * time.Hour: 0, -72 * time.Hour: 0} {
		f := begun(t, noon)
		f.now = noon.Add(ago)
		rule := f.set.Rules[0]
		p := f.kept.Global.Pending
		st, err := f.set.Resume(t.Context(), f, f.kept, Entry{})
		if err != nil || f.done != want {
			t.Errorf("%s later: done %d times, %v", ago, f.done, err)
		}
		if want > 0 {
			continue
		}
		sub := f.subject("scripts/x")
		st, e := Resolve(st, Interrupted{Rule: rule, Subject: &sub, Unsettled: errors.New("half"), Left: p.Stale(rule, f.now)}, Entry{}, f.now)
		if st.Global.Pending != nil || e.Phase != "failed" || !strings.Contains(e.What, "a person must look") {
			t.Errorf("%s later: %+v", ago, e)
		}
		for seq := range uint64(6) { // its condition does not hold for days
			f.kept, f.now = st, f.now.Add(24*time.Hour)
			_, st = f.plan(seq + 2)
		}
		if got := f.set.Standing(st, nil).Stuck; len(got) != 1 || !got[0].Cut || got[0].Step != p.Step.ID {
			t.Errorf("%s later: %+v", ago, got)
		}
		f.disk["x"], f.kept = "bad", st
		if steps := f.apply(t, 9); len(steps) != 1 || steps[0].Skip != SkipExhausted || !strings.Contains(steps[0].Reason, "audit recover reset") {
			t.Errorf("%s later: %+v", ago, steps)
		}
	}
	for d, want := range map[time.Duration]string{0: "0m", 45 * time.Minute: "45m", 2*time.Hour + 20*time.Second: "2h", 50*time.Hour + 30*time.Minute: "50h30m"} {
		if got := inMinutes(d); got != want {
			t.Errorf("%s is written %s", d, got)
		}
	}
	long := &Rule{Verify: Verify{After: time.Hour, Timeout: time.Hour}, Cooldown: 12 * time.Hour}
	if long.Carried() != 14*time.Hour || (&Rule{Cooldown: time.Minute}).Carried() != 2*time.Hour {
		t.Errorf("%s", long.Carried())
	}
}

// What an interrupted deed cannot be carried on without is asked for anew; where
// the rule would do another thing by now, or its item is mended, nothing is done.
func TestResume_renews(t *testing.T) {
	for name, c := range map[string]struct {
		disk string
		err  error
		want int
	}{"as_it_was": {"bad", nil, 1}, "mended": {"good", nil, 0}, "another_rule": {"bad", errors.New("another"), 0}} {
		f := begun(t, noon)
		f.disk["x"] = c.disk
		act := f.set.Rules[0].Action
		act.Settled = func(context.Context, *Hand, Deed) error { return nil } // nobody knows
		act.Renew = func(_ *Preparation, d Deed) (Deed, error) {
			d.Now = map[string]string{"key": "word"}
			return d, c.err
		}
		do := act.Do
		act.Do = func(ctx context.Context, h *Hand, d Deed) (Deed, error) {
			if d.Now["key"] != "word" {
				t.Errorf("%s: it was not renewed", name)
			}
			return do(ctx, h, d)
		}
		if _, err := f.set.Resume(t.Context(), f, f.kept, Entry{}); err != nil || f.done != c.want {
			t.Errorf("%s: done %d times, %v", name, f.done, err)
		}
	}
}

// What is left half done is a person's, also where nobody can say how its item is.
func TestResolve_left_unseen(t *testing.T) {
	f := begun(t, noon)
	f.now = noon.Add(121 * time.Minute)
	p := f.kept.Global.Pending
	found := Interrupted{Rule: f.set.Rules[0], Unsettled: errors.New("connection refused"), Left: true}
	st, e := Resolve(f.kept, found, Entry{}, f.now)
	if got := f.set.Standing(st, nil).Stuck; e.Phase != "failed" || len(got) != 1 || !got[0].Cut || got[0].Step != p.Step.ID || !strings.Contains(e.What, "a person must look") {
		t.Errorf("%+v, stuck %+v", e, got)
	}
	f.disk["x"], f.kept = "bad", st
	if steps := f.apply(t, 9); len(steps) != 1 || steps[0].Skip != SkipExhausted || f.done != 0 {
		t.Errorf("%+v", steps)
	}
}

// As long as nobody can look at the item of a deed, or ask its world, it is not
// carried on, and is afterwards.
func TestResume_waits_until_it_is_seen(t *testing.T) {
	f := begun(t, noon)
	act := f.set.Rules[0].Action
	refused := errors.New("connection refused")
	act.Ask = func(context.Context, *Hand, Deed) error { return refused }
	if st, err := f.set.Resume(t.Context(), f, f.kept, Entry{}); err != nil || f.done != 0 || st.Global.Pending.Resumed {
		t.Errorf("its world does not answer: done %d times, %+v, %v", f.done, st.Global.Pending, err)
	}
	if f.disk["x"], refused = "?", nil; f.subject("scripts/x").Level != "unknown" {
		t.Fatal("it is known")
	}
	if st, err := f.set.Resume(t.Context(), f, f.kept, Entry{}); err != nil || f.done != 0 || st.Global.Pending.Resumed {
		t.Errorf("nobody knows how it is: done %d times, %+v, %v", f.done, st.Global.Pending, err)
	}
	f.disk["x"] = "half"
	if st, err := f.set.Resume(t.Context(), f, f.kept, Entry{}); err != nil || f.done != 1 || !st.Global.Pending.Resumed || !st.Global.Pending.Executed {
		t.Errorf("done %d times, %+v, %v", f.done, st.Global.Pending, err)
	}
}

// Killed again while it was carried on, a deed is left to a person.
func TestResolve_killed_again(t *testing.T) {
	f := begun(t, noon)
	f.calls, f.killAt = 0, 6 // looked at, kept that it is carried on, half of it done
	f.kept.Global.Pending.Executed = true
	if !killed(t, func() { _, _ = f.set.Resume(t.Context(), f, f.kept, Entry{}) }) || !f.kept.Global.Pending.Resumed || f.kept.Global.Pending.Executed {
		t.Fatalf("%+v", f.kept.Global.Pending)
	}
	f.killAt = 0
	rule, sub := f.set.Rules[0], f.subject("scripts/x")
	for name, unsettled := range map[string]error{"half": errors.New("half"), "done": nil} {
		st, e := Resolve(f.kept, Interrupted{Rule: rule, Subject: &sub, Unsettled: unsettled}, Entry{}, f.now)
		if left := strings.Contains(e.What, "it was carried out again, once"); left != (unsettled != nil) || len(f.set.Standing(st, nil).Stuck) == 1 != left {
			t.Errorf("%s: %+v", name, e)
		}
	}
	rule.Action.Renew = func(*Preparation, Deed) (Deed, error) { return Deed{}, nil } // nobody can tell that it is done
	ill := sick("scripts/x", "script-syntax")
	if _, e := Resolve(f.kept, Interrupted{Rule: rule, Subject: &ill}, Entry{}, f.now); !strings.Contains(e.What, "a person must look") {
		t.Errorf("%+v", e)
	}
}

// Beside an action that waits until its item can be looked at, others go on, and
// it is not forgotten: not when they are cut off either. On its own item none does.
func TestApply_beside_what_is_pending(t *testing.T) {
	for _, at := range []int{0, 3, 5} {
		f := mend(t, "x", "y")
		f.set.Limits.UnhealthyPct = 100
		p, _ := f.plan(1)
		f.kept.Global.Pending = &Pending{Step: p.Steps[0], At: noon}
		f.kept.Global.Pending.Step.ID = "before"
		f.killAt = f.calls + at
		var steps []Step
		dead := killed(t, func() { steps = f.apply(t, 2) })
		pending := f.kept.Global.Pending
		if dead && pending.Step.ID != "before" {
			st, _ := Resolve(f.kept, Interrupted{Rule: f.set.Rules[0]}, Entry{}, f.Now())
			pending = st.Global.Pending
		}
		if pending == nil || pending.Step.ID != "before" || pending.Behind != nil || f.disk["x"] != "bad" {
			t.Errorf("killed at %d: x is %s, pending %+v", at, f.disk["x"], pending)
		}
		if dead != (at > 0) || !dead && (len(steps) != 2 || steps[0].Skip != SkipAwaited || steps[1].Status != Done) {
			t.Errorf("killed at %d: %v, %+v", at, dead, steps)
		}
	}
}
