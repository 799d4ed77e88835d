package rules

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"healthaudit/audit"
	"healthaudit/snapshot"
)

// many are n items of which some are sick.
func many(n int, ill func(int) bool) (out []Subject) {
	for i := range n {
		key := snapshot.Key(fmt.Sprintf("scripts/%04d", i))
		if ill(i) {
			out = append(out, sick(key, "script-syntax"))
		} else {
			out = append(out, well(key))
		}
	}
	return out
}

// targets gives every step of a set its own target.
func targets(s *Set) {
	for _, r := range s.Rules {
		r.Action = &Action{ID: r.Action.ID, Class: r.Action.Class, Prepare: func(p *Preparation) (Effect, error) { return Effect{Target: string(p.Item.Key)}, nil }}
	}
}

func TestPlan_breakers(t *testing.T) {
	planned := func(p *Plan) (n int) {
		for _, s := range p.Steps {
			if s.Status == Planned {
				n++
			}
		}
		return n
	}
	t.Run("system", func(t *testing.T) {
		s := tell(t, rule("for: 1"))
		targets(s.set)
		p := s.run(many(100, func(i int) bool { return i < 10 })...)
		if planned(p) != 3 || !slices.Equal(p.Broken, []string{"system"}) {
			t.Errorf("%d planned, open %v", planned(p), p.Broken)
		}
	})
	t.Run("run", func(t *testing.T) {
		s := tell(t, rule("for: 1")+"limits: {max_actions: 2}\n")
		targets(s.set)
		if p := s.run(many(100, func(i int) bool { return i < 10 })...); planned(p) != 2 {
			t.Errorf("%d planned", planned(p))
		}
	})
	t.Run("day", func(t *testing.T) {
		s := tell(t, rule("for: 1", "max_attempts: 100", "cooldown: 0s")+"limits: {max_actions_per_day: 4}\n")
		targets(s.set)
		n := 0
		for range 40 {
			p := s.run(many(100, func(i int) bool { return i < 10 })...)
			n += planned(p)
			s.act(p)
		}
		if n != 4 {
			t.Errorf("%d in ten hours", n)
		}
		s.now = s.now.Add(24 * time.Hour)
		if p := s.run(many(100, func(i int) bool { return i < 10 })...); planned(p) != 3 {
			t.Errorf("%d planned a day later", planned(p))
		}
	})
	t.Run("unhealthy", func(t *testing.T) {
		s := tell(t, rule("for: 1"))
		targets(s.set)
		for ill, want := range map[int]int{4: 3, 5: 0} {
			if p := s.run(many(10, func(i int) bool { return i < ill })...); planned(p) != want {
				t.Errorf("%d of 10 unwell: %d planned, want %d", ill, planned(p), want)
			}
		}
		if p := s.run(many(4, func(i int) bool { return i < 3 })...); planned(p) != 3 { // too few to say anything
			t.Errorf("3 of 4: %d planned", planned(p))
		}
	})
	t.Run("failures", func(t *testing.T) {
		s := tell(t, rule("for: 1"))
		targets(s.set)
		s.state.Global.Broken = &noon
		ill := many(100, func(i int) bool { return i < 10 })
		if p := s.run(ill...); planned(p) != 0 || !slices.Equal(p.Broken, []string{"failures"}) {
			t.Errorf("%d planned, open %v", planned(p), p.Broken)
		}
		s.now = noon.Add(time.Hour)
		if p := s.run(ill...); planned(p) != 1 {
			t.Errorf("half open: %d planned", planned(p))
		}
	})
	t.Run("paused", func(t *testing.T) {
		s := tell(t, rule("for: 1"))
		until := noon.Add(40 * time.Minute)
		s.state.Global.Paused = &until
		s.want(s.run(x), "a scripts/x: paused")
		s.run(x)
		s.want(s.run(x), "a scripts/x: attempt 1")
	})
	t.Run("window", func(t *testing.T) {
		s := tell(t, rule("for: 1", "window: {start: '01:00', end: '02:00'}"))
		s.want(s.run(x), "a scripts/x: window")
		s.now = time.Date(2026, 11, 24, 1, 0, 0, 0, time.UTC)
		s.want(s.run(x), "a scripts/x: attempt 1")
	})
}

