package rules

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"healthaudit/audit"
	"healthaudit/snapshot"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// sick is an item with one high finding.
func sick(key snapshot.Key, check string) Subject {
	return Subject{Item: &snapshot.Item{Key: key, Name: key.Name(), Path: key.Name(), State: "errored"}, Level: audit.LevelFailing, Worst: audit.High, Score: 70,
		Change: "unchanged", Open: map[string]bool{check: true}}
}

// well is an item without findings.
func well(key snapshot.Key) Subject {
	return Subject{Item: &snapshot.Item{Key: key, Name: key.Name(), State: "online"}, Level: audit.LevelOK, Score: 100, Change: "unchanged"}
}

// A story is one project over several runs.
type story struct {
	t     *testing.T
	set   *Set
	state State
	seq   uint64
	now   time.Time
	every time.Duration
}

func tell(t *testing.T, src string) *story {
	return &story{t: t, set: parse(t, src), state: State{Incidents: map[string]Incident{}}, now: noon, every: 15 * time.Minute}
}

// run plans one run, a quarter of an hour after the one before.
func (s *story) run(subjects ...Subject) *Plan {
	s.t.Helper()
	s.seq++
	s.now = s.now.Add(s.every)
	return s.again(subjects...)
}

// again plans the same run once more.
func (s *story) again(subjects ...Subject) *Plan {
	s.t.Helper()
	p, next := s.set.Make(s.world(subjects), s.state)
	s.state = next
	return p
}

func (s *story) world(subjects []Subject) *World {
	return &World{Seq: s.seq, Run: fmt.Sprint("run", s.seq), Now: s.now, Every: s.every, Subjects: subjects}
}

// act carries the planned steps out, without any success.
func (s *story) act(p *Plan) {
	for _, step := range p.Steps {
		if step.Status == Planned {
			id := IncidentID(step.Rule, step.Item)
			s.state.Incidents[id] = s.state.Incidents[id].Attempted(s.set.Rule(step.Rule), s.now)
			s.state.Global.Done = append(s.state.Global.Done, s.now)
		}
	}
}

// short is a plan in a line: the planned steps, then the others with why.
func short(p *Plan) string {
	var out []string
	for _, s := range p.Steps {
		word := string(s.Skip)
		if s.Status == Planned {
			word = fmt.Sprint("attempt ", s.Attempt)
		}
		out = append(out, fmt.Sprintf("%s %s: %s", s.Rule, s.Item, word))
	}
	return strings.Join(out, "; ")
}

func (s *story) want(p *Plan, want string) {
	s.t.Helper()
	if got := short(p); got != want {
		s.t.Errorf("run %d: %s\nwant %s", s.seq, got, want)
	}
}

// One rule that acts at once, with the settings added.
func rule(more ...string) string {
	return "version: 1\nrules:\n  - id: a\n    system: scripts\n    when: 'finding(\"script-syntax\")'\n    action: {type: file.restore}\n    " + strings.Join(more, "\n    ") + "\n"
}

var x, xWell = sick("scripts/x", "script-syntax"), well("scripts/x")

func TestPlan_streak(t *testing.T) {
	t.Run("runs_in_a_row", func(t *testing.T) {
		s := tell(t, rule("for: 2"))
		s.want(s.run(x), "a scripts/x: streak")
		s.want(s.again(x), "a scripts/x: streak") // the same run counts once
		s.want(s.run(xWell), "")
		s.want(s.run(x), "a scripts/x: streak")
		s.want(s.run(x), "a scripts/x: attempt 1")
	})
	t.Run("3_of_5", func(t *testing.T) {
		s := tell(t, rule("for: {times: 3, within: 5}"))
		for i, want := range []string{"streak", "", "streak", "", "attempt 1", "", "attempt 1", "", "", "streak"} {
			sub := x
			if want == "" {
				sub = xWell
			}
			p := s.run(sub)
			if want != "" {
				want = "a scripts/x: " + want
			}
			if got := short(p); got != want {
				t.Errorf("run %d: %q, want %q", i+1, got, want)
			}
		}
	})
	t.Run("unknown_changes_nothing", func(t *testing.T) {
		s := tell(t, rule("for: 2"))
		s.run(x)
		unknown := x
		unknown.Level = audit.LevelUnknown
		if p := s.run(unknown); len(p.Steps) != 0 || len(p.Unknown) != 1 || p.Unknown[0].Item != "scripts/x" {
			t.Errorf("%+v", p)
		}
		s.want(s.run(x), "a scripts/x: attempt 1")
	})
	t.Run("a_long_pause_begins_anew", func(t *testing.T) {
		s := tell(t, rule("for: 2"))
		s.run(x)
		s.now = s.now.Add(3 * s.every)
		s.want(s.run(x), "a scripts/x: streak")
		s.want(s.run(x), "a scripts/x: attempt 1")
	})
}

