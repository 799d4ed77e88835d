package rules

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"healthaudit/snapshot"
)

func TestApply(t *testing.T) {
	f := mend(t, "x")
	steps := f.apply(t, 1)
	if len(steps) != 1 || steps[0].Status != Done || f.disk["x"] != "good" || !slices.Equal(phases(f), []string{"intent", "done"}) || f.kept.Global.Pending != nil {
		t.Fatalf("%+v, disk %v, journal %v", steps, f.disk, phases(f))
	}
	e := f.journal[1]
	back, err := Undone(e)
	if err != nil || len(back) != 1 {
		t.Fatalf("%+v, %v", back, err)
	}
	if w := back[0]; w.Path != "x" || w.Was != snapshot.Sum([]byte("good")) || w.Sum != snapshot.Sum([]byte("bad")) || w.Mode != 0o755 {
		t.Errorf("%+v, %v", w, err)
	}
	if again := f.apply(t, 2); len(again) != 0 {
		t.Errorf("what is well is acted upon: %+v", again)
	}
}

// What stands there after a write is not what was written: it is not
// overwritten a second time, and the rule acts there no more.
func TestApply_never_overwrites_what_it_does_not_know(t *testing.T) {
	for name, after := range map[string]string{"still_broken": "bad", "not_known": "?"} {
		t.Run(name, func(t *testing.T) {
			f := mend(t, "x")
			f.after["x"] = after
			steps := f.apply(t, 1)
			if steps[0].Status != Failed || f.disk["x"] != after {
				t.Fatalf("%+v, disk %v", steps[0], f.disk)
			}
			if inc := f.kept.Incidents[IncidentID("a", "scripts/x")]; inc.Latched == nil {
				t.Errorf("not latched though it could not be put back: %+v", inc)
			}
		})
	}
}

// What does not help is undone, counts as a failure, and is not done again
// before its time.
func TestApply_rolls_back(t *testing.T) {
	f := mend(t, "x")
	f.set.Rules[0].Action.Prepare = func(p *Preparation) (Effect, error) {
		return Effect{Target: "x", What: "make it worse", Writes: []Write{{Path: "x", Was: snapshot.Sum([]byte(f.disk["x"])), Sum: snapshot.Sum([]byte("worse"))}}}, nil
	}
	steps := f.apply(t, 1)
	if steps[0].Status != RolledBack || f.disk["x"] != "bad" || !slices.Equal(phases(f), []string{"intent", "rolled_back"}) {
		t.Fatalf("%+v, disk %v, journal %v", steps[0], f.disk, phases(f))
	}
	if steps := f.apply(t, 2); steps[0].Skip != SkipCooldown {
		t.Errorf("%+v", steps[0])
	}
}

// A write that is refused wrote nothing: nothing is put back.
func TestApply_refused_write(t *testing.T) {
	f := mend(t, "x")
	f.refuse = errors.New("read-only file system")
	if s := f.apply(t, 1)[0]; s.Status != Failed || s.Reason != "read-only file system" || f.disk["x"] != "bad" {
		t.Errorf("%+v", s)
	}
}

// Between plan and act the world may change: then nothing is done, and no
// attempt is counted.
func TestApply_looks_again(t *testing.T) {
	for want, now := range map[string]string{"well already": "good", "nobody knows": "?"} {
		f := mend(t, "x")
		p, st := f.plan(1)
		f.disk["x"] = now
		steps, st, err := f.set.Apply(t.Context(), f, p, st, Entry{})
		if err != nil || steps[0].Status != Skipped || !strings.Contains(steps[0].Reason, want) || f.disk["x"] != now || len(f.journal) != 0 {
			t.Errorf("%v: %+v, disk %v", err, steps[0], f.disk)
		}
		if st.Incidents[IncidentID("a", "scripts/x")].Attempts != 0 {
			t.Error("an attempt was counted")
		}
	}
	f := mend(t, "x")
	p, st := f.plan(1)
	p.Steps[0].Effect.Writes[0].Was = snapshot.Sum([]byte("other bytes"))
	steps, _, _ := f.set.Apply(t.Context(), f, p, st, Entry{})
	if steps[0].Skip != SkipRefused || f.disk["x"] != "bad" {
		t.Errorf("%+v", steps[0])
	}
}

