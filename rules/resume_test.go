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
