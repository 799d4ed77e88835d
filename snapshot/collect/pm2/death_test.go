//go:build unix

package pm2

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"healthaudit/snapshot"
	"healthaudit/snapshot/collect"
	"healthaudit/snapshot/collect/collecttest"
	"healthaudit/snapshot/host"
)

// lists is a daemon that lists these processes, one answer after another; the
// last one stays.
func lists(t *testing.T, answers ...string) (s *collect.Session, asked *atomic.Int32) {
	asked = new(atomic.Int32)
	return serve(t, answer(func(method, id string) []byte {
		if method == "getVersion" {
			return reply(id, `{"args":["7.0.4"]}`)
		}
		n := min(int(asked.Add(1)), len(answers))
		return reply(id, `{"args":[[`+answers[n-1]+`]]}`)
	})), asked
}

const fourProcesses = `
{"name":"api","pm_id":0,"pid":11,"pm2_env":{"status":"online","unique_id":"u","args":["--port","3000"],"autorestart":true,"cron_restart":"0 3 * * *","created_at":1,"pm_uptime":1,"env":{"KEY":"s3cret"}}},
{"name":"pool","pm_id":1,"pid":12,"pm2_env":{"status":"online","exec_mode":"cluster_mode","NODE_APP_INSTANCE":0,"env":{}}},
{"name":"pool","pm_id":2,"pid":13,"pm2_env":{"status":"online","exec_mode":"cluster_mode","NODE_APP_INSTANCE":1,"env":{}}},
{"name":"resting","namespace":"night","pm_id":3,"pid":0,"pm2_env":{"status":"stopped","namespace":"night","autorestart":true,"env":{}}}`

// dying returns sessions of one home before and after its daemon's death.
func dying(t *testing.T, dump string) (s *collect.Session, home string, dead func(before collect.Result, dial error) *collect.Session) {
	s, _ = lists(t, fourProcesses)
	home = s.Config.PM2Homes[0]
	if dump != "" {
		collecttest.WriteFile(t, home, "dump.pm2", []byte(dump))
	}
	none := func() ([]host.Process, error) { return nil, nil }
	return s, home, func(before collect.Result, dial error) *collect.Session {
		again := collecttest.Session(t, s.Host.Root())
		again.Config.PM2Homes, again.Previous = s.Config.PM2Homes, &snapshot.Snapshot{Items: before.Items}
		again.Host = world{Host: again.Host, dial: dial, procs: none}
		return again
	}
}

// What a daemon that died ran is known from the last run: nothing of it looks
// as if someone had taken it away.
func TestCollect_daemonDies(t *testing.T) {
	for _, c := range []struct {
		title, dump, pid string
		dial             error
		state, apps      string
	}{
		{"killed", "", "4194304", syscall.ECONNREFUSED, crashed, "pm2/api=not-running pm2/pool=not-running pm2/pool#0=not-running pm2/pool#1=not-running pm2/night:resting=stopped"},
		{"rebooted", "", "", syscall.ECONNREFUSED, staleSocket, "pm2/api=not-running pm2/pool=not-running pm2/pool#0=not-running pm2/pool#1=not-running pm2/night:resting=stopped"},
		{"pm2 kill", "", "", syscall.ENOENT, notRunning, ""},
		{"pm2 kill with a dump", `[{"name":"pool"},{"name":"api"}]`, "", syscall.ENOENT, notRunning, "pm2/api=not-running pm2/pool=not-running pm2/pool#0=not-running pm2/pool#1=not-running"},
	} {
		t.Run(c.title, func(t *testing.T) {
			s, home, dead := dying(t, c.dump)
			before := collected(t, s)
			if c.pid != "" {
				collecttest.WriteFile(t, home, "pm2.pid", []byte(c.pid))
			}
			for range 2 { // the run after the next one knows it still
				after := collected(t, dead(before, c.dial))
				want := strings.Fields("pm2/daemon=" + c.state + " " + c.apps)
				slices.Sort(want)
				if got := keys(after); got != strings.Join(want, " ") {
					t.Fatalf("got  %s\nwant %s", got, strings.Join(want, " "))
				}
				for _, it := range after.Items {
					for _, f := range changed(itemOf(before, it.Key), it) {
						if f != "state" && (f != "apps" || c.apps != "") {
							t.Errorf("%s: %s changed", it.Key, f)
						}
					}
				}
				before = after
			}
		})
	}
}

