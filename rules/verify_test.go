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

// A slowSite is a fakeSite in which time passes while it is waited: what was
// written helps after a while.
type slowSite struct {
	*fakeSite
	helps  time.Duration // how long it takes; 0: it never does
	wrote  time.Time
	paused time.Duration
}

func slow(t *testing.T, helps time.Duration, verify string) *slowSite {
	f := &slowSite{fakeSite: mend(t, "x"), helps: helps}
	act := f.set.Rules[0].Action
	f.set = parse(t, rule("for: 1", "cooldown: 1h", "max_attempts: 2", "verify: "+verify))
	f.set.Rules[0].Action = act
	return f
}

func (f *slowSite) Hand() *Hand {
	return &Hand{Pause: func(_ context.Context, d time.Duration) { f.paused += d; f.now = f.now.Add(d) }}
}

func (f *slowSite) Write(w Write) error { f.wrote = f.now; return f.fakeSite.Write(w) }

func (f *slowSite) subject(key snapshot.Key) Subject {
	if f.disk["x"] == "good" && (f.helps == 0 || f.now.Sub(f.wrote) < f.helps) {
		return sick(key, "script-syntax")
	}
	return f.fakeSite.subject(key)
}

func (f *slowSite) Look(_ context.Context, key snapshot.Key, fn func(*Subject, *Preparation) error) error {
	s := f.subject(key)
	return fn(&s, &Preparation{Item: s.Item, Worst: s.Worst})
}

func (f *slowSite) apply(t *testing.T, seq uint64) []Step { return f.applyAt(t, f, seq) }

func (f *slowSite) await(t *testing.T, back bool) []Step {
	t.Helper()
	ended, st, err := f.set.Await(t.Context(), f, f.kept, Entry{Command: "recover"}, back)
	if err != nil {
		t.Fatal(err)
	}
	f.kept = st
	return ended
}

// It waits before it looks, looks again for as long as it may take, and no longer.
func TestVerify_polls(t *testing.T) {
	f := slow(t, 20*time.Second, "{after: 5s, timeout: 30s}")
	if s := f.apply(t, 1)[0]; s.Status != Done || f.paused < 15*time.Second || f.paused > 35*time.Second {
		t.Errorf("%+v after %s", s, f.paused)
	}
	f = slow(t, 0, "{after: 5s, timeout: 30s}")
	if s := f.apply(t, 1)[0]; s.Status != RolledBack || f.disk["x"] != "bad" || f.paused > 35*time.Second || f.paused < 25*time.Second {
		t.Errorf("%+v after %s, disk %v", s, f.paused, f.disk)
	}
	f = slow(t, 0, "{timeout: 0s}")
	if s := f.apply(t, 1)[0]; s.Status != RolledBack || f.paused != 0 {
		t.Errorf("%+v after %s", s, f.paused)
	}
}

// What a rule expects counts, not that its condition ceased to hold.
func TestVerify_expect(t *testing.T) {
	f := slow(t, 0, `{timeout: 0s, expect: 'item.level == "failing"'}`)
	if s := f.apply(t, 1)[0]; s.Status != Done {
		t.Errorf("%+v", s)
	}
	f = slow(t, time.Nanosecond, `{timeout: 0s, expect: 'item.level == "failing"'}`)
	if s := f.apply(t, 1)[0]; s.Status != RolledBack || !strings.Contains(s.Reason, "bring about") {
		t.Errorf("%+v", s)
	}
	f = slow(t, time.Nanosecond, `{timeout: 0s, expect: 'metric("memory") < 5'}`)
	if s := f.apply(t, 1)[0]; s.Status != RolledBack || !strings.Contains(s.Reason, "cannot be told") {
		t.Errorf("what cannot be told counts as mended: %+v", s)
	}
}

