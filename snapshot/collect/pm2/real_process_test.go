//go:build unix

package pm2

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"healthaudit/audit"
	checks "healthaudit/audit/check/pm2"
	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/axon"
	"healthaudit/snapshot/collect"
	"healthaudit/snapshot/collect/collecttest"
	"healthaudit/snapshot/host"
)

// ofProcesses are the checks on what PM2 does with its processes.
var ofProcesses = []*audit.Check{
	checks.Errored, checks.CrashLoop, checks.NotRunning, checks.WaitingForever, checks.BackoffLoop, checks.Ghost, checks.RestartsDisabled,
	checks.Stuck, checks.InstancesShort, checks.MemoryOverLimit, checks.CronMissed, checks.EventLoopSlow,
}

// look makes a snapshot of a result.
func (r *real) look(res collect.Result) *snapshot.Snapshot {
	s := &snapshot.Snapshot{At: time.Now(), Tree: collecttest.Session(r.t, r.tree).Tree, Items: res.Items}
	s.Sort()
	return s
}

// found returns "check item" of what the checks find, sorted, and the findings.
func (r *real) found(before, now collect.Result) (lines []string, list []audit.Finding) {
	w := &audit.World{Now: r.look(now), Before: r.look(before), Limits: map[string]float64{"pm2-cron-missed.grace": 0.1}}
	list = audit.Judge(ofProcesses, w).Findings
	for _, f := range list {
		lines = append(lines, f.Check+" "+string(f.Item))
	}
	slices.Sort(lines)
	return lines, list
}

const circus = `
-- ecosystem.config.js --
module.exports = { apps: [
  { name: 'slow', script: 'dies.js', args: '300', min_uptime: 100, max_restarts: 1000 },
  { name: 'backoff', script: 'dies.js', args: '0', exp_backoff_restart_delay: 50 },
  { name: 'zombie', script: 'dies.js', args: '0', restart_delay: 50, max_restarts: 2, min_uptime: '60s' },
  { name: 'scheduled', script: 'healthy.js', cron_restart: '*/2 * * * * *' },
  { name: 'nightly', script: 'ends.js', cron_restart: '0 3 * * *', autorestart: false },
  { name: 'once', script: 'ends.js', autorestart: false },
  { name: 'paused', script: 'ends.js', autorestart: false, restart_delay: 50 },
  { name: 'manual', script: 'healthy.js', autostart: false },
  { name: 'unready', script: 'healthy.js', wait_ready: true, listen_timeout: 300 },
  { name: 'codes', script: 'dies.js', args: '0 3', stop_exit_codes: [3] },
  { name: 'pool', script: 'healthy.js', instances: 2, exec_mode: 'cluster' },
  { name: 'shell', script: 'shell.sh', max_memory_restart: '20M' },
  { name: 'leak', script: 'leaks.js' },
] }
-- healthy.js --
setInterval(() => {}, 1000)
-- ends.js --
process.exit(0)
-- dies.js --
setTimeout(() => process.exit(Number(process.argv[3] || 1)), Number(process.argv[2]))
-- leaks.js --
const held = []
setInterval(() => held.push(Buffer.alloc(1 << 20, 1)), 50)
-- shell.sh --
node hog.js &
wait
-- hog.js --
const held = Buffer.alloc(40 << 20, 1), parent = process.ppid
setInterval(() => { if (process.ppid !== parent || !held) process.exit() }, 200)
`

