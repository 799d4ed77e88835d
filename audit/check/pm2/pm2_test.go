package pm2_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"healthaudit/audit"
	"healthaudit/audit/check/checktest"
	checks "healthaudit/audit/check/pm2"
	"healthaudit/snapshot"
	"healthaudit/snapshot/collect/collecttest"
	"healthaudit/snapshot/collect/pm2"
)

func TestMain(m *testing.M) { collecttest.Main(m) }

func TestCases(t *testing.T) { checktest.Run(t, checks.All, pm2.Collector) }

// Whatever collector and check make of it together.
func TestTogether(t *testing.T) {
	for _, c := range []struct {
		title, archive string
		check          *audit.Check
	}{
		{"killed without pm2 save and without a file", `
-- old.json --
[
 {"key": "pm2/daemon", "name": "PM2 daemon", "kind": "daemon", "source": "daemon:x", "state": "alive", "facts": [{"n": "apps", "v": 1}, {"n": "lists", "c": "volatile", "v": ["api"]}]},
 {"key": "pm2/api", "name": "api", "kind": "app", "source": "runtime:x", "state": "online"}
]
-- tree/.no-home/.pm2/pm2.pid --
4194304
-- want --
critical pm2/daemon -
`, checks.DaemonDown},
		{"killed, and nothing is known of what ran", `
-- tree/.no-home/.pm2/pm2.pid --
4194304
-- tree/.no-home/.pm2/dump.pm2 --
[{"name": "a
-- want --
high pm2/daemon -
`, checks.DaemonDown},
		{"a home that was never used", "-- tree/.no-home/.pm2/pm2.log --\n", checks.DaemonDown},
		{"an entry without a script is told once", `
-- tree/ecosystem.json --
{"apps": [{"args": "x"}]}
-- want --
high pm2/file:ecosystem.json ecosystem.json:1
`, checks.ConfigInvalid},
	} {
		t.Run(c.title, func(t *testing.T) {
			got, want := checktest.Case(t, c.check, txtar.Parse([]byte(c.archive)), pm2.Collector)
			if !slices.Equal(got, want) {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

// A process is one look at a process.
type process struct {
	state             string
	restarts, created float64
	uptime            float64 // seconds
	born              string
}

func seen(daemon string, p *process) *snapshot.Snapshot {
	s := &snapshot.Snapshot{Tree: &snapshot.Tree{}, Items: []*snapshot.Item{{Key: "pm2/daemon", Kind: "daemon", State: daemon}}}
	if p == nil {
		return s
	}
	it := &snapshot.Item{Key: "pm2/api", Name: "api", Kind: "app", State: p.state}
	for name, v := range map[string]float64{"restarts": p.restarts, "created": p.created, "age": p.created, "uptime": p.uptime} {
		it.Metrics = append(it.Metrics, snapshot.Metric{Name: name, Value: v, Incarnation: "u@" + p.born})
	}
	s.Items = append(s.Items, it)
	return s
}

// A loop is over only when the app has lived for long or nothing starts it any
// more: silence of the counter alone does not resolve the finding.
func TestCrashLoop_over(t *testing.T) {
	was := &process{state: "online", restarts: 50, created: 1, uptime: 5}
	for _, c := range []struct {
		title    string
		old, now *process
		daemon   string
		want     string // found, doubt or over
	}{
		{"it loops on", was, &process{state: "online", restarts: 60, created: 1, uptime: 5}, "alive", "found"},
		{"another run a second later", was, &process{state: "online", restarts: 50, created: 1, uptime: 6}, "alive", "doubt"},
		{"pm2 reset", was, &process{state: "online", restarts: 0, created: 2, uptime: 1}, "alive", "doubt"},
		{"pm2 resurrect", was, &process{state: "online", restarts: 0, created: 1, uptime: 3, born: "another"}, "alive", "doubt"},
		{"a deliberate restart", was, &process{state: "online", restarts: 51, created: 2, uptime: 1}, "alive", "doubt"},
		{"it lives for nine minutes", was, &process{state: "online", restarts: 50, created: 1, uptime: 540}, "alive", "doubt"},
		{"it lives for eleven minutes", was, &process{state: "online", restarts: 50, created: 1, uptime: 660}, "alive", "over"},
		{"a deploy that lives for eleven minutes", was, &process{state: "online", restarts: 51, created: 2, uptime: 660}, "alive", "over"},
		{"between two lives", was, &process{state: "waiting restart", restarts: 50, created: 1}, "alive", "doubt"},
		{"PM2 gave it up", was, &process{state: "errored", restarts: 65}, "alive", "over"},
		{"someone stopped it", was, &process{state: "stopped", restarts: 50, created: 1}, "alive", "over"},
		{"the daemon died", was, &process{state: "not-running"}, "crashed", "doubt"},
		{"the daemon died, and it was stopped", was, &process{state: "stopped"}, "crashed", "doubt"},
		{"a first look", nil, &process{state: "online", restarts: 99, created: 1, uptime: 5}, "alive", "doubt"},
	} {
		t.Run(c.title, func(t *testing.T) {
			j := audit.Judge([]*audit.Check{checks.CrashLoop}, &audit.World{Now: seen(c.daemon, c.now), Before: seen("alive", c.old)})
			got := "over"
			switch {
			case len(j.Findings) > 0:
				got = "found"
			case j.Doubts[audit.FindingID(snapshot.PM2, "pm2/api", checks.CrashLoop.ID, "")]:
				got = "doubt"
			}
			if got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}

// What the findings say, beyond where they stand.
func TestWords(t *testing.T) {
	s := seen("alive", &process{state: "stopped"})
	s.Items = append(s.Items,
		&snapshot.Item{Key: "pm2/api#0", Kind: "instance", State: "online"},
		&snapshot.Item{Key: "pm2/api#1", Kind: "instance", State: "stopped"},
		&snapshot.Item{Key: "pm2/file:x.config.js", Kind: "file", State: "ok", Facts: snapshot.PartsOf(snapshot.Fact{Name: "reads", Class: snapshot.Set, Value: snapshot.SetOf("NODE_ENV", "os.cpus")})},
		&snapshot.Item{Key: "pm2/guessed", Name: "guessed", Kind: "app", State: "not-running", Facts: snapshot.PartsOf(snapshot.Fact{Name: "declared.file", Value: snapshot.Text("x.config.js")})},
	)
	found := audit.Judge([]*audit.Check{checks.NotRunning}, &audit.World{Now: s, Before: snapshot.Nothing}).Findings
	if len(found) != 2 || found[0].Message != "1 of 2 instances of api is stopped, although PM2 is to keep it running." {
		t.Errorf("%+v", found)
	}
	if len(found) == 2 && (found[1].Confidence != audit.Guess || found[1].Severity != audit.Medium || found[1].Evidence[0].Value != "NODE_ENV") {
		t.Errorf("a guess: %+v", found[1])
	}
	for dump, want := range map[string]string{"ok": "run `pm2 resurrect`", "absent": "nothing to resurrect", "torn": "copy it"} {
		s := seen("crashed", nil)
		s.Items[0].Facts = snapshot.PartsOf(snapshot.Fact{Name: "dump", Value: snapshot.Text(dump)})
		for _, f := range audit.Judge([]*audit.Check{checks.DaemonDown}, &audit.World{Now: s, Before: snapshot.Nothing}).Findings {
			if !strings.Contains(f.Hint, want) {
				t.Errorf("dump %s: %s", dump, f.Hint)
			}
		}
	}
	for _, state := range []string{"orphaned", "two-daemons", "hung"} {
		s := seen(state, nil)
		s.Items[0].Facts = snapshot.PartsOf(snapshot.Fact{Name: "pid", Class: snapshot.Volatile, Value: snapshot.Number(77)})
		for _, f := range audit.Judge(checks.All, &audit.World{Now: s, Before: snapshot.Nothing}).Findings {
			starts := strings.Contains(f.Hint, "pm2 resurrect") || strings.Contains(f.Hint, "pm2 start")
			if starts != (state == "hung") || strings.Contains(f.Hint, "pm2 update") || strings.Contains(f.Hint, "PID") {
				t.Errorf("%s: %s", state, f.Hint)
			}
		}
	}
}

// judged runs checks over two looks and returns "check severity confidence: message" and the hints.
func judged(list []*audit.Check, off []string, before, now *snapshot.Snapshot) (found, hints []string) {
	for _, s := range []*snapshot.Snapshot{before, now} {
		for _, it := range s.Items {
			it.Sort()
		}
		s.At = collecttest.Now
		s.Sort()
	}
	for _, f := range audit.Judge(list, &audit.World{Now: now, Before: before, Off: off}).Findings {
		found = append(found, f.Check+" "+f.Severity.String()+": "+f.Message)
		hints = append(hints, f.Hint)
	}
	return found, hints
}

// A loop of several crashes a second is seen at the first look, and the finding
// says why PM2 does not end it.
func TestCrashLoop_endless(t *testing.T) {
	for _, c := range []struct {
		title              string
		burst, age         float64
		resurrected        bool
		want, hint, unhint string
	}{
		{"twice in two seconds", 2, 3600, false, "", "", ""},
		{"after a start: PM2 gives it up by itself", 8, 5, false, "8 times in 2 seconds.", "(`pm2 logs api --err --lines 200`)", "gives up"},
		{"an app that began to crash", 8, 3600, false, "8 times in 2 seconds, about 8 times every 2 seconds, and PM2 will not give it up.", "`pm2 stop api`", "resurrect"},
		{"after pm2 resurrect", 8, 3600, true, "PM2 will not give it up.", "`pm2 resurrect` took that time from the dump. `pm2 stop api`", "NAME"},
	} {
		t.Run(c.title, func(t *testing.T) {
			s := seen("alive", &process{state: "online", restarts: 99, created: c.age, uptime: 0.1})
			it := s.Items[1]
			it.Metrics = append(it.Metrics, snapshot.Metric{Name: "burst", Value: c.burst})
			if c.resurrected {
				it.Metrics = append(it.Metrics, snapshot.Metric{Name: "resurrected", Value: 1})
			}
			found, hints := judged([]*audit.Check{checks.CrashLoop}, nil, &snapshot.Snapshot{}, s)
			if c.want == "" {
				if len(found) > 0 {
					t.Error(found)
				}
				return
			}
			if len(found) != 1 || !strings.Contains(found[0], c.want) || !strings.Contains(hints[0], c.hint) || c.unhint != "" && strings.Contains(hints[0], c.unhint) {
				t.Errorf("%q\n%q", found, hints)
			}
		})
	}
}

// One cause is one finding, unless the check that tells it is switched off.
func TestOneCause(t *testing.T) {
	fact := func(it *snapshot.Item, name string, v any) {
		switch v := v.(type) {
		case int:
			it.Add(snapshot.Volatile, name, snapshot.Number(v))
		case bool:
			it.Add(snapshot.Semantic, name, snapshot.Bool(v))
		}
	}
	looks := func(state string, restarts float64, facts map[string]any, metrics map[string]float64) *snapshot.Snapshot {
		s := seen("alive", &process{state: state, restarts: restarts, created: 1, uptime: 5})
		for name, v := range facts {
			fact(s.Items[1], name, v)
		}
		for name, v := range metrics {
			s.Items[1].Metrics = append(s.Items[1].Metrics, snapshot.Metric{Name: name, Value: v})
		}
		return s
	}
	pauses, grown := map[string]any{"pid": 7, "exp_backoff_restart_delay": 100}, map[string]float64{"prev_restart_delay": 15000}
	exited := map[string]any{"pid": 7, "autorestart": true}
	for _, c := range []struct {
		title       string
		before, now *snapshot.Snapshot
		off, want   string
	}{
		{"a loop with pauses", looks("online", 1, pauses, nil), looks("waiting restart", 40, pauses, grown), "", "pm2-backoff-loop"},
		{"and without the check", looks("online", 1, pauses, nil), looks("waiting restart", 40, pauses, grown), "pm2-backoff-loop", "pm2-crash-loop"},
		{"restarts are switched off", looks("online", 1, exited, nil), looks("stopped", 1, exited, nil), "", "pm2-restarts-disabled"},
		{"and without the check", looks("online", 1, exited, nil), looks("stopped", 1, exited, nil), "pm2-restarts-disabled", "pm2-not-running"},
	} {
		t.Run(c.title, func(t *testing.T) {
			var off []string
			on := checks.All
			if c.off != "" {
				off = []string{c.off}
				on = slices.DeleteFunc(slices.Clone(on), func(k *audit.Check) bool { return k.ID == c.off })
			}
			found, _ := judged(on, off, c.before, c.now)
			if len(found) != 1 || !strings.HasPrefix(found[0], c.want+" ") {
				t.Errorf("%q, want one %s", found, c.want)
			}
		})
	}
}

// Where fewer processes run than are declared, or none for want of a script, one
// finding says it.
func TestOneCause_declared(t *testing.T) {
	daemon := item("pm2/daemon", "daemon", "alive")
	short := item("pm2/api", "app", "online", fact("declared.file", "e.json"), fact("declared.instances", 3), fact("processes", 2), fact("script", "/x/api.js"),
		fact("declared.script", "api.js"), fact("exec_mode", "cluster_mode"), fact("exec_interpreter", "node"), fact("declared.exec_mode", "cluster"), fact("autorestart", true))
	more := item("pm2/api", "app", "online", fact("declared.file", "e.json"), fact("declared.instances", 3), fact("processes", 4), fact("script", "/x/api.js"),
		fact("declared.script", "api.js"), fact("exec_mode", "cluster_mode"), fact("exec_interpreter", "node"), fact("declared.exec_mode", "cluster"), fact("autorestart", true))
	file := item("pm2/file:e.json", "file", "ok")
	counts := item("pm2/file:e.json", "file", "ok", fact("reads", []string{"os.cpus"}))
	started := func(n int) *snapshot.Item {
		it := *short
		it.Facts = snapshot.PartsOf(append(slices.Clone(short.Facts.All()), fact("instances", n))...)
		return &it
	}
	torn := *short
	torn.Torn = true
	bare := item("pm2/bare", "app", "not-running", fact("declared.file", "e.json"))
	saved := item("pm2/bare", "app", "not-running", fact("declared.file", "e.json"), fact("in-dump", true))
	refuses := func(name string) *snapshot.Item {
		return item("pm2/file:e.json", "file", "ok", fact("refused."+name, "why"))
	}
	for _, c := range []struct {
		title, off, want string
		items            []*snapshot.Item
	}{
		{"fewer processes", "", "pm2-instances-short medium: PM2 runs 2 of the 3 instances of api that e.json declares.", []*snapshot.Item{daemon, file, short}},
		{"fewer, and the check is off", "pm2-instances-short", "pm2-config-drift medium: api runs with another number of instances (2) than e.json declares (3).", []*snapshot.Item{daemon, file, short}},
		{"fewer, of a file that counts processors, as many as at the start", "", "pm2-config-drift low: api runs with another number of instances (2) than e.json declares (3).", []*snapshot.Item{daemon, counts, started(2)}},
		{"fewer, of a file that counts processors, than at the start", "", "pm2-instances-short low: PM2 runs 2 of the 4 instances with which api was started.", []*snapshot.Item{daemon, counts, started(4)}},
		{"fewer, and the item is torn", "", "pm2-config-drift medium: api runs with another number of instances (2) than e.json declares (3).", []*snapshot.Item{daemon, file, &torn}},
		{"more processes", "", "pm2-config-drift medium: api runs with another number of instances (4) than e.json declares (3).", []*snapshot.Item{daemon, file, more}},
		{"no script", "", "pm2-config-invalid high: bare: why.", []*snapshot.Item{daemon, refuses("bare.script"), bare}},
		{"a value for which PM2 refuses the file", "", "pm2-config-invalid high: other: why.", []*snapshot.Item{daemon, refuses("other.min_uptime"), bare}},
		{"an app that runs of a file that PM2 refuses", "", "pm2-config-invalid high: other: why.", []*snapshot.Item{daemon, refuses("other.min_uptime"), more}},
		{"another one without a script", "pm2-config-invalid", "pm2-not-running high: e.json declares bare, but PM2 does not list it.", []*snapshot.Item{daemon, refuses("other.script"), bare}},
		{"it ran, and was saved", "pm2-config-invalid", "pm2-not-running high: e.json declares bare, but PM2 does not list it.", []*snapshot.Item{daemon, refuses("bare.script"), saved}},
	} {
		t.Run(c.title, func(t *testing.T) {
			on := slices.DeleteFunc([]*audit.Check{checks.ConfigDrift, checks.InstancesShort, checks.NotRunning, checks.ConfigInvalid}, func(k *audit.Check) bool { return k.ID == c.off })
			found, _ := judged(on, []string{c.off}, &snapshot.Snapshot{}, &snapshot.Snapshot{Tree: &snapshot.Tree{}, Items: c.items})
			if len(found) != 1 || found[0] != c.want {
				t.Errorf("%q, want %q", found, c.want)
			}
		})
	}
}

// A port is declared by the setting as well as by the variable.
func TestPortClash_bySetting(t *testing.T) {
	found := judge(checks.PortClash, item("pm2/daemon", "daemon", "alive"),
		item("pm2/a", "app", "online", fact("PORT", 3000), fact("declared.port", 3000)),
		item("pm2/b", "app", "online", fact("PORT", 3000), fact("declared.env.PORT", "hmac:1"))).Findings
	if len(found) != 1 || !strings.HasPrefix(found[0].Message, "a and b are declared with the same PORT, 3000:") || !strings.Contains(found[0].Hint, "sport = :3000") {
		t.Errorf("%+v", found)
	}
}

// Those of an app that are well are not restarted for the sake of one.
func TestErrored_restartsWhatIsDown(t *testing.T) {
	down := item("pm2/api#1", "instance", "errored", fact("pm_id", 11))
	app := item("pm2/api", "app", "errored")
	daemon := item("pm2/daemon", "daemon", "alive")
	for want, others := range map[string][]*snapshot.Item{"`pm2 restart 11`": {item("pm2/api#0", "instance", "online", fact("pm_id", 5))}, "`pm2 restart api`": nil} {
		found := judge(checks.Errored, append([]*snapshot.Item{daemon, app, down}, others...)...).Findings
		if len(found) != 1 || !strings.Contains(found[0].Hint, want) {
			t.Errorf("%s: %+v", want, found)
		}
	}
}

// What the findings on processes say.
func TestWords_processes(t *testing.T) {
	many := func(states ...string) *snapshot.Snapshot {
		s := seen("alive", &process{state: "online"})
		s.Items[1].Name = "my api"
		for i, state := range states {
			s.Items = append(s.Items, &snapshot.Item{Key: snapshot.Key("pm2/api#" + string(rune('0'+i))), Kind: "instance", State: state})
		}
		return s
	}
	for _, c := range []struct {
		now        *snapshot.Snapshot
		want, hint string
	}{
		{many("waiting restart", "waiting restart", "online"), "pm2-waiting-forever high: 2 of 3 instances of my api were given up by PM2 after too many crashes: \"waiting restart\" is shown, but nothing will start them.", "`pm2 restart 'my api'`"},
		{many("ghost", "online"), "pm2-ghost high: PM2 calls 1 of 2 instances of my api online, but there is no process.", "`pm2 restart 'my api'`"},
		{many("ghost", "ghost"), "pm2-ghost high: PM2 calls 2 of 2 instances of my api online, but they have no process.", "pm2.log"},
	} {
		found, hints := judged(checks.All, nil, &snapshot.Snapshot{}, c.now)
		if len(found) != 1 || found[0] != c.want || !strings.Contains(hints[0], c.hint) {
			t.Errorf("%q\n%q", found, hints)
		}
	}
}

// Who has a port is said where it is known.
func TestPortClash_owner(t *testing.T) {
	for _, c := range []struct {
		title, want string
		facts       map[string]snapshot.Value
	}{
		{"nobody knows", "port 3000 is taken.", nil},
		{"an app", "port 3000 is taken, and web has it.", map[string]snapshot.Value{"port.app": snapshot.Text("web")}},
		{"another program", "port 3000 is taken, and nginx has it (process 12), which PM2 does not list.", map[string]snapshot.Value{"port.program": snapshot.Text("nginx"), "port.pid": snapshot.Number(12)}},
		{"a cluster", "port 3000 is taken, and node has it (process 7), the PM2 daemon itself, for an app in cluster mode.", map[string]snapshot.Value{"port.program": snapshot.Text("node"), "port.pid": snapshot.Number(7)}},
	} {
		t.Run(c.title, func(t *testing.T) {
			s := seen("alive", &process{state: "errored", restarts: 15})
			s.Items[0].Add(snapshot.Volatile, "pid", snapshot.Number(7))
			s.Items[1].Add(snapshot.Volatile, "port.taken", snapshot.Number(3000))
			for name, v := range c.facts {
				s.Items[1].Add(snapshot.Volatile, name, v)
			}
			found, _ := judged([]*audit.Check{checks.PortClash}, nil, &snapshot.Snapshot{}, s)
			if len(found) != 1 || !strings.HasSuffix(found[0], c.want) {
				t.Errorf("got %q, want one that ends with %q", found, c.want)
			}
		})
	}
}

// Of an app with as many processes as declared each that is down has its own
// finding, and the number is none: one cause, one finding.
func TestInstances_oneFindingForOneThatIsDown(t *testing.T) {
	for _, state := range []string{"errored", "stopped", "waiting restart", "ghost"} {
		t.Run(state, func(t *testing.T) {
			add := func(it *snapshot.Item, facts map[string]snapshot.Value) *snapshot.Item {
				for name, v := range facts {
					it.Add(snapshot.Volatile, name, v)
				}
				return it
			}
			d := &snapshot.Item{Key: "pm2/daemon", Name: "PM2 daemon", Kind: "daemon", Source: "daemon:/h", State: "alive"}
			app := add(&snapshot.Item{Key: "pm2/api", Name: "api", Kind: "app", Source: "runtime:/h", State: state, Path: "ecosystem.config.js"},
				map[string]snapshot.Value{"declared.file": snapshot.Text("ecosystem.config.js"), "declared.instances": snapshot.Number(3), "processes": snapshot.Number(3), "in-dump": snapshot.Bool(true)})
			s := &snapshot.Snapshot{Items: []*snapshot.Item{d, app}}
			for i, st := range []string{"online", "online", state} {
				it := &snapshot.Item{Key: snapshot.Key(fmt.Sprintf("pm2/api#%d", i)), Name: "api", Kind: "instance", Source: "runtime:/h", State: st}
				it.Metrics = append(it.Metrics, snapshot.Metric{Name: "age", Value: 3600}, snapshot.Metric{Name: "uptime", Value: 3600})
				pid := 0
				if st == "online" {
					pid = 10 + i
				}
				s.Items = append(s.Items, add(it, map[string]snapshot.Value{"pid": snapshot.Number(pid)}))
			}
			found, _ := judged([]*audit.Check{checks.Errored, checks.NotRunning, checks.WaitingForever, checks.BackoffLoop, checks.Ghost, checks.Stuck, checks.InstancesShort, checks.RestartsDisabled}, nil, &snapshot.Snapshot{}, s)
			if len(found) != 1 || strings.HasPrefix(found[0], "pm2-instances-short") {
				t.Errorf("found %q", found)
			}
		})
	}
}
