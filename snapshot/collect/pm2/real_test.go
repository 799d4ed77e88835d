//go:build unix

package pm2

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/ecosystem"
	"healthaudit/snapshot/collect"
	"healthaudit/snapshot/collect/collecttest"
	"healthaudit/snapshot/collect/pm2/pm2test"
	"healthaudit/snapshot/host"
)

// A real is a real PM2 in a home of its own.
type real struct {
	*pm2test.Real
	t          *testing.T
	home, tree string
	derived    *snapshot.Derived // between audits, as the store keeps it
	before     snapshot.Past     // nil: every audit is a first one
	cursors    map[string]json.RawMessage
}

func newReal(t *testing.T) *real {
	t.Helper()
	r := pm2test.New(t)
	r.Env = []string{"SHELL_SECRET=s3cret-of-the-shell", "NAME=s3cret-name", "SSH_CLIENT=10.0.0.1"}
	return &real{Real: r, t: t, home: r.Home, tree: r.Tree, derived: &snapshot.Derived{}}
}

// pm2 runs the real command.
func (r *real) pm2(args ...string) []byte {
	r.t.Helper()
	return r.Run(args...)
}

func (r *real) daemonPID() int {
	r.t.Helper()
	return r.Daemon()
}

// audit collects once, with the real clock.
func (r *real) audit() collect.Result {
	r.t.Helper()
	s := collecttest.Session(r.t, r.tree)
	h, err := host.New(r.tree, func(k string) string {
		if k == "PM2_HOME" {
			return r.home
		}
		return ""
	}, time.Now)
	if err != nil {
		r.t.Fatal(err)
	}
	defer h.Close()
	s.Host, s.Files, s.Derived = h, &collect.Capture{Host: h}, r.derived
	if r.before != nil {
		s.Previous = r.before
	}
	s.Cursors = func(_ snapshot.System, name string) json.RawMessage { return r.cursors[name] }
	res, err := Collector.Collect(r.t.Context(), s)
	if err != nil {
		r.t.Fatal(err)
	}
	return res
}

func (r *real) item(key snapshot.Key) *snapshot.Item {
	r.t.Helper()
	return itemOf(r.audit(), key)
}

func itemOf(res collect.Result, key snapshot.Key) *snapshot.Item {
	for _, it := range res.Items {
		if it.Key == key {
			return it
		}
	}
	return nil
}

// until audits until it is so.
func (r *real) until(what string, ok func(collect.Result) bool) collect.Result {
	r.t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(60 * time.Second)
	for {
		res := r.audit()
		if ok(res) {
			return res
		}
		select {
		case <-tick.C:
		case <-deadline:
			b, _ := json.MarshalIndent(res.Items, "", " ")
			r.t.Fatalf("never: %s\n%s\n%s", what, keys(res), b)
		}
	}
}

func state(res collect.Result, key snapshot.Key) string {
	if it := itemOf(res, key); it != nil {
		return it.State
	}
	return "(no item)"
}

const shop = `
-- ecosystem.config.js --
module.exports = { apps: [
  { name: 'api', script: 'healthy.js', args: '--port 3000 --token=s3cret-arg', env: { API_KEY: 's3cret-env', username: 's3cret-lower' }, cron_restart: '0 3 * * *' },
  { name: 'pool', script: 'healthy.js', instances: 2, exec_mode: 'cluster' },
  { name: 'broken', script: 'broken.js', max_restarts: 2, min_uptime: '60s' },
  { name: 'looping', script: 'looping.js', min_uptime: 100, max_restarts: 1000 },
  { name: 'resting', script: 'healthy.js', namespace: 'night' },
  { name: 'forgotten', script: 'healthy.js' },
  { script: 'node healthy.js --key s3cret-line' },
] }
-- healthy.js --
setInterval(() => {}, 1000)
-- broken.js --
throw new Error('s3cret-thrown')
-- looping.js --
if (require('fs').existsSync('crash')) setTimeout(() => process.exit(1), 150)
else setInterval(() => {}, 1000)
-- crash --
`