// Whatever happens, no bound is passed, no item is acted upon that is not
// failing, and the plan is the same every time it is made.
func TestPlan_properties(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 1))
	for round := range 25 {
		limits := Limits{Actions: rnd.IntN(8), PerSystem: rnd.IntN(6), UnhealthyPct: rnd.IntN(101), StopAfter: 2, ActionsPerDay: rnd.IntN(12)}
		s := tell(t, `version: 1
rules:
  - {id: a, system: scripts, when: 'finding("script-syntax")', for: 1, cooldown: 15m, max_attempts: 2, action: {type: file.restore}}
  - {id: b, system: scripts, when: 'item.state == "errored" || metric("memory") > 5', for: {times: 2, within: 4}, priority: 3, cooldown: 0s, mutex: m, action: {type: file.restore}}
  - {id: c, system: pm2, when: 'finding("pm2-errored")', for: 2, action: {type: pm2.restart}}
`)
		targets(s.set)
		s.set.Limits = limits
		var done []time.Time
		attempts := map[string]int{}
		for range 30 {
			var subjects []Subject
			n := 1 + rnd.IntN(30)
			for i := range n {
				sub := sick(snapshot.Key(fmt.Sprintf("%s/%02d", []string{"pm2", "scripts"}[i%2], i)), []string{"pm2-errored", "script-syntax"}[i%2])
				switch rnd.IntN(6) {
				case 0:
					sub = well(sub.Item.Key)
				case 1:
					sub.Level = audit.LevelUnknown
				case 2:
					sub.Flapping = true
				case 3:
					sub.Waived = true
				}
				subjects = append(subjects, sub)
			}
			slices.SortFunc(subjects, func(a, b Subject) int { return strings.Compare(string(a.Item.Key), string(b.Item.Key)) })
			s.seq++
			s.now = s.now.Add(time.Duration(1+rnd.IntN(120)) * time.Minute)
			before := State{Incidents: s.state.Incidents, Global: s.state.Global}
			p, next := s.set.Make(s.world(subjects), before)
			q, again := s.set.Make(s.world(subjects), before)
			if d := cmp.Diff(p, q) + cmp.Diff(next, again); d != "" {
				t.Fatalf("round %d: two plans of one world differ:\n%s", round, d)
			}
			r, _ := s.set.Make(s.world(subjects), next) // planning again after it was kept
			if p.ID != r.ID {
				t.Fatalf("round %d: planned again, the plan is another one: %s\n%s", round, short(p), short(r))
			}
			s.state = next
			hold(t, limits, subjects, p, &done, s.now)
			for _, step := range p.Steps {
				if step.Status == Planned {
					attempts[step.ID]++
					if attempts[step.ID] > 1 {
						t.Fatalf("round %d: %s twice", round, step.ID)
					}
				}
			}
			s.act(p)
		}
	}
}

// hold checks the bounds of one plan.
func hold(t *testing.T, l Limits, subjects []Subject, p *Plan, done *[]time.Time, now time.Time) {
	t.Helper()
	per, items, total, judged, ill := map[snapshot.System]int{}, map[snapshot.Key]bool{}, 0, map[snapshot.System]int{}, map[snapshot.System]int{}
	for _, s := range subjects {
		if s.Level != audit.LevelUnknown {
			judged[s.Item.System()]++
		}
		if s.Level == audit.LevelFailing {
			ill[s.Item.System()]++
		}
	}
	for _, step := range p.Steps {
		if step.Status != Planned {
			if step.Reason == "" {
				t.Fatalf("%s on %s is skipped without a reason", step.Rule, step.Item)
			}
			continue
		}
		sys := step.Item.System()
		total++
		per[sys]++
		i := slices.IndexFunc(subjects, func(s Subject) bool { return s.Item.Key == step.Item })
		if s := subjects[i]; s.Level != audit.LevelFailing || s.Flapping || s.Waived || items[step.Item] {
			t.Fatalf("acts on %+v", s)
		}
		items[step.Item] = true
		if judged[sys] >= minItems && 100*ill[sys] > l.UnhealthyPct*judged[sys]+99 {
			t.Fatalf("acts though %d of %d are unwell", ill[sys], judged[sys])
		}
		if per[sys] > l.PerSystem {
			t.Fatalf("%d actions for %s", per[sys], sys)
		}
		*done = append(*done, now)
	}
	today := 0
	for _, at := range *done {
		if now.Sub(at) < 24*time.Hour {
			today++
		}
	}
	if total > l.Actions || today > l.ActionsPerDay {
		t.Fatalf("%d actions in the run, %d in the day: %+v", total, today, l)
	}
}

// 50 rules over 2,000 items: the target is 60 ms.
func BenchmarkPlan(b *testing.B) {
	var src strings.Builder
	src.WriteString("version: 1\nrules:\n")
	for i := range 50 {
		fmt.Fprintf(&src, "  - {id: r%d, system: scripts, match: {items: [\"scripts/**\"]}, when: 'item.state == \"errored\" && finding(\"script-syntax\") && item.score < %d', action: {type: file.restore}}\n", i, i*2)
	}
	set, err := Parse("r.yaml", []byte(src.String()), words())
	if err != nil {
		b.Fatal(err)
	}
	w := &World{Seq: 1, Now: noon, Subjects: many(2000, func(i int) bool { return i%20 == 0 })}
	b.ResetTimer()
	for b.Loop() {
		set.Make(w, State{})
	}
}