// changed returns the names of the facts that differ.
func changed(old, now *snapshot.Item) (names []string) {
	if c := snapshot.Compare(old, now, true, nil); c != nil {
		for _, f := range c.Facts {
			names = append(names, f.Name)
		}
	}
	return names
}

// How many apps should run is known without pm2 save and without a file.
func TestCollect_appsOfADeadDaemon(t *testing.T) {
	s, home, dead := dying(t, "")
	before := collected(t, s)
	collecttest.WriteFile(t, home, "pm2.pid", []byte("4194304"))
	for range 2 {
		before = collected(t, dead(before, syscall.ECONNREFUSED))
		if n, _ := itemOf(before, "pm2/daemon").Fact("apps"); n.Str() != "2" {
			t.Errorf("%s apps should run, want 2", n.Str())
		}
	}
}

// The schedules of an app that died with its daemon are known, and not obeyed.
func TestCollect_schedulesOfADeadDaemon(t *testing.T) {
	s, _, dead := dying(t, "")
	before := collected(t, s)
	after := itemOf(collected(t, dead(before, syscall.ECONNREFUSED)), "pm2/api").Schedules
	if len(after) != 1 || after[0].Effective || after[0].Why == "" || !itemOf(before, "pm2/api").Schedules[0].Effective {
		t.Errorf("%+v", after)
	}
}

// A first run that meets a dead daemon does not know what its apps were: what
// is seen when it runs again is no change.
func TestCollect_firstRunAfterDeath(t *testing.T) {
	s, home, dead := dying(t, `[{"name":"api"}]`)
	collecttest.WriteFile(t, home, "pm2.pid", []byte("4194304"))
	first := collected(t, dead(collect.Result{}, syscall.ECONNREFUSED))
	got := changed(itemOf(first, "pm2/api"), itemOf(collected(t, s), "pm2/api"))
	if !slices.Equal(got, []string{"state"}) {
		t.Errorf("changed: %q", got)
	}
}

func TestCollect_missingHome(t *testing.T) {
	s, _ := lists(t, fourProcesses)
	there := s.Config.PM2Homes[0]
	none := there + "-none" // not the first of the two
	collecttest.Write(t, s.Host.Root(), twoApps)
	again := func(before collect.Result) *collect.Session {
		again := collecttest.Session(t, s.Host.Root())
		again.Config.PM2Homes, again.Previous = []string{there, none}, &snapshot.Snapshot{Items: before.Items}
		return again
	}
	res := collected(t, again(collect.Result{}))
	if itemOf(res, snapshot.Key("pm2/home="+snapshot.EscapePart(there)+"/api")) == nil {
		t.Errorf("the keys depend on the other home: %s", keys(res))
	}
	for _, kind := range []string{"daemon:", "runtime:", "dump:"} {
		if !slices.ContainsFunc(res.Sources, func(s snapshot.Source) bool { return s.Name == kind+none && !s.OK && s.Hint != "" }) {
			t.Errorf("%s is not failed: %+v", kind, res.Sources)
		}
	}
	// An app that was seen in the missing home stays there; one that was seen in
	// another stays listed.
	missing := snapshot.Key("pm2/home=" + snapshot.EscapePart(none) + "/default:a:b")
	seen := collect.Result{Items: []*snapshot.Item{{Key: missing, Name: "a:b", Kind: "app", Source: "runtime:" + none, State: "online"}}}
	if got := keys(collected(t, again(seen))); strings.Contains(got, "a:b") {
		t.Errorf("not carried with its home: %s", got)
	}
	seen.Items[0].Source = "declared" // by a source that does not fail
	if it := itemOf(collected(t, again(seen)), missing); it == nil || it.Unknown == "" {
		t.Errorf("a declared app is dropped or judged: %+v", it)
	}
}