func TestRealPM2_states(t *testing.T) {
	r := newReal(t)
	collecttest.Write(t, r.tree, shop)
	r.pm2("start", "ecosystem.config.js")
	r.pm2("stop", "resting")
	r.pm2("delete", "forgotten")
	r.pm2("save")

	res := r.until("every app is in its state", func(res collect.Result) bool {
		return state(res, "pm2/api") == "online" && state(res, "pm2/pool") == "online" && state(res, "pm2/broken") == "errored" && state(res, "pm2/night:resting") == "stopped"
	})
	for key, want := range map[snapshot.Key]string{
		"pm2/daemon": "alive", "pm2/pool#0": "online", "pm2/pool#1": "online", "pm2/forgotten": "not-running", "pm2/file:ecosystem.config.js": "ok",
	} {
		if got := state(res, key); got != want {
			t.Errorf("%s is %s, want %s", key, got, want)
		}
	}
	for _, src := range res.Sources {
		if !src.OK {
			t.Errorf("source %+v", src)
		}
	}
	line := "node healthy.js --key s3cret-line" // PM2 names the app "node healthy"
	if it := itemOf(res, snapshot.Key("pm2/"+ecosystem.ShownName("node healthy", line))); it == nil || it.State != "online" || it.Path == "" {
		t.Errorf("the command line without a name: %+v", it)
	} else if in, _ := it.Fact("in-dump"); !in.IsTrue() {
		t.Errorf("the command line is not found in the dump: %+v", it)
	}
	api := itemOf(res, "pm2/api")
	for fact, want := range map[string]string{
		"script": "healthy.js", "cwd": ".", "args": "--port, 3000, --token=***", "exec_mode": "fork_mode", "autorestart": "true", "in-dump": "true",
		"declared.args": "--port, 3000, --token=***", "declared.file": "ecosystem.config.js", "cron_restart": "0 3 * * *",
		"pm_out_log_path": "$PM2_HOME/logs/api-out.log",
	} {
		if v, _ := api.Fact(fact); v.Str() != want {
			t.Errorf("api: %s = %q, want %q", fact, v.Str(), want)
		}
	}
	if a, b := hashOf(api, "env.API_KEY"), hashOf(api, "declared.env.API_KEY"); a == "" || a != b {
		t.Errorf("API_KEY runs as %q and is declared as %q", a, b)
	}
	if hashOf(api, "env.SSH_CLIENT") != "" {
		t.Error("a variable of the terminal became a fact")
	}
	if m, _ := api.Metric("memory"); m.Value < 10<<20 || m.Value > 500<<20 {
		t.Errorf("api: memory %+v", m)
	}
	if len(api.Schedules) != 1 || !api.Schedules[0].Effective || api.Schedules[0].Line != 2 {
		t.Errorf("api: schedules %+v", api.Schedules)
	}
	if b, _ := json.Marshal(res); bytes.Contains(b, []byte("s3cret")) {
		t.Errorf("a secret in %s", b)
	}
	t.Run("crashes raise the counter only", func(t *testing.T) {
		first, _ := r.item("pm2/looping").Metric("restarts")
		created, _ := itemOf(res, "pm2/looping").Metric("created")
		now := r.until("three more crashes", func(res collect.Result) bool {
			m, ok := itemOf(res, "pm2/looping").Metric("restarts")
			return ok && m.Value >= first.Value+3
		})
		last, _ := itemOf(now, "pm2/looping").Metric("restarts")
		again, _ := itemOf(now, "pm2/looping").Metric("created")
		if last.Incarnation != first.Incarnation || !last.Counter || created.Value != again.Value || created.Value == 0 {
			t.Errorf("%+v then %+v, created %v then %v", first, last, created, again)
		}
		if err := os.Remove(filepath.Join(r.tree, "crash")); err != nil { // pm2 stop loses a race with a crash
			t.Fatal(err)
		}
		r.until("it settles", func(res collect.Result) bool {
			m, ok := itemOf(res, "pm2/looping").Metric("uptime")
			return ok && m.Value > 1
		})
	})
	t.Run("a commanded restart moves the creation time", func(t *testing.T) {
		before, _ := r.item("pm2/api").Metric("created")
		r.pm2("restart", "api")
		after, _ := r.item("pm2/api").Metric("created")
		if before.Value == 0 || before.Value == after.Value {
			t.Errorf("created %v, then %v", before, after)
		}
	})
	t.Run("fifty audits change nothing", func(t *testing.T) {
		before := r.Census()
		for range 50 {
			r.audit()
		}
		if after := r.Census(); before != after {
			t.Errorf("before\n%safter\n%s", before, after)
		}
	})
	t.Run("recollect", func(t *testing.T) {
		s := r.session()
		it, err := Collector.Recollect(t.Context(), s, "pm2/api")
		if err != nil || it == nil || it.State != "online" {
			t.Errorf("%+v, %v", it, err)
		}
		if it, err := Collector.Recollect(t.Context(), s, "pm2/nobody"); it != nil || err != nil {
			t.Errorf("an app that is not there: %+v, %v", it, err)
		}
	})
	t.Run("ghost", func(t *testing.T) {
		if err := os.MkdirAll(filepath.Join(r.tree, "cwd"), 0o755); err != nil {
			t.Fatal(err)
		}
		r.pm2("start", filepath.Join(r.tree, "healthy.js"), "--name", "haunted", "--cwd", filepath.Join(r.tree, "cwd"))
		if err := os.RemoveAll(filepath.Join(r.tree, "cwd")); err != nil {
			t.Fatal(err)
		}
		r.pm2("restart", "haunted")
		r.until("the app without a process is a ghost", func(res collect.Result) bool { return state(res, "pm2/haunted") == ghostState })
	})
}

