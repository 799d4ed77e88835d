package rules

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"healthaudit/audit/condition"
	"healthaudit/snapshot"
)

// words is a vocabulary of which every condition below is made.
func words() Vocabulary {
	can := func(p *Preparation) (Effect, error) { return Effect{Target: string(p.Item.Key)}, nil }
	return Vocabulary{
		Vocabulary: condition.Vocabulary{Checks: []string{"pm2-errored", "pm2-config-invalid", "function-manifest-drift", "script-syntax"},
			Metrics: []string{"memory", "cpu", "online"}, Nearest: nearest},
		Actions: []*Action{
			{ID: "file.restore", Systems: snapshot.Systems, Class: Idempotent, Prepare: can, Params: []Param{{Name: "from", Values: []string{"last_good"}, Default: "last_good"}}},
			{ID: "manifest.regenerate", Systems: []snapshot.System{snapshot.Functions}, Class: Idempotent, Prepare: can},
			{ID: "pm2.restart", Systems: []snapshot.System{snapshot.PM2}, Class: Idempotent, Prepare: can},
			{ID: "pm2.reload", Systems: []snapshot.System{snapshot.PM2}, Class: Idempotent, Prepare: can},
		},
	}
}

func nearest(w string, names []string) string {
	for _, n := range names {
		if len(n) >= 3 && len(w) >= 3 && n[:3] == w[:3] {
			return n
		}
	}
	return ""
}

// example is the file of the documentation, as far as this version has its actions.
const example = `version: 1
defaults:
  for: 2
  cooldown: 30m
  backoff: {factor: 2, max: 6h}
  max_attempts: 3
limits:
  max_actions: 5
  max_per_system: 3
  max_unhealthy_pct: 40
  stop_after_failures: 2
  max_actions_per_day: 20
rules:
  - id: restart-errored
    system: pm2
    match: {items: ["pm2/*"], except: ["pm2/legacy-*"]}
    when: 'item.state in ["errored", "stopped"] && finding("pm2-errored")'
    priority: 50
    action: {type: pm2.restart}
    on_exhausted: {disable_for: 24h}

  - id: reload-on-leak
    system: pm2
    when: 'metric("memory") > 800e6 && !item.flapping'
    for: {times: 3, within: 5}
    cooldown: 12h
    max_attempts: 2
    window: {start: "01:00", end: "05:00", timezone: Europe/Berlin}
    mutex: api-tier
    priority: 20
    action: {type: pm2.reload}

  - id: restore-broken-config
    system: pm2
    match: {items: ["pm2/file:ecosystem.config.js"]}
    when: 'item.change == "changed" && finding("pm2-config-invalid")'
    for: 1
    priority: 90
    action: {type: file.restore, from: last_good}

  - id: manifest-drift
    system: functions
    when: 'finding("function-manifest-drift")'
    for: 1
    depends_on: [restore-broken-script]
    action: {type: manifest.regenerate}

  - id: restore-broken-script
    system: scripts
    when: 'item.regressed && finding("script-syntax") && fact("interpreter", "sh") == "bash"'
    for: 1
    priority: 80
    max_attempts: 1
    approval: required
    action: {type: file.restore, from: last_good}
`

func parse(t *testing.T, src string) *Set {
	t.Helper()
	s, err := Parse("audit.rules.yaml", []byte(src), words())
	if err != nil {
		var e *ParseError
		errors.As(err, &e)
		t.Fatalf("%v\n%s", err, e.Hint)
	}
	return s
}

func TestParse(t *testing.T) {
	s := parse(t, example)
	if len(s.Rules) != 5 || s.Limits != DefaultLimits {
		t.Fatalf("%d rules, %+v", len(s.Rules), s.Limits)
	}
	leak := s.Rule("reload-on-leak")
	if leak.For != (For{3, 5}) || leak.Cooldown != 12*time.Hour || leak.Attempts != 2 || leak.Mutex != "api-tier" || leak.Priority != 20 {
		t.Errorf("%+v", leak)
	}
	if leak.Window.Start != 60 || leak.Window.End != 300 || leak.Window.Zone.String() != "Europe/Berlin" {
		t.Errorf("%+v", leak.Window)
	}
	broken := s.Rule("restore-broken-script")
	if !broken.Approval || broken.Attempts != 1 || broken.Params["from"] != "last_good" || broken.Reset != time.Hour || broken.Disable != 24*time.Hour {
		t.Errorf("%+v", broken)
	}
	if !strings.HasPrefix(broken.Text, "  - id: restore-broken-script\n    system: scripts\n") || !strings.Contains(broken.Text, "\n    approval: required\n") || broken.Line != 1+strings.Count(example[:strings.Index(example, "  - id: restore-broken-script")], "\n") {
		t.Errorf("line %d:\n%s", broken.Line, broken.Text)
	}
	restart := s.Rule("restart-errored")
	for key, want := range map[snapshot.Key]bool{"pm2/api": true, "pm2/legacy-x": false, "scripts/a.sh": false, "pm2/(system)": false} {
		if restart.Covers(key) != want {
			t.Errorf("restart-errored covers %s: %v", key, !want)
		}
	}
}