func god(pid, parent int, home string) host.Process {
	return host.Process{PID: pid, PPID: parent, Title: "PM2 v7.0.4: God Daemon (" + home + ")"}
}

func TestInspect_processTable(t *testing.T) {
	const online = `{"name":"api","pm_id":0,"pid":4194303,"pm2_env":{"status":"online","pm_uptime":1,"env":{}}}`
	link := filepath.Join(t.TempDir(), "link")
	for _, c := range []struct {
		title string
		procs func(home string) []host.Process
		dial  error
		state string
		api   string
	}{
		{"its process is gone", func(home string) []host.Process { return []host.Process{god(7, 1, home)} }, nil, alive, ghostState},
		{"the daemon itself is not in the table", func(home string) []host.Process { return []host.Process{{PID: 1, Title: "sh"}} }, nil, alive, "online"},
		{"two daemons", func(home string) []host.Process { return []host.Process{god(7, 1, home), god(9, 1, home)} }, nil, twoDaemons, ""},
		{"two daemons, none to reach", func(home string) []host.Process { return []host.Process{god(7, 1, home), god(9, 1, home)} }, syscall.ENOENT, twoDaemons, ""},
		{"an app about to start", func(home string) []host.Process { return []host.Process{god(7, 1, home), god(9, 7, home)} }, nil, alive, ghostState},
		{"another home's", func(home string) []host.Process { return []host.Process{god(7, 1, home), god(9, 1, home+"2")} }, nil, alive, ghostState},
		{"started by a link to the home", func(home string) []host.Process {
			if err := errors.Join(os.RemoveAll(link), os.Symlink(home, link)); err != nil {
				t.Fatal(err)
			}
			return []host.Process{god(7, 1, link)}
		}, syscall.ENOENT, orphaned, ""},
	} {
		t.Run(c.title, func(t *testing.T) {
			s, _ := lists(t, online)
			home := s.Config.PM2Homes[0]
			s.Host = world{Host: s.Host, dial: c.dial, procs: func() ([]host.Process, error) { return c.procs(home), nil }}
			res := collected(t, s)
			if got := state(res, "pm2/daemon"); got != c.state {
				t.Errorf("the daemon is %s, want %s", got, c.state)
			}
			got := ""
			if it := itemOf(res, "pm2/api"); it != nil {
				got = it.State
			}
			if got != c.api {
				t.Errorf("the app is %q, want %q", got, c.api)
			}
			failed := slices.ContainsFunc(res.Sources, func(s snapshot.Source) bool { return !s.OK && s.Message != "" && s.Hint != "" })
			if failed != (c.state != alive) {
				t.Errorf("sources %+v", res.Sources)
			}
		})
	}
}

