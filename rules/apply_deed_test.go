package rules

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"healthaudit/snapshot"
)

// A switchSite is a fakeSite whose items are switches: a deed turns one on.
type switchSite struct {
	*fakeSite
	done   int  // deeds that had their effect
	undone int  // and were taken back
	lame   bool // it has no effect
}

func (f *switchSite) Hand() *Hand { return &Hand{} }

// turn is a rule that turns x on by a deed of two halves.
func turn(t *testing.T, class Class) *switchSite {
	f := &switchSite{fakeSite: mend(t, "x")}
	f.set.Rules[0].Action = &Action{ID: "turn", Class: class,
		Prepare: func(p *Preparation) (Effect, error) {
			return Effect{Target: "switch x", What: "turn x on", Deed: &Deed{Of: "on", Args: map[string]string{"switch": p.Item.Key.Name()}}}, nil
		},
		Do: func(_ context.Context, _ *Hand, d Deed) (Deed, error) {
			if class == Idempotent && f.disk["x"] == "good" {
				return d, nil
			}
			f.call(func() { f.disk["x"] = "half" }) // by now its condition does not hold
			f.call(func() {
				f.done++
				if f.disk["x"] = "good"; f.lame {
					f.disk["x"] = "bad"
				}
			})
			d.Made = map[string]string{"by": "turn"}
			return d, nil
		},
		Settled: func(context.Context, *Hand, Deed) error {
			if f.disk["x"] == "good" || f.lame {
				return nil
			}
			return errors.New("it is not on")
		},
		Undo: func(_ context.Context, _ *Hand, d Deed) error {
			if d.Made["by"] != "turn" {
				return errors.New("made by somebody else")
			}
			f.undone++
			return nil
		},
	}
	return f
}

func (f *switchSite) subject(key snapshot.Key) Subject {
	if f.disk["x"] == "half" {
		return well(key)
	}
	return f.fakeSite.subject(key)
}

func (f *switchSite) Look(_ context.Context, key snapshot.Key, fn func(*Subject, *Preparation) error) (err error) {
	f.call(func() {
		s := f.subject(key)
		err = fn(&s, &Preparation{Item: s.Item, Worst: s.Worst})
	})
	return err
}

func (f *switchSite) apply(t *testing.T, seq uint64) []Step { return f.applyAt(t, f, seq) }

func TestApply_deed(t *testing.T) {
	f := turn(t, Idempotent)
	steps := f.apply(t, 1)
	if steps[0].Status != Done || f.done != 1 || !slices.Equal(phases(f.fakeSite), []string{"intent", "executed", "done"}) {
		t.Fatalf("%+v, %d done, journal %v", steps[0], f.done, phases(f.fakeSite))
	}
	d, ok, err := Did(f.journal[2])
	if err != nil || !ok || d.Of != "on" || d.Args["switch"] != "x" || d.Made["by"] != "turn" {
		t.Errorf("the journal has %+v, %v %v", d, ok, err)
	}
	if d, ok, err := Did(f.journal[0]); err != nil || !ok || len(d.Made) != 0 {
		t.Errorf("the intent has %+v, %v %v", d, ok, err)
	}
}

// A deed that does not help is taken back where that can be, and else has failed.
func TestApply_deed_rolls_back(t *testing.T) {
	f := turn(t, Idempotent)
	f.lame = true
	if s := f.apply(t, 1)[0]; s.Status != RolledBack || f.undone != 1 {
		t.Errorf("%+v, %d undone", s, f.undone)
	}
	f = turn(t, Idempotent)
	f.lame, f.set.Rules[0].Action.Undo = true, nil
	if s := f.apply(t, 1)[0]; s.Status != Failed || !strings.Contains(s.Reason, "still holds") {
		t.Errorf("%+v", s)
	}
}

// Another deed than the planned one is not done.
func TestApply_deed_changed(t *testing.T) {
	f := turn(t, Idempotent)
	p, st := f.plan(1)
	p.Steps[0].Effect.Deed.Args["switch"] = "y"
	if steps, _, _ := f.set.Apply(t.Context(), f, p, st, Entry{}); steps[0].Skip != SkipRefused || f.done != 0 {
		t.Errorf("%+v", steps[0])
	}
}