// Every state that apps of a real PM2 can be in, and what is said of it: of the
// deliberate ones nothing.
func TestRealPM2_processes(t *testing.T) {
	r := newReal(t)
	collecttest.Write(t, r.tree, circus)
	cwd := filepath.Join(r.tree, "cwd")
	if err := os.Mkdir(cwd, 0o755); err != nil {
		t.Fatal(err)
	}
	r.pm2("start", "ecosystem.config.js")
	r.pm2("start", filepath.Join(r.tree, "healthy.js"), "--name", "haunted", "--cwd", cwd)
	if err := os.Remove(cwd); err != nil {
		t.Fatal(err)
	}
	r.pm2("restart", "haunted")

	number := func(res collect.Result, key snapshot.Key, name string) float64 {
		if it := itemOf(res, key); it != nil {
			m, _ := it.Metric(name)
			return m.Value
		}
		return 0
	}
	first := r.until("every app is in its state", func(res collect.Result) bool {
		for key, want := range map[snapshot.Key]string{
			"pm2/zombie": "waiting restart", "pm2/haunted": ghostState, "pm2/nightly": "stopped", "pm2/once": "stopped", "pm2/paused": "waiting restart", "pm2/manual": "stopped",
			"pm2/unready": "online", "pm2/codes": "stopped", "pm2/pool#0": "online", "pm2/pool#1": "online", "pm2/shell": "online",
		} {
			if state(res, key) != want {
				return false
			}
		}
		return number(res, "pm2/zombie", "created") == 0 && number(res, "pm2/shell", "memory") > 40<<20 && number(res, "pm2/pool#0", "event-loop") > 0
	})
	r.before = r.look(first)
	now := r.until("the loops went on", func(res collect.Result) bool {
		return number(res, "pm2/slow", "restarts") >= number(first, "pm2/slow", "restarts")+3 &&
			number(res, "pm2/backoff", "prev_restart_delay") > 50*1.5*1.5 &&
			number(res, "pm2/scheduled", "restarts") >= number(first, "pm2/scheduled", "restarts")+3
	})

	found, list := r.found(first, now)
	want := []string{"pm2-backoff-loop pm2/backoff", "pm2-crash-loop pm2/slow", "pm2-ghost pm2/haunted", "pm2-memory-over-limit pm2/shell", "pm2-waiting-forever pm2/zombie"}
	if !slices.Equal(found, want) {
		t.Errorf("found %q\nwant  %q", found, want)
	}
	for _, f := range list {
		t.Logf("%s %s: %s %s", f.Severity, f.Check, f.Message, f.Hint)
		if f.Check == "pm2-ghost" && !(strings.Contains(f.Message, "working folder is gone") && strings.Contains(f.Message, "other process")) {
			t.Errorf("ghost: %s", f.Message)
		}
	}
	t.Run("children are counted", func(t *testing.T) {
		main, all, children := number(now, "pm2/shell", "memory.main"), number(now, "pm2/shell", "memory"), number(now, "pm2/shell", "children")
		if main <= 0 || main > 20<<20 || all-main < 40<<20 || children != 1 {
			t.Errorf("main %v, all %v, children %v", main, all, children)
		}
	})
	t.Run("a leak is one series that grows", func(t *testing.T) {
		a, _ := itemOf(first, "pm2/leak").Metric("memory")
		b, _ := itemOf(now, "pm2/leak").Metric("memory")
		if a.Incarnation == "" || a.Incarnation != b.Incarnation || b.Value < a.Value+5<<20 {
			t.Errorf("%+v, then %+v", a, b)
		}
	})
	t.Run("processor time only rises within a life", func(t *testing.T) {
		for _, key := range []snapshot.Key{"pm2/pool#0", "pm2/shell", "pm2/unready"} {
			a, _ := itemOf(first, key).Metric("cpu")
			b, _ := itemOf(now, key).Metric("cpu")
			if !b.Counter || a.Incarnation != b.Incarnation || b.Value < a.Value || a.Value <= 0 {
				t.Errorf("%s: %+v, then %+v", key, a, b)
			}
		}
		a, _ := itemOf(first, "pm2/scheduled").Metric("cpu")
		b, _ := itemOf(now, "pm2/scheduled").Metric("cpu")
		if a.Incarnation == b.Incarnation {
			t.Errorf("another process, one series: %+v, then %+v", a, b)
		}
	})
	t.Run("restarts are switched off", func(t *testing.T) { r.switchedOff(now) })
}