func (r *real) session() *collect.Session {
	s := collecttest.Session(r.t, r.tree)
	s.Config.PM2Homes = []string{r.home}
	return s
}

func hashOf(it *snapshot.Item, fact string) string {
	for _, f := range it.Facts.All() {
		if f.Name == fact && f.Class == snapshot.Secret {
			return f.Value.Str()
		}
	}
	return ""
}

func TestRealPM2_daemon(t *testing.T) {
	const one = `
-- ecosystem.config.js --
module.exports = { apps: [{ name: 'api', script: 'healthy.js' }] }
-- healthy.js --
setInterval(() => {}, 1000)
`
	for _, c := range []struct {
		state string
		apps  string // state of the app
		wound func(*testing.T, *real)
	}{
		{hung, "", func(t *testing.T, r *real) { signal(t, r.daemonPID(), syscall.SIGSTOP) }},
		{orphaned, "", func(t *testing.T, r *real) {
			if err := os.Remove(filepath.Join(r.home, "rpc.sock")); err != nil {
				t.Fatal(err)
			}
		}},
		{crashed, absentState, func(t *testing.T, r *real) { signal(t, r.daemonPID(), syscall.SIGKILL) }},
		{staleSocket, absentState, func(t *testing.T, r *real) { signal(t, r.daemonPID(), syscall.SIGTERM) }},
		{notRunning, absentState, func(t *testing.T, r *real) { r.pm2("kill") }},
	} {
		t.Run(c.state, func(t *testing.T) {
			r := newReal(t)
			collecttest.Write(t, r.tree, one)
			r.pm2("start", "ecosystem.config.js")
			r.pm2("save")
			c.wound(t, r)
			res := r.until(c.state, func(res collect.Result) bool { return state(res, "pm2/daemon") == c.state })
			if got := state(res, "pm2/api"); got != c.apps {
				t.Errorf("the app is %q, want %q", got, c.apps)
			}
			failed := slices.ContainsFunc(res.Sources, func(s snapshot.Source) bool { return !s.OK && s.Hint != "" })
			if want := c.apps == ""; failed != want {
				t.Errorf("sources %+v, want a failed one: %v", res.Sources, want)
			}
			if failed && itemOf(res, "pm2/api").Unknown == "" {
				t.Error("an app of a source that failed is judged")
			}
			daemons, _ := r.Processes()
			if n := strconv.Itoa(len(daemons)); (n == "1") != (c.state == hung || c.state == orphaned) {
				t.Errorf("%s daemons run after the audit", n)
			}
		})
	}
}