// Killed at any moment, a deed that may be done twice is brought to its end,
// also when it was half done and no rule asks for the rest; one that may be done
// once has its effect once at most, and rests.
func TestApply_deed_killed_anywhere(t *testing.T) {
	for _, class := range []Class{Idempotent, AtMostOnce} {
		ends := 0
		for at := 1; ; at++ {
			f := turn(t, class)
			f.killAt = at
			if !killed(t, func() { f.apply(t, 1) }) {
				break
			}
			ends++
			f.killAt = 0
			if p := f.kept.Global.Pending; p != nil {
				rule := f.set.Rules[0]
				if p.Resumable(rule) {
					st, err := f.set.Resume(t.Context(), f, f.kept, Entry{})
					if err != nil {
						t.Fatal(err)
					}
					f.kept = st
				}
				sub := f.subject("scripts/x")
				var e Entry
				f.kept, e = Resolve(f.kept, Interrupted{Rule: rule, Subject: &sub, Unsettled: rule.Action.Settled(t.Context(), nil, Deed{})}, Entry{}, f.Now())
				f.journal = append(f.journal, e)
				if class == AtMostOnce && f.disk["x"] != "good" && (e.Phase != "failed" || !strings.Contains(e.What, "unknown outcome")) {
					t.Errorf("%s, killed at %d: %s %s", class, at, e.Phase, e.What)
				}
				if steps := f.apply(t, 2); class == AtMostOnce && f.disk["x"] == "bad" && (len(steps) != 1 || steps[0].Skip != SkipCooldown) {
					t.Errorf("%s, killed at %d: done again in the same run: %+v", class, at, steps)
				}
			} else {
				f.apply(t, 2)
			}
			if class == AtMostOnce && f.done > 1 || f.done > 2 {
				t.Errorf("%s, killed at %d: done %d times, journal %v", class, at, f.done, phases(f.fakeSite))
			}
			if class == Idempotent && f.disk["x"] != "good" || f.kept.Global.Pending != nil {
				t.Errorf("%s, killed at %d: it is %q, journal %v", class, at, f.disk["x"], phases(f.fakeSite))
			}
		}
		if ends < 12 {
			t.Errorf("%s: killed at %d moments only", class, ends)
		}
	}
}

// killed reports whether fn died at the moment it was to.
func killed(t *testing.T, fn func()) (dead bool) {
	t.Helper()
	defer func() {
		if r := recover(); r != nil {
			if r != errKilled {
				panic(r)
			}
			dead = true
		}
	}()
	fn()
	return false
}

// A deed is part of what a plan is approved for.
func TestPlan_hash_of_a_deed(t *testing.T) {
	f := turn(t, Idempotent)
	a, _ := f.plan(1)
	f.set.Rules[0].Action.Prepare = func(*Preparation) (Effect, error) {
		return Effect{Target: "switch x", Deed: &Deed{Of: "on", Args: map[string]string{"switch": "y"}}}, nil
	}
	if b, _ := f.plan(1); a.ID == b.ID {
		t.Error("two plans with different deeds have one id")
	}
}

// What a deed notes on its way is on disk at once, and in the intent afterwards.
func TestApply_notes(t *testing.T) {
	f := turn(t, Idempotent)
	f.set.Rules[0].Action.Do = func(_ context.Context, h *Hand, d Deed) (Deed, error) {
		d = d.With("first", "1")
		if err := h.Note(d); err != nil || f.kept.Global.Pending.Step.Effect.Deed.Made["first"] != "1" {
			t.Errorf("%v, kept %+v", err, f.kept.Global.Pending)
		}
		panic(errKilled)
	}
	if !killed(t, func() { f.apply(t, 1) }) || !slices.Equal(phases(f.fakeSite), []string{"intent", "under way"}) {
		t.Fatalf("%v", phases(f.fakeSite))
	}
	sub := f.subject("scripts/x")
	_, e := Resolve(f.kept, Interrupted{Rule: f.set.Rules[0], Subject: &sub, Unsettled: errors.New("half")}, Entry{}, f.Now())
	if d, ok, err := Did(e); !ok || err != nil || d.Made["first"] != "1" {
		t.Errorf("%+v", e)
	}
}

// Where nothing came of a deed, it is not said to be taken back.
func TestApply_nothing_to_take_back(t *testing.T) {
	f := turn(t, Idempotent)
	f.set.Rules[0].Action.Do = func(_ context.Context, _ *Hand, d Deed) (Deed, error) { return d, errors.New("no") }
	f.set.Rules[0].Action.Undo = func(context.Context, *Hand, Deed) error { return ErrNothing }
	if s := f.apply(t, 1)[0]; s.Status != Failed || s.Reason != "no" {
		t.Errorf("%+v", s)
	}
}
