package rules

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"healthaudit/audit"
	"healthaudit/snapshot"
)

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