// After two failures of one run nothing more is done, for an hour.
func TestApply_stops_after_failures(t *testing.T) {
	f := mend(t, "a", "b", "c")
	f.set.Limits.UnhealthyPct = 100
	f.set.Rules[0].Action.Prepare = func(p *Preparation) (Effect, error) {
		n := p.Item.Key.Name()
		return Effect{Target: n, Writes: []Write{{Path: n, Was: snapshot.Sum([]byte(f.disk[n])), Sum: snapshot.Sum([]byte("worse"))}}}, nil
	}
	steps := f.apply(t, 1)
	var got []Status
	for _, s := range steps {
		got = append(got, s.Status)
	}
	if !slices.Equal(got, []Status{RolledBack, RolledBack, Skipped}) || steps[2].Skip != SkipBreaker || f.kept.Global.Broken == nil {
		t.Fatalf("%v, %+v", got, f.kept.Global)
	}
	f.disk["d"] = "bad"
	for _, s := range f.apply(t, 2) {
		if s.Status != Skipped {
			t.Errorf("%+v", s)
		}
	}
}

// Told to stop, it ends the action it is at and begins no other.
func TestApply_stops(t *testing.T) {
	f := mend(t, "a", "b")
	p, st := f.plan(1)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	steps, _, err := f.set.Apply(ctx, f, p, st, Entry{})
	if err != nil || steps[0].Skip != SkipStopped || len(f.journal) != 0 {
		t.Errorf("%v %+v", err, steps)
	}
}

// Killed at any moment, the next start knows what was under way, and it
// converges: at most one further attempt, and what was overwritten is kept.
func TestApply_killed_anywhere(t *testing.T) {
	ends := 0
	for at := 1; ; at++ {
		f := mend(t, "x")
		f.killAt = at
		dead := func() (dead bool) {
			defer func() {
				if r := recover(); r != nil {
					if r != errKilled {
						panic(r)
					}
					dead = true
				}
			}()
			f.apply(t, 1)
			return false
		}()
		if !dead {
			break
		}
		ends++
		f.killAt = 0
		began := len(f.journal) > 0
		if (f.kept.Global.Pending != nil) != (began && f.journal[len(f.journal)-1].Phase == "intent") {
			t.Errorf("killed at %d: pending %+v, journal %v", at, f.kept.Global.Pending, phases(f))
		}
		if f.disk["x"] == "good" && !f.blobs[snapshot.Sum([]byte("bad"))] {
			t.Errorf("killed at %d: what stood there is lost", at)
		}
		if f.kept.Global.Pending != nil {
			sub := f.subject("scripts/x")
			var e Entry
			f.kept, e = Resolve(f.kept, Interrupted{Rule: f.set.Rules[0], Subject: &sub}, Entry{}, f.Now())
			f.journal = append(f.journal, e)
			if want := map[string]string{"good": "done", "bad": "failed"}[f.disk["x"]]; e.Phase != want {
				t.Errorf("killed at %d: resolved as %s, want %s", at, e.Phase, want)
			}
		}
		f.now = f.now.Add(2 * time.Hour) // past the cooldown
		f.apply(t, 2)
		if f.disk["x"] != "good" || f.kept.Global.Pending != nil {
			t.Errorf("killed at %d: %v, journal %v", at, f.disk, phases(f))
		}
		intents := 0
		for _, p := range phases(f) {
			if p == "intent" {
				intents++
			}
		}
		if intents > 2 || phases(f)[len(f.journal)-1] != "done" {
			t.Errorf("killed at %d: journal %v", at, phases(f))
		}
	}
	if ends < 8 {
		t.Errorf("killed at %d moments only", ends)
	}
}