// Whatever is well, unknown, flapping or waived is left alone, though the
// condition holds.
func TestPlan_leaves_alone(t *testing.T) {
	for want, change := range map[string]func(*Subject){
		"a scripts/x: attempt 1": func(*Subject) {},
		"a scripts/x: healthy":   func(s *Subject) { s.Level = audit.LevelOK },
		"a scripts/x: waived":    func(s *Subject) { s.Waived = true },
		"a scripts/x: flapping":  func(s *Subject) { s.Flapping = true },
		"":                       func(s *Subject) { s.Level = audit.LevelUnknown },
	} {
		s, sub := tell(t, rule("for: 1")), x
		change(&sub)
		s.want(s.run(sub), want)
	}
}

// A condition that cannot be told is not true, and not false either.
func TestPlan_unknown_never_fires(t *testing.T) {
	for _, when := range []string{`metric("memory") > 1`, `metric("memory") < 1`, `!(metric("memory") > 1)`, `fact("exit") != "0"`, `!finding("pm2-errored")`} {
		s := tell(t, strings.Replace(rule("for: 1"), `'finding("script-syntax")'`, "'"+when+"'", 1))
		sub := x
		sub.Doubted = map[string]bool{"pm2-errored": true}
		p := s.run(sub)
		if len(p.Steps) != 0 || len(p.Unknown) != 1 || p.Unknown[0].Why == "" {
			t.Errorf("%s: %s, unknown %+v", when, short(p), p.Unknown)
		}
	}
	// With a default, the author said what a missing fact means.
	s := tell(t, strings.Replace(rule("for: 1"), `'finding("script-syntax")'`, `'fact("interpreter", "sh") == "sh"'`, 1))
	s.want(s.run(x), "a scripts/x: attempt 1")
}

// 30m, 2, 6h: 30 minutes, then 1, 2, 4, 6 and 6 hours; then the rule is
// exhausted, told once, tries once more after a day, and never more often.
func TestPlan_attempts(t *testing.T) {
	s := tell(t, rule("for: 1", "max_attempts: 3", "on_exhausted: {disable_for: 24h}"))
	var acted []time.Duration
	told := 0
	start := s.now.Add(s.every)
	for s.now.Sub(start) < 72*time.Hour {
		p := s.run(x)
		told += len(p.Exhausted)
		for _, step := range p.Steps {
			if step.Status == Planned {
				acted = append(acted, s.now.Sub(start))
			}
		}
		s.act(p)
	}
	h := time.Hour
	want := []time.Duration{0, h / 2, h + h/2, 25*h + h/2, 49*h + h/2}
	if !slices.Equal(acted, want) {
		t.Errorf("acted after %v, want %v", acted, want)
	}
	if told != 1 {
		t.Errorf("told %d times that it is exhausted", told)
	}
}

// Attempts are forgotten only when the item was well for long enough: a loop
// that looks mended after each restart reaches the maximum.
func TestPlan_reset(t *testing.T) {
	s := tell(t, rule("for: 1", "max_attempts: 3", "cooldown: 30m"))
	s.act(s.run(x))
	s.run(xWell)
	s.run(xWell)
	s.run(xWell)
	s.want(s.run(x), "a scripts/x: attempt 2") // well for three runs, but not for an hour
	s.act(s.again(x))
	for range 6 {
		s.run(xWell)
	}
	s.want(s.run(x), "a scripts/x: attempt 1")

	s = tell(t, rule("for: 1", "max_attempts: 3", "cooldown: 0s")) // three runs are asked for even where no time is
	s.act(s.run(x))
	s.run(xWell)
	s.run(xWell)
	s.want(s.run(x), "a scripts/x: attempt 2")
}

// An attempt that was made after the snapshot says nothing in it: neither is
// another one made, nor is the rule exhausted.
func TestPlan_attempt_after_the_snapshot(t *testing.T) {
	s := tell(t, rule("for: 1", "max_attempts: 1", "cooldown: 0s"))
	p := s.run(x)
	taken := s.now
	s.now = s.now.Add(time.Minute)
	s.act(p)
	w := s.world([]Subject{x})
	w.Taken, w.Now = taken, s.now.Add(time.Minute)
	p, _ = s.set.Make(w, s.state)
	s.want(p, "a scripts/x: cooldown")
	if len(p.Exhausted) != 0 {
		t.Errorf("%+v", p.Exhausted)
	}
}