// switchedOff brings the daemon into the state that an unfinished pm2 kill
// leaves behind, which no call of audit can do, and ends an app.
func (r *real) switchedOff(before collect.Result) {
	h, err := host.New(r.tree, os.Getenv, time.Now)
	if err != nil {
		r.t.Fatal(err)
	}
	defer h.Close()
	conn, err := h.Dial(r.t.Context(), filepath.Join(r.home, "rpc.sock"))
	if err != nil {
		r.t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Write(axon.Frame(`j:{"type":"call","method":"notifyKillPM2","args":[]}`, "s:test")); err != nil {
		r.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(r.t.Context(), callTime)
	defer cancel()
	c, err := newClient(ctx, conn) // its answer comes after the daemon has taken the call
	if err != nil {
		r.t.Fatal(err)
	}
	k, err := c.send("getVersion", struct{}{})
	if err != nil {
		r.t.Fatal(err)
	}
	if _, err := c.receive(k); err != nil {
		r.t.Fatal(err)
	}
	pid, _ := itemOf(before, "pm2/unready").Fact("pid")
	n, _ := pid.Num()
	signal(r.t, int(n), syscall.SIGKILL)
	now := r.until("the app stays down, and the schedule of another is overdue", func(res collect.Result) bool {
		started, _ := itemOf(res, "pm2/scheduled").Metric("started")
		return state(res, "pm2/unready") == "stopped" && time.Since(time.UnixMilli(int64(started.Value))) > 9*time.Second
	})
	found, _ := r.found(before, now)
	if !slices.Contains(found, "pm2-restarts-disabled pm2/daemon") || slices.Contains(found, "pm2-not-running pm2/unready") {
		r.t.Errorf("found %q", found)
	}
	if !slices.Contains(found, "pm2-cron-missed pm2/scheduled") { // its timer fired into a daemon that restarts nothing, and is gone
		r.t.Errorf("found %q", found)
	}
}

// After pm2 resurrect nothing ends a hot loop. It is seen at the first look.
func TestRealPM2_hotLoop(t *testing.T) {
	r := newReal(t)
	collecttest.Write(t, r.tree, "-- hot.js --\nif (require('fs').existsSync('crash')) process.exit(1)\nsetInterval(() => {}, 1000)\n")
	r.pm2("start", "hot.js", "--name", "hot")
	r.pm2("save")
	r.pm2("kill")
	dump := filepath.Join(r.home, "dump.pm2")
	b, err := os.ReadFile(dump)
	if err != nil {
		t.Fatal(err)
	}
	var apps []map[string]any
	if err := json.Unmarshal(b, &apps); err != nil || len(apps) != 1 {
		t.Fatal(err, len(apps))
	}
	apps[0]["created_at"] = time.Now().Add(-24 * time.Hour).UnixMilli() // saved yesterday
	if b, err = json.Marshal(apps); err == nil {
		err = os.WriteFile(dump, b, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	collecttest.WriteFile(t, r.tree, "crash", nil)
	r.pm2("resurrect")
	res := r.until("it crashes several times a second", func(res collect.Result) bool {
		it := itemOf(res, "pm2/hot")
		if it == nil {
			return false
		}
		m, _ := it.Metric("burst")
		return m.Value >= 3
	})
	found, list := r.found(collect.Result{}, res)
	if len(found) != 1 || found[0] != "pm2-crash-loop pm2/hot" || !strings.Contains(list[0].Hint, "resurrect") || !strings.Contains(list[0].Message, "will not give it up") {
		t.Errorf("%q %+v", found, list)
	}
	t.Run("the next run knows it and does not wait", func(t *testing.T) {
		for end := time.Now().Add(40 * time.Second); ; { // until it crashed often enough in between
			r.cursors = res.Cursors
			pause(t.Context(), time.Second)
			began := time.Now()
			res = r.audit()
			if time.Since(began) < settling {
				break
			}
			if time.Now().After(end) {
				t.Fatal("every run waits")
			}
		}
		if m, _ := itemOf(res, "pm2/hot").Metric("burst"); m.Value < 3 {
			t.Errorf("burst %v", m.Value)
		}
	})
}