// Between a crash and the next start PM2 calls an app stopped, between stopping
// and stopped it calls it waiting, and what has just started may end at once.
func TestInspect_betweenTwoLives(t *testing.T) {
	process := func(status, autorestart string) string {
		p := fmt.Sprintf(`"name":"api","pm_id":0,"pm2_env":{"status":%q,"autorestart":%s,"exit_code":1,"unique_id":"u","created_at":7,"restart_time":4,"pm_uptime":%d,"env":{}}}`,
			status, autorestart, collecttest.Now.UnixMilli()-1000)
		switch status {
		case "exited":
			p = `"pid":4,` + strings.Replace(p, status, "stopped", 1)
		case "crashed again":
			p = strings.Replace(strings.Replace(p, status, "online", 1), `"restart_time":4`, `"restart_time":9`, 1)
		case "old":
			p = strings.Replace(strings.Replace(p, status, "online", 1), `"pm_uptime":`, `"pm_uptime":1,"was":`, 1)
		}
		return "{" + p
	}
	for _, c := range []struct {
		first, autorestart, second, want string
		asked                            int32
		burst                            float64
		waits                            bool
	}{
		{"stopped", "true", "online", "online", 2, 0, false},
		{"stopped", "false", "online", "stopped", 1, 0, false},
		{"online", "true", "online", "online", 2, 0, true},
		{"online", "true", "crashed again", "online", 2, 5, true},
		{"old", "true", "old", ghostState, 2, 0, false},
		{"exited", "true", "online", "online", 2, 0, true},
		{"waiting restart", "true", "stopped", "stopped", 2, 0, true},
	} {
		t.Run(c.first+" "+c.second, func(t *testing.T) {
			t.Parallel()
			s, asked := lists(t, process(c.first, c.autorestart), process(c.second, c.autorestart))
			began := time.Now()
			it := itemOf(collected(t, s), "pm2/api")
			if it.State != c.want || asked.Load() != c.asked {
				t.Errorf("%s after %d looks, want %s after %d", it.State, asked.Load(), c.want, c.asked)
			}
			if m, _ := it.Metric("burst"); m.Value != c.burst {
				t.Errorf("burst %v, want %v", m.Value, c.burst)
			}
			if took := time.Since(began); (took >= settling) != c.waits {
				t.Errorf("it took %s", took)
			}
		})
	}
}