// Every mistake is an error with the line it stands on and, for a name, the one
// that may have been meant.
func TestParse_strict(t *testing.T) {
	rule := "version: 1\nrules:\n  - id: a\n    system: scripts\n    when: 'finding(\"script-syntax\")'\n    action: {type: file.restore}\n"
	for name, c := range map[string]struct {
		src, want, hint string
		line            int
	}{
		"unknown key":         {strings.Replace(rule, "when:", "wehn:", 1), `unknown field "wehn"`, "    wehn:", 5},
		"duplicate key":       {rule + "    system: pm2\n", "already defined", "", 7},
		"twice the same rule": {rule + strings.TrimPrefix(rule, "version: 1\nrules:\n"), "the rule a is there already, at line 3", "", 7},
		"no version":          {strings.TrimPrefix(rule, "version: 1\n"), "version is 0, want 1", "version: 1", 0},
		"later version":       {strings.Replace(rule, "1", "2", 1), "version is 2, want 1", "", 1},
		"key of a rule":       {"version: 1\ndefaults: {reset_after: 1h}\n", `unknown field "reset_after"`, "reset_after is a key of another place", 2},
		"check":               {strings.Replace(rule, "script-syntax", "script-sintax", 1), `when: there is no check "script-sintax"`, "            ^\ndid you mean script-syntax?", 5},
		"metric":              {strings.Replace(rule, `finding("script-syntax")`, `metric("mem.mb") > 1`, 1), `there is no metric "mem.mb"`, "did you mean memory?", 5},
		"name":                {strings.Replace(rule, `finding("script-syntax")`, `itme.state == ""`, 1), "unknown name itme", "a condition knows", 5},
		"field":               {strings.Replace(rule, `finding("script-syntax")`, `item.stat == ""`, 1), "item has no stat", "state", 5},
		"type":                {strings.Replace(rule, `finding("script-syntax")`, `item.state > 3`, 1), "invalid operation", "", 5},
		"no truth":            {strings.Replace(rule, `finding("script-syntax")`, `item.state`, 1), "expected bool", "", 5},
		"computed name":       {strings.Replace(rule, `finding("script-syntax")`, `finding(item.name)`, 1), "a name in quotes", "", 5},
		"clock":               {strings.Replace(rule, `finding("script-syntax")`, `now() != now()`, 1), "unknown name now", "", 5},
		"loops":               {strings.Replace(rule, `finding("script-syntax")`, `all([1], all([1], true))`, 1), "a loop in a loop", "", 5},
		"long":                {strings.Replace(rule, `finding("script-syntax")`, strings.Repeat("true || ", 400)+"true", 1), "exceeds", "", 5},
		"empty condition":     {strings.Replace(rule, `'finding("script-syntax")'`, `""`, 1), "has no condition", "", 3},
		"action":              {strings.Replace(rule, "file.restore", "file.restroe", 1), `there is no action "file.restroe"`, "did you mean file.restore?", 6},
		"no action":           {strings.Replace(rule, "    action: {type: file.restore}\n", "", 1), "has no action", "", 3},
		"action of another":   {strings.Replace(rule, "file.restore", "pm2.restart", 1), "pm2.restart is no action for scripts", "", 6},
		"setting":             {strings.Replace(rule, "file.restore", "file.restore, form: last_good", 1), `file.restore has no setting "form"`, "", 6},
		"setting's word":      {strings.Replace(rule, "file.restore", "file.restore, from: HEAD", 1), `from of file.restore is "HEAD"`, "", 6},
		"system":              {strings.Replace(rule, "scripts", "skripts", 1), `unknown system "skripts"`, "", 4},
		"id":                  {strings.Replace(rule, "id: a", "id: A b", 1), "lower-case letters", "", 3},
		"glob":                {rule + "    match: {items: ['scripts/[']}\n", "is not a glob", "", 7},
		"duration":            {rule + "    cooldown: soon\n", `cooldown: "soon" is no duration`, "", 7},
		"negative":            {rule + "    cooldown: -3h\n", "is no duration", "", 7},
		"times":               {rule + "    for: {times: 6, within: 5}\n", "no more times than within", "", 7},
		"no times":            {rule + "    for: 0\n", "for wants 1 to 64", "", 7},
		"attempts":            {rule + "    max_attempts: 0\n", "want 1 to 100", "", 7},
		"factor":              {rule + "    backoff: {factor: 0.5}\n", "factor of a backoff", "", 7},
		"window":              {rule + "    window: {start: noon, end: '14:00'}\n", "start of a window", "in quotes", 7},
		"zone":                {rule + "    window: {start: '12:00', end: '14:00', timezone: Berlin}\n", "no time zone", "", 7},
		"approval":            {rule + "    approval: yes\n", "approval is", "", 7},
		"limit":               {rule + "limits: {max_unhealthy_pct: 120}\n", "want a number from 0 to 100", "", 7},
		"unknown rule":        {rule + "    depends_on: [b]\n", `there is no rule "b"`, "", 7},
		"itself":              {rule + "    depends_on: [a]\n", "rules wait for one another: a → a", "", 7},
		"second document":     {rule + "---\nversion: 1\n", "second YAML document", "", 0},
		"no YAML":             {"version: [1", "", "", 0},
		"deep":                {strings.Repeat("[", 200), "nested too deeply", "", 0},
		"number for a text":   {strings.Replace(rule, "id: a", "id: [a]", 1), "", "", 3},
		"a list for rules":    {"version: 1\nrules: no\n", "", "", 2},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Parse("r.yaml", []byte(c.src), words())
			var e *ParseError
			if !errors.As(err, &e) {
				t.Fatalf("%v, want a *ParseError", err)
			}
			if !strings.Contains(e.What, c.want) || !strings.Contains(e.Hint, c.hint) || c.line > 0 && e.Line != c.line {
				t.Errorf("line %d: %s\n%s\nwant line %d: %s … %s", e.Line, e.What, e.Hint, c.line, c.want, c.hint)
			}
			if strings.Contains(e.Error()+e.Hint, "rules.") || strings.Contains(e.Error()+e.Hint, "Go struct") {
				t.Errorf("the error speaks of our code: %s\n%s", e, e.Hint)
			}
		})
	}
}

