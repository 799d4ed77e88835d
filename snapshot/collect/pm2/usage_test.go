//go:build unix

package pm2

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"healthaudit/snapshot"
	"healthaudit/snapshot/collect"
	"healthaudit/snapshot/collect/collecttest"
	"healthaudit/snapshot/host"
)

func TestTree(t *testing.T) {
	list := []host.Process{
		{PID: 2, PPID: 1, RSS: 100, CPU: 10},
		{PID: 5, PPID: 2, RSS: 20, CPU: 3, Reaped: 4},
		{PID: 6, PPID: 5, RSS: 3, CPU: 1},
		{PID: 7, PPID: 1, RSS: 5000, CPU: 5000},
		{PID: 8, PPID: 9, RSS: 1}, {PID: 9, PPID: 8, RSS: 1}, // as a table that is read while it changes may say
	}
	d := daemon{procs: map[int]host.Process{}, below: children(list)}
	for _, p := range list {
		d.procs[p.PID] = p
	}
	if got, want := d.tree(2), (tree{others: 2, rss: 123, cpu: 180 * time.Millisecond}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	if got := d.tree(8); got.rss != 2 || got.others != 1 {
		t.Errorf("a circle: %+v", got)
	}
	if got := d.tree(99); got != (tree{}) {
		t.Errorf("nobody: %+v", got)
	}
}

// oneApp is a session on a daemon that lists one app with these further keys of
// pm2_env, and these processes beside the daemon, which is number 7.
func appOf(t *testing.T, env string, procs ...host.Process) *collect.Session {
	s, _ := lists(t, fmt.Sprintf(`{"name":"api","pm_id":0,"pid":11,"monit":{"memory":0},"pm2_env":{"status":"online","unique_id":"u","created_at":%d,"pm_uptime":%[1]d%s,"env":{}}}`,
		collecttest.Now.Add(-time.Hour).UnixMilli(), env))
	home := s.Config.PM2Homes[0]
	s.Host = world{Host: s.Host, procs: func() ([]host.Process, error) {
		d := god(7, 1, home)
		d.StartTime = collecttest.Now.Add(-2 * time.Hour)
		return append([]host.Process{d}, procs...), nil
	}}
	return s
}

func metrics(it *snapshot.Item) string {
	it.Sort()
	var out []string
	for _, m := range it.Metrics {
		out = append(out, fmt.Sprintf("%s=%v", m.Name, m.Value))
	}
	return strings.Join(out, " ")
}

func TestCollect_usage(t *testing.T) {
	app := host.Process{PID: 11, PPID: 7, Start: 50, RSS: 1 << 20, CPU: 100, StartTime: collecttest.Now.Add(-time.Hour)}
	child := host.Process{PID: 12, PPID: 11, RSS: 2 << 20, CPU: 50, Reaped: 25}
	const monitor = `,"axm_monitor":{"Event Loop Latency p95":{"value":"612.5","unit":"ms"},"Mine":{"value":"s3cret"}},"unstable_restarts":2,"prev_restart_delay":225,"cron_restart":"0 3 * * *"`
	s := appOf(t, monitor, app, child)
	res := collected(t, s)
	it := itemOf(res, "pm2/api")
	at := collecttest.Now.Add(-time.Hour).UnixMilli()
	want := fmt.Sprintf("age=3600 children=1 cpu=1.75 created=%v event-loop=612.5 memory=3.145728e+06 memory.main=1.048576e+06 prev_restart_delay=225 restarts=0 started=%[1]v unstable_restarts=2 uptime=3600", float64(at))
	if got := metrics(it); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if m, _ := itemOf(res, "pm2/daemon").Metric("unmeasured"); m.Value != 1 {
		t.Errorf("apps of which PM2 reads no memory: %v", m.Value)
	}
	if b, _ := json.Marshal(it); strings.Contains(string(b), "s3cret") {
		t.Errorf("what the app measures itself: %s", b)
	}

	incarnation := func(it *snapshot.Item, name string) string { m, _ := it.Metric(name); return m.Incarnation }
	t.Run("another process is another series", func(t *testing.T) {
		app := app
		app.Start = 51
		again := itemOf(collected(t, appOf(t, "", app)), "pm2/api")
		for _, name := range []string{"memory", "cpu", "uptime"} {
			if incarnation(it, name) == incarnation(again, name) {
				t.Errorf("%s: %s", name, incarnation(it, name))
			}
		}
	})
	t.Run("a sum that fell is another series, and stays it", func(t *testing.T) {
		look := func(previous *snapshot.Item, child host.Process) *snapshot.Item {
			s := appOf(t, monitor, app, child)
			s.Previous = &snapshot.Snapshot{Items: []*snapshot.Item{previous}}
			return itemOf(collected(t, s), "pm2/api")
		}
		same := look(it, child)
		fell := look(same, host.Process{})
		stays := look(fell, host.Process{})
		if a, b, c, d := incarnation(it, "cpu"), incarnation(same, "cpu"), incarnation(fell, "cpu"), incarnation(stays, "cpu"); a != b || b == c || c != d {
			t.Errorf("%s, %s, %s, %s", a, b, c, d)
		}
	})
}

// A pid that another process has by now is not the app's.
func TestCollect_pidReuse(t *testing.T) {
	for _, c := range []struct {
		title  string
		parent int
		after  time.Duration // that the process is younger than the app
		want   string
	}{
		{"the app", 7, 20 * time.Millisecond, "online"},
		{"a clock that was set after PM2 started the app", 7, 3 * time.Hour, "online"},
		{"an app that PM2 did not start itself", 1, 2 * time.Second, "online"},
		{"another process", 1, time.Minute, ghostState},
	} {
		t.Run(c.title, func(t *testing.T) {
			it := itemOf(collected(t, appOf(t, "", host.Process{PID: 11, PPID: c.parent, RSS: 4096, StartTime: collecttest.Now.Add(c.after - time.Hour)})), "pm2/api")
			if it.State != c.want {
				t.Errorf("%s, want %s", it.State, c.want)
			}
			if _, ok := it.Metric("memory"); ok == (c.want == ghostState) {
				t.Errorf("metrics of a %s: %s", c.want, metrics(it))
			}
		})
	}
}

func TestCollect_ghostWhy(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct{ env, want string }{
		{fmt.Sprintf(`,"pm_cwd":%q,"pm_exec_path":%q`, dir+"/none", dir+"/none/x.js"), "cwd script"},
		{fmt.Sprintf(`,"pm_cwd":%q,"pm_exec_path":%q`, dir, dir+"/x.js"), "script"},
		{fmt.Sprintf(`,"pm_cwd":%q,"pm_exec_path":%q`, dir, dir), ""},
		{`,"pm_cwd":"relative","pm_exec_path":""`, ""},
	} {
		it := itemOf(collected(t, appOf(t, c.env)), "pm2/api")
		v, _ := it.Fact(goneFact)
		if got := strings.Join(v.Strings(), " "); it.State != ghostState || got != c.want {
			t.Errorf("%s: %s, gone %q, want %q", c.env, it.State, got, c.want)
		}
	}
}

// PM2 fails to measure an app that runs; not one that it measured, or that has
// no process.
func TestWatch(t *testing.T) {
	h := &home{daemon: daemon{pids: []int{7}, procs: map[int]host.Process{7: {PID: 7}, 11: {PID: 11, RSS: 1}, 12: {PID: 12, RSS: 1}}}}
	h.daemon.list = []process{{Status: "online", PID: 11}, {Status: "online", PID: 12, Memory: 5}, {Status: "online"}, {Status: "stopped", PID: 11}}
	it := &snapshot.Item{}
	(&builder{s: collecttest.Session(t, t.TempDir())}).watch(it, h)
	if m, _ := it.Metric("unmeasured"); m.Value != 1 {
		t.Errorf("%v, want 1", m.Value)
	}
}