// What may take longer than a run waits is looked at by the runs that follow:
// until then nothing else is done there, and past its time it has failed.
func TestVerify_deferred(t *testing.T) {
	begin := func(helps time.Duration) *slowSite {
		f := slow(t, helps, "{after: 10m, timeout: 1h}")
		s := f.apply(t, 1)[0]
		if s.Status != Awaited || f.paused != 0 || f.disk["x"] != "good" || len(f.kept.Global.Waiting) != 1 || f.kept.Global.Pending != nil {
			t.Fatalf("%+v, paused %s, %+v", s, f.paused, f.kept.Global)
		}
		if !slices.Equal(phases(f.fakeSite), []string{"intent", "pending"}) {
			t.Fatalf("journal %v", phases(f.fakeSite))
		}
		return f
	}
	f := begin(time.Nanosecond) // it helps at once, and is not looked at yet
	f.now = f.now.Add(5 * time.Minute)
	if ended := f.await(t, true); len(ended) != 0 {
		t.Errorf("looked at before its time: %+v", ended)
	}
	f = begin(30 * time.Minute)
	f.now = f.now.Add(5 * time.Minute)
	if ended := f.await(t, true); len(ended) != 0 {
		t.Errorf("looked at before its time: %+v", ended)
	}
	f.now = f.now.Add(15 * time.Minute)
	if ended := f.await(t, true); len(ended) != 0 {
		t.Errorf("ended while it may still help: %+v", ended)
	}
	f.now = f.now.Add(15 * time.Minute)
	if ended := f.await(t, true); len(ended) != 1 || ended[0].Status != Done || len(f.kept.Global.Waiting) != 0 || phases(f.fakeSite)[2] != "done" {
		t.Errorf("%+v, journal %v", ended, phases(f.fakeSite))
	}

	f = begin(0)
	f.now = f.now.Add(2 * time.Hour)
	if ended := f.await(t, true); len(ended) != 1 || ended[0].Status != RolledBack || f.disk["x"] != "bad" {
		t.Errorf("%+v, disk %v", ended, f.disk)
	}
	f = begin(0)
	f.now = f.now.Add(2 * time.Hour)
	if ended := f.await(t, false); len(ended) != 1 || ended[0].Status != Failed || f.disk["x"] != "good" || ended[0].Hint == "" {
		t.Errorf("%+v, disk %v", ended, f.disk)
	}
	f = begin(0)
	f.set = &Set{}
	f.now = f.now.Add(time.Hour)
	if ended := f.await(t, true); len(ended) != 1 || ended[0].Status != Failed || f.disk["x"] != "good" {
		t.Errorf("of a rule that is gone: %+v", ended)
	}
}

// While it is awaited, no rule acts on the item.
func TestPlan_awaited(t *testing.T) {
	s := tell(t, strings.Replace(rule("for: 1", "cooldown: 0s", "verify: {timeout: 1h}"), "rules:", "limits: {max_unhealthy_pct: 100}\nrules:\n"+
		`  - {id: b, system: scripts, when: 'finding("script-syntax")', for: 1, cooldown: 0s, priority: 9, match: {items: ["scripts/y", "scripts/x"]}, action: {type: file.restore}}`, 1))
	first := s.run(x)
	step := first.Steps[0]
	step.Status = Awaited
	s.state.Global.Waiting = []Waiting{{Step: step, By: s.now.Add(time.Hour)}}
	p := s.run(x, sick("scripts/y", "script-syntax"))
	for _, st := range p.Steps {
		if st.Item == "scripts/x" && st.Status == Planned {
			t.Errorf("it acts on what is awaited: %s", short(p))
		}
		if st.Rule == "a" && st.Item == "scripts/x" && st.Skip != SkipAwaited {
			t.Errorf("%+v", st)
		}
	}
	if p.Steps[0].Status != Awaited || !strings.Contains(p.Steps[0].Reason, "looked at until") {
		t.Errorf("%s", short(p))
	}
}

// Killed after it was done and before it was known to be awaited, it is awaited.
func TestResolve_deferred(t *testing.T) {
	f := slow(t, 0, "{after: 10m, timeout: 1h}")
	f.apply(t, 1)
	w := f.kept.Global.Waiting[0]
	f.kept.Global.Waiting, f.kept.Global.Pending = nil, &Pending{Step: w.Step, At: f.now, Executed: true}
	sub := f.subject("scripts/x")
	st, e := Resolve(f.kept, Interrupted{Rule: f.set.Rules[0], Subject: &sub}, Entry{}, f.Now())
	if len(st.Global.Waiting) != 1 || st.Global.Pending != nil || e.Phase != "pending" {
		t.Errorf("%+v, %s", st.Global, e.Phase)
	}
	st, e = Resolve(f.kept, Interrupted{Rule: f.set.Rules[0], Subject: &sub, Unsettled: errors.New("half")}, Entry{}, f.Now())
	if len(st.Global.Waiting) != 0 || e.Phase != "failed" {
		t.Errorf("what is not done is awaited: %+v, %s", st.Global, e.Phase)
	}
}

func TestParse_verify(t *testing.T) {
	s := parse(t, strings.Replace(rule("verify: {after: 10s}"), "rules:", "defaults: {verify: {timeout: 1m, expect: 'item.level == \"ok\"'}}\nrules:", 1))
	if v := s.Rules[0].Verify; v.After != 10*time.Second || v.Timeout != time.Minute || v.Expect == nil || v.Deferred() {
		t.Errorf("%+v", v)
	}
	if v := parse(t, rule("verify: {after: 2m}")).Rules[0].Verify; v.Timeout != verifyTimeout || !v.Deferred() {
		t.Errorf("%+v", v)
	}
	if v := parse(t, rule()).Rules[0].Verify; v != (Verify{}) {
		t.Errorf("%+v", v)
	}
	for text, want := range map[string]string{
		"{after: 8d}": "longer than", "{timeout: soon}": "no duration", "{expect: 'finding(\"x\")'}": "expect: there is no check", "{expects: x}": "unknown field",
	} {
		_, err := Parse("f", []byte(rule("verify: "+text)), words())
		var bad *ParseError
		if !errors.As(err, &bad) || !strings.Contains(bad.Error(), want) || bad.Line == 0 && bad.Hint == "" {
			t.Errorf("%s: %v", text, err)
		}
	}
}