// Rules that wait for all before them, and one circle through all of them: both
// are told in no time.
func TestParse_many_dependencies(t *testing.T) {
	var b strings.Builder
	b.WriteString("version: 1\nrules:\n")
	var before []string
	for i := range maxRules {
		id := fmt.Sprintf("r%d", i)
		fmt.Fprintf(&b, "  - {id: %s, system: scripts, when: 'true', action: {type: file.restore}, depends_on: [%s]}\n", id, strings.Join(before, ", "))
		before = append(before, id)
	}
	if _, err := Parse("r.yaml", []byte(b.String()), words()); err != nil {
		t.Fatal(err)
	}
	_, err := Parse("r.yaml", []byte(strings.Replace(b.String(), "depends_on: []", "depends_on: [r199]", 1)), words())
	if err == nil || !strings.Contains(err.Error(), "wait for one another: r0 → r199 → r0") {
		t.Error(err)
	}
}

func TestRule_Wait(t *testing.T) {
	r := parse(t, example).Rule("restart-errored")
	var got []time.Duration
	for n := 1; n <= 6; n++ {
		got = append(got, r.Wait(n))
	}
	want := []time.Duration{30 * time.Minute, time.Hour, 2 * time.Hour, 4 * time.Hour, 6 * time.Hour, 6 * time.Hour}
	if !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestWindow_Holds(t *testing.T) {
	night := &Window{Start: 22 * 60, End: 5 * 60, Zone: time.UTC}
	for clock, want := range map[string]bool{"21:59": false, "22:00": true, "23:59": true, "00:00": true, "04:59": true, "05:00": false, "12:00": false} {
		at, _ := time.Parse("15:04", clock)
		if night.Holds(at) != want {
			t.Errorf("22:00 to 05:00 holds at %s: %v", clock, !want)
		}
	}
	leak := parse(t, example).Rule("reload-on-leak").Window
	if at := time.Date(2026, 7, 1, 23, 30, 0, 0, time.UTC); !leak.Holds(at) {
		t.Error("01:30 in Berlin is not in 01:00 to 05:00")
	}
	if !(*Window)(nil).Holds(time.Time{}) {
		t.Error("no window is always")
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(example))
	f.Add(Builtin)
	f.Add([]byte("version: 1\nrules:\n  - {id: a, for: {times: 1}, action: {a: b}}"))
	f.Fuzz(func(t *testing.T, src []byte) {
		s, err := Parse("r.yaml", src, words())
		var e *ParseError
		if err != nil && !errors.As(err, &e) {
			t.Fatalf("%v is no *ParseError", err)
		}
		if err == nil && s == nil {
			t.Fatal("neither rules nor an error")
		}
	})
}
