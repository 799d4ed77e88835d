package rules

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"healthaudit/snapshot"
)

// A looping is a site with one app in a crash loop: a restart makes it look well
// for a few minutes.
type looping struct {
	*fakeSite
	restarted []time.Time
}

func (l *looping) Hand() *Hand { return &Hand{} }

func (l *looping) subject() Subject {
	if n := len(l.restarted); n > 0 && l.now.Sub(l.restarted[n-1]) < 5*time.Minute {
		return well("pm2/api")
	}
	return sick("pm2/api", "pm2-errored")
}

func (l *looping) Look(_ context.Context, _ snapshot.Key, fn func(*Subject, *Preparation) error) error {
	s := l.subject()
	return fn(&s, &Preparation{Item: s.Item, Worst: s.Worst})
}

// An app in a crash loop, and cron every minute for a day: it is restarted after
// 30 minutes, 1, 2, 4 and 6 hours, then given up, which is told once; then there
// is silence, and a finding that stands.
func TestDay_of_a_crash_loop(t *testing.T) {
	set := parse(t, `version: 1
rules:
  - {id: restart, system: pm2, when: 'finding("pm2-errored")', for: 2, cooldown: 30m, max_attempts: 6, on_exhausted: {disable_for: 24h}, action: {type: pm2.restart}}
`)
	l := &looping{fakeSite: &fakeSite{now: noon, kept: State{Incidents: map[string]Incident{}}, blobs: map[string]bool{}}}
	set.Rules[0].Action = &Action{ID: "pm2.restart", Class: Idempotent,
		Prepare: func(p *Preparation) (Effect, error) {
			return Effect{Target: string(p.Item.Key), What: "restart", Deed: &Deed{Of: "restart", Args: map[string]string{"app": p.Item.Name}}}, nil
		},
		Do: func(_ context.Context, _ *Hand, d Deed) (Deed, error) {
			l.restarted = append(l.restarted, l.now)
			return d, nil
		},
		Settled: func(context.Context, *Hand, Deed) error { return nil },
	}
	told, stands, givenUp := 0, 0, time.Time{}
	for minute := range 24 * 60 {
		l.now = noon.Add(time.Duration(minute) * time.Minute)
		p, st := set.Make(&World{Seq: uint64(minute + 1), Run: fmt.Sprint(minute), Now: l.now, Every: time.Minute, Subjects: []Subject{l.subject()}}, l.kept)
		if told += len(p.Exhausted); len(p.Exhausted) > 0 && givenUp.IsZero() {
			givenUp = l.now
		}
		before := len(l.journal)
		_, st, err := set.Apply(t.Context(), l, p, st, Entry{})
		if err != nil {
			t.Fatal(err)
		}
		l.kept = st
		if !givenUp.IsZero() && len(l.journal) > before {
			t.Errorf("minute %d: something is done after it was given up", minute)
		}
		now := set.Standing(st, p)
		if len(now.GivenUp) == 1 && now.GivenUp[0].Attempts == 6 {
			stands++
		} else if !givenUp.IsZero() {
			t.Errorf("minute %d: nothing stands", minute)
		}
	}
	var gaps []time.Duration
	for i, at := range l.restarted[1:] {
		gaps = append(gaps, at.Sub(l.restarted[i]).Round(5*time.Minute))
	}
	h := time.Hour
	if want := []time.Duration{h / 2, h, 2 * h, 4 * h, 6 * h}; !slices.Equal(gaps, want) {
		t.Errorf("restarted after %v, want %v", gaps, want)
	}
	if told != 1 || stands < 9*60 {
		t.Errorf("told %d times, and it stands for %d minutes", told, stands)
	}
}

// Ten apps of fifteen fail at once: nothing is restarted, and one breaker says why.
func TestStanding_ten_of_fifteen(t *testing.T) {
	s := tell(t, "version: 1\nrules:\n  - {id: restart, system: pm2, when: 'finding(\"pm2-errored\")', for: 1, action: {type: pm2.restart}}\n")
	var apps []Subject
	for i := range 15 {
		key := snapshot.Key(fmt.Sprintf("pm2/app%02d", i))
		if i < 10 {
			apps = append(apps, sick(key, "pm2-errored"))
		} else {
			apps = append(apps, well(key))
		}
	}
	p := s.run(apps...)
	for _, step := range p.Steps {
		if step.Status != Skipped || step.Skip != SkipBreaker {
			t.Errorf("%+v", step)
		}
	}
	got := s.set.Standing(s.state, p)
	if len(got.Breakers) != 1 || got.Breakers[0].Name != "unhealthy" || got.Breakers[0].System != "pm2" || got.Breakers[0].Held != 10 || len(got.GivenUp) != 0 {
		t.Errorf("%+v", got)
	}
	if got := s.set.Standing(s.state, s.run(apps[9:]...)); len(got.Breakers) != 0 {
		t.Errorf("it stands although little is unwell: %+v", got)
	}
}

// What bounds one run is no news; what could not be put back is, until a person
// took care of it, and its rule acts there no more.
func TestStanding(t *testing.T) {
	s := tell(t, rule("for: 1", "max_attempts: 1", "cooldown: 0s"))
	s.set.Limits.Actions = 0
	if got := s.set.Standing(s.state, s.run(x)); len(got.Breakers) != 0 {
		t.Errorf("%+v", got)
	}
	f := mend(t, "x")
	f.after["x"] = "bad"
	f.apply(t, 1)
	got := f.set.Standing(f.kept, nil)
	if len(got.Stuck) != 1 || got.Stuck[0].Step == "" || len(got.GivenUp) != 0 {
		t.Fatalf("%+v", got)
	}
	f.now = f.now.Add(48 * time.Hour)
	if p, st := f.plan(2); p.Steps[0].Skip != SkipExhausted || len(f.set.Standing(st, p).Stuck) != 1 {
		t.Errorf("%s", short(p))
	}
	if _, st := f.set.Make(&World{Seq: 3, Run: "3", Now: f.now.Add(96 * time.Hour)}, f.kept); len(f.set.Standing(st, nil).Stuck) != 1 {
		t.Error("with its item gone it is forgotten")
	}
	if got := (*Set)(nil).Standing(f.kept, nil); len(got.Stuck) != 1 {
		t.Errorf("without its rule it is forgotten: %+v", got)
	}
	waived := x
	waived.Waived = true
	s = tell(t, rule("for: 1", "max_attempts: 1", "cooldown: 0s"))
	s.act(s.run(x))
	if got := s.set.Standing(s.state, s.run(x)); len(got.GivenUp) != 1 {
		t.Errorf("%+v", got)
	}
	if got := s.set.Standing(s.state, s.run(waived)); len(got.GivenUp) != 0 {
		t.Errorf("a person accepted it: %+v", got)
	}
	s.run(xWell)
	if got := s.set.Standing(s.state, nil); len(got.GivenUp) != 0 {
		t.Errorf("it is well: %+v", got)
	}
}