// What PM2 changes of its own accord is no change of the configuration.
func TestRealPM2_ownChanges(t *testing.T) {
	r := newReal(t)
	collecttest.Write(t, r.tree, `
-- ecosystem.config.js --
module.exports = { apps: [
  { name: 'api', script: 'healthy.js', args: '--port 3000', env: { KEY: '1' } },
  { name: 'pool', script: 'healthy.js', instances: 2, exec_mode: 'cluster' },
] }
-- healthy.js --
setInterval(() => {}, 1000)
`)
	online := func(res collect.Result) bool {
		return state(res, "pm2/daemon") == alive && state(res, "pm2/api") == "online" && state(res, "pm2/pool#0") == "online" && state(res, "pm2/pool#1") == "online"
	}
	r.pm2("start", "ecosystem.config.js")
	r.pm2("save")
	first := r.until("all are online", online)
	r.before = &snapshot.Snapshot{Items: first.Items}
	same := func(t *testing.T, now collect.Result) {
		t.Helper()
		if a, b := keys(first), keys(now); a != b {
			t.Errorf("items %s\nwere %s", b, a)
		}
		for _, it := range now.Items {
			for _, f := range changed(itemOf(first, it.Key), it) {
				t.Errorf("%s: %s changed", it.Key, f)
			}
		}
	}
	for _, step := range [][]string{{"restart", "all"}, {"reload", "all"}, {"restart", "ecosystem.config.js"}, {"kill"}, {"resurrect"}, {"start", "ecosystem.config.js"}} {
		r.pm2(step...)
		if step[0] == "kill" {
			continue
		}
		now := r.until("all are online again", online)
		t.Run(strings.Join(step, " "), func(t *testing.T) { same(t, now) })
	}
	t.Run("kill -9", func(t *testing.T) {
		signal(t, r.daemonPID(), syscall.SIGKILL)
		dead := r.until("it is dead", func(res collect.Result) bool { return state(res, "pm2/daemon") == crashed })
		if len(dead.Items) != len(first.Items) {
			t.Errorf("items %s\nwere %s", keys(dead), keys(first))
		}
		for _, it := range dead.Items {
			for _, f := range changed(itemOf(first, it.Key), it) {
				if f != "state" {
					t.Errorf("%s: %s changed", it.Key, f)
				}
			}
		}
	})
}

// Two daemons of one home, as a removed socket and one more pm2 command make them.
func TestRealPM2_twoDaemons(t *testing.T) {
	r := newReal(t)
	collecttest.Write(t, r.tree, "-- healthy.js --\nsetInterval(() => {}, 1000)\n")
	r.pm2("start", "healthy.js", "--name", "api")
	for _, socket := range []string{"rpc.sock", "pub.sock"} {
		if err := os.Remove(filepath.Join(r.home, socket)); err != nil {
			t.Fatal(err)
		}
	}
	r.pm2("ping")
	res := r.audit()
	pids, _ := itemOf(res, "pm2/daemon").Fact("pids")
	if got := state(res, "pm2/daemon"); got != twoDaemons || !strings.Contains(pids.Str(), ", ") {
		t.Errorf("the daemon is %s, pids %q", got, pids.Str())
	}
}

func signal(t *testing.T, pid int, s syscall.Signal) {
	t.Helper()
	if err := syscall.Kill(pid, s); err != nil {
		t.Fatal(err)
	}
}