func TestRealPath(t *testing.T) {
	dir := t.TempDir()
	if real, err := filepath.EvalSymlinks(dir); err != nil || real != dir {
		t.Skip("the folder for tests is itself behind a link")
	}
	for name, target := range map[string]string{"abs": dir + "/a", "rel": "a/../a/./b", "far": "abs/b", "loop": "loop"} {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	collecttest.WriteFile(t, dir, "a/b/c", nil)
	h := collecttest.Session(t, dir).Host
	for p, want := range map[string]string{"/a/b": "/a/b", "/abs/b/../b": "/a/b", "/rel": "/a/b", "/far/c": "/a/b/c", "/none/x": "/none/x", "/loop": "/loop"} {
		if got := realPath(h, dir+p); got != dir+want {
			t.Errorf("%s is %s, want %s", p, strings.TrimPrefix(got, dir), want)
		}
	}
}

func TestCollect_socketPath(t *testing.T) {
	s := session(t, twoApps)
	home := filepath.Join(t.TempDir(), strings.Repeat("x", 100))
	collecttest.WriteFile(t, home, "pm2.log", nil)
	s.Config.PM2Homes = []string{home}
	s.Host = world{Host: s.Host, dial: syscall.EINVAL, procs: all(s.Host)}
	for _, src := range collected(t, s).Sources {
		if strings.HasPrefix(src.Name, "runtime:") && (src.OK || !strings.Contains(src.Message, "the system takes 107") || !strings.Contains(src.Hint, "shorter")) {
			t.Errorf("%+v", src)
		}
	}
}

// PM2 calls an app by name and environment when the file asks for it.
func TestCollect_appendEnvToName(t *testing.T) {
	const file = `
-- ecosystem.config.js --
module.exports = { apps: [
  { name: 'append', script: 'api.js', append_env_to_name: true, env_production: { A: 1 }, env_staging: { A: 2 } },
  { name: 'plain', script: 'api.js', env_production: { A: 1 } },
] }
-- api.js --
`
	s, _ := lists(t, `{"name":"append-production","pm_id":0,"pm2_env":{"status":"online","pm_uptime":1,"env":{}}},
{"name":"append-other","pm_id":1,"pm2_env":{"status":"online","pm_uptime":1,"env":{}}},
{"name":"plain-production","pm_id":2,"pm2_env":{"status":"online","pm_uptime":1,"env":{}}}`)
	collecttest.Write(t, s.Host.Root(), file)
	again := collecttest.Session(t, s.Host.Root())
	again.Config = s.Config
	again.Host = world{Host: again.Host, procs: func() ([]host.Process, error) { return []host.Process{{PID: 1}}, nil }}
	res := collected(t, again)
	for key, want := range map[snapshot.Key]string{
		"pm2/append-production": "ecosystem.config.js", "pm2/append-other": "", "pm2/plain-production": "", "pm2/plain": "ecosystem.config.js",
	} {
		it := itemOf(res, key)
		if it == nil || it.Path != want {
			t.Errorf("%s: %+v, want it declared in %q", key, it, want)
		}
	}
	if it := itemOf(res, "pm2/append"); it != nil {
		t.Errorf("append is an app of its own: %+v", it)
	}
}

// What a file names by an absolute path is not looked for in its folder again.
func TestCollect_absolutePaths(t *testing.T) {
	s := session(t, `
-- sub/ecosystem.config.js --
module.exports = { apps: [{ name: 'abs', script: __dirname + '/app.js' }, { name: 'rel', script: 'sub/app.js' }] }
-- sub/app.js --
-- sub/sub/app.js --
`)
	res := collected(t, s)
	for key, want := range map[snapshot.Key]string{"pm2/abs": "sub/app.js", "pm2/rel": "sub/sub/app.js"} {
		it := itemOf(res, key)
		rooted, _ := it.Fact("declared.script.rooted")
		if it.Refs.Len() != 1 || it.Refs.All()[0].Path != want || rooted.IsTrue() != (key == "pm2/abs") {
			t.Errorf("%s starts %+v, want %s; facts %+v", key, it.Refs.All(), want, it.Facts.All())
		}
	}
}

// What Node takes a file for stands in the nearest package.json.
func TestCollect_packageType(t *testing.T) {
	s := session(t, `
-- package.json --
{"type": "module"}
-- ecosystem.config.js --
module.exports = { apps: [] }
-- old/package.json --
{"name": "old"}
-- old/ecosystem.config.js --
module.exports = { apps: [] }
-- new/deep/ecosystem.config.js --
export const apps = []
-- new/deep/ecosystem.prod.config.js --
exports.apps = []
-- torn/package.json --
{"type": "module",
-- torn/deep/ecosystem.config.js --
module.exports = { apps: [] }
-- torn/deep/ecosystem.config.cjs --
module.exports = { apps: [] }
`)
	res := collected(t, s)
	for file, want := range map[string]string{"ecosystem.config.js": "invalid", "old/ecosystem.config.js": "ok", "new/deep/ecosystem.config.js": "ok", "new/deep/ecosystem.prod.config.js": "invalid",
		"torn/deep/ecosystem.config.js": "invalid", "torn/deep/ecosystem.config.cjs": "ok"} {
		if got := state(res, snapshot.Key("pm2/file:"+file)); got != want {
			t.Errorf("%s is %s, want %s", file, got, want)
		}
	}
}

// atHome is a host on which PM2_HOME is that one.
type atHome struct {
	host.Host
	home string
}

func (h atHome) Env(name string) string {
	if name == "PM2_HOME" {
		return h.home
	}
	return h.Host.Env(name)
}

// A home of the last run that today's environment does not lead to is not seen;
// that it is reached by another path changes nothing.
func TestCollect_forgottenHome(t *testing.T) {
	s := session(t, "-- home/dump.pm2 --\n[{\"name\":\"api\"}]\n")
	s.Config.HomeFolder = ""
	at := filepath.Join(s.Host.Root(), "home")
	failed := func(env string) []string {
		s.Host = atHome{s.Host, env}
		var out []string
		for _, src := range collected(t, s).Sources {
			if !src.OK {
				out = append(out, src.Name)
			}
		}
		return out
	}
	s.Host = atHome{s.Host, at}
	before := collected(t, s)
	s.Previous = &snapshot.Snapshot{Items: before.Items, Systems: []snapshot.SystemState{{System: snapshot.PM2, Status: snapshot.StatusOK, Sources: before.Sources}}}
	if got, want := failed(""), []string{"daemon:" + at, "runtime:" + at, "dump:" + at}; !slices.Equal(got, want) {
		t.Errorf("failed: %q", got)
	}
	if it, err := Collector.Recollect(t.Context(), s, "pm2/api"); err == nil {
		t.Errorf("read again though it cannot be seen: %+v", it)
	}
	link := at + "-link"
	if err := os.Symlink("home", link); err != nil {
		t.Fatal(err)
	}
	if got := failed(link); got != nil {
		t.Errorf("by a link: failed %q", got)
	}
	if err := os.RemoveAll(at); err != nil {
		t.Fatal(err)
	}
	if got := failed(""); got != nil {
		t.Errorf("removed: failed %q", got)
	}
}

// A process that outlived its daemon is named, one that only has its number is not.
func TestCollect_survivors(t *testing.T) {
	s, home, dead := dying(t, `[{"name":"api","pm_pid_path":"`+t.TempDir()+`/api-0.pid"},{"name":"py"}]`)
	before := collected(t, s)
	collecttest.WriteFile(t, home, "pm2.pid", []byte("4194304"))
	for file, pid := range map[string]string{"py-3.pid": "4242", "late-4.pid": "4243", "gone-5.pid": "4244", "odd.pid": "x"} {
		collecttest.WriteFile(t, home, "pids/"+file, []byte(pid))
	}
	again := dead(before, syscall.ECONNREFUSED)
	w := again.Host.(world)
	w.procs = func() ([]host.Process, error) {
		return []host.Process{{PID: 4242, StartTime: time.Now().Add(-time.Hour)}, {PID: 4243, StartTime: time.Now().Add(time.Hour)}}, nil
	}
	again.Host = w
	for _, it := range collected(t, again).Items {
		if it.Key == "pm2/daemon" {
			if v, _ := it.Fact("survivors"); !slices.Equal(v.Strings(), []string{"py (process 4242)"}) {
				t.Errorf("%q", v.Strings())
			}
		}
	}
}

// What outlived the daemon is named though a folder of pid files cannot be read, and that is said.
func TestCollect_survivorsUnread(t *testing.T) {
	folder := t.TempDir()
	s, home, dead := dying(t, `[{"name":"api","pm_pid_path":"`+folder+`/file/api-0.pid"},{"name":"py"}]`)
	before := collected(t, s)
	collecttest.WriteFile(t, home, "pm2.pid", []byte("4194304"))
	collecttest.WriteFile(t, home, "pids/py-3.pid", []byte("4242"))
	for _, unread := range []bool{false, true} {
		if unread {
			collecttest.WriteFile(t, folder, "file", nil) // no folder: who opens it fails, whoever he is
		}
		again := dead(before, syscall.ECONNREFUSED)
		w := again.Host.(world)
		w.procs = func() ([]host.Process, error) {
			return []host.Process{{PID: 4242, StartTime: time.Now().Add(-time.Hour)}}, nil
		}
		again.Host = w
		it := itemOf(collected(t, again), "pm2/daemon")
		found, _ := it.Fact("survivors")
		if v, _ := it.Fact("survivors.unread"); v.IsTrue() != unread || !slices.Equal(found.Strings(), []string{"py (process 4242)"}) {
			t.Errorf("unread %v: %q, unread %v", unread, found.Strings(), v.IsTrue())
		}
	}
}

// Who finds something else in the place of the saved list is told to take it away,
// not to give rights.
func TestCollect_dumpIsNoFile(t *testing.T) {
	s, home, _ := dying(t, "")
	if err := syscall.Mkfifo(filepath.Join(home, "dump.pm2"), 0o644); err != nil {
		t.Fatal(err)
	}
	res := collected(t, s)
	i := slices.IndexFunc(res.Sources, func(src snapshot.Source) bool { return strings.HasPrefix(src.Name, dumpSource) })
	if i < 0 || res.Sources[i].OK || !strings.Contains(res.Sources[i].Hint, "Take away what lies at "+filepath.Join(home, "dump.pm2")) {
		t.Errorf("%+v", res.Sources)
	}
}