// An item that is gone for a while keeps its attempts.
func TestPlan_gone_and_back(t *testing.T) {
	s := tell(t, rule("for: 1", "cooldown: 0s"))
	s.act(s.run(x))
	s.run()
	s.run()
	s.want(s.run(x), "a scripts/x: attempt 2")
}

func TestPlan_order_and_conflicts(t *testing.T) {
	src := `version: 1
limits: {max_unhealthy_pct: 100}
rules:
  - {id: low, system: scripts, when: 'finding("script-syntax")', for: 1, action: {type: file.restore}}
  - {id: high, system: scripts, match: {items: ["scripts/x"]}, when: 'finding("script-syntax")', for: 1, priority: 9, mutex: m, action: {type: file.restore}}
  - {id: other, system: scripts, match: {items: ["scripts/y"]}, when: 'true', for: 1, priority: 5, mutex: m, action: {type: file.restore}}
`
	s := tell(t, src)
	for _, r := range s.set.Rules {
		r.Action = &Action{ID: "file.restore", Prepare: func(p *Preparation) (Effect, error) { return Effect{Target: string(p.Item.Key)}, nil }}
	}
	worse := sick("scripts/z", "script-syntax")
	worse.Worst = audit.Critical
	s.want(s.run(x, sick("scripts/y", "script-syntax"), worse),
		"high scripts/x: attempt 1; low scripts/z: attempt 1; low scripts/y: attempt 1; other scripts/y: mutex; low scripts/x: superseded")
	// Two items that lead to one target are one step.
	for _, r := range s.set.Rules {
		r.Action = &Action{ID: "file.restore", Prepare: func(*Preparation) (Effect, error) { return Effect{Target: "site"}, nil }}
	}
	s.want(s.run(x, worse), "high scripts/x: attempt 1; low scripts/z: superseded; low scripts/x: superseded")
}

func TestPlan_dependencies(t *testing.T) {
	s := tell(t, `version: 1
rules:
  - {id: first, system: scripts, when: 'finding("script-syntax")', for: 3, action: {type: file.restore}}
  - {id: second, system: functions, when: 'finding("function-manifest-drift")', for: 1, depends_on: [first], action: {type: manifest.regenerate}}
`)
	list := sick("functions/file:list.json", "function-manifest-drift")
	s.want(s.run(list, x), "first scripts/x: streak; second functions/file:list.json: upstream")
	s.want(s.run(list, xWell), "second functions/file:list.json: attempt 1")
}

func TestPlan_refusal_and_approval(t *testing.T) {
	s := tell(t, rule("for: 1", "approval: required"))
	p := s.run(x)
	s.want(p, "a scripts/x: approval")
	w := s.world([]Subject{x})
	w.Approved = []string{p.Steps[0].ID}
	p, _ = s.set.Make(w, s.state)
	s.want(p, "a scripts/x: attempt 1")

	s = tell(t, rule("for: 1"))
	s.set.Rules[0].Action = &Action{ID: "x", Prepare: func(*Preparation) (Effect, error) { return Effect{}, &Refusal{"it is committed", "git revert"} }}
	p = s.run(x)
	s.want(p, "a scripts/x: refused")
	if p.Steps[0].Reason != "it is committed" || p.Steps[0].Hint != "git revert" {
		t.Errorf("%+v", p.Steps[0])
	}
}

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

// What is remembered does not change what it was made of.
func TestPlan_leaves_the_old_state(t *testing.T) {
	s := tell(t, rule("for: 1"))
	s.act(s.run(x))
	was := s.state.Incidents[IncidentID("a", "scripts/x")]
	s.set.Make(&World{Seq: 9, Now: s.now.Add(time.Hour), Subjects: []Subject{xWell}}, s.state)
	if got := s.state.Incidents[IncidentID("a", "scripts/x")]; !reflect.DeepEqual(got, was) {
		t.Errorf("%+v became %+v", was, got)
	}
}

// What a plugin lists is left alone: no action knows what it is.
func TestPlan_leaves_items_of_plugins_alone(t *testing.T) {
	s := tell(t, rule("for: 1"))
	foreign := x
	it := *x.Item
	it.Source = snapshot.PluginSource + "p"
	foreign.Item = &it
	if p := s.run(foreign); len(p.Steps) != 0 {
		t.Errorf("%+v", p.Steps)
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
