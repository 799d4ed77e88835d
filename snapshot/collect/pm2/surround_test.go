//go:build unix

package pm2

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"healthaudit/snapshot"
	"healthaudit/snapshot/collect"
	"healthaudit/snapshot/collect/collecttest"
	"healthaudit/snapshot/host"
)

// machine is a host whose system folders lie in another folder.
type machine struct {
	host.Host
	system string
	procs  []host.Process
	names  map[int]string // of processes, by number
	exe    string         // of each process
	look   string
	now    time.Time
}

func (m machine) Outside(dir string) (host.Files, error) {
	for _, d := range []string{"/etc", "/run", "/var/spool", "/lib/systemd", "/opt"} {
		if dir == d || strings.HasPrefix(dir, d+"/") {
			return m.Host.Outside(filepath.Join(m.system, dir))
		}
	}
	return m.Host.Outside(dir)
}

func (m machine) Processes(titled func(int, string) bool) ([]host.Process, error) {
	procs := slices.Clone(m.procs)
	for i, p := range procs {
		if name := m.names[p.PID]; !titled(p.PID, name) {
			procs[i].Title = ""
		}
	}
	return procs, nil
}
func (m machine) Program(int) string { return m.exe }
func (m machine) Now() time.Time     { return m.now }
func (m machine) Look(program string) (string, error) {
	if m.look == "" {
		return "", os.ErrNotExist
	}
	return m.look, nil
}

// onMachine is a daemon that lists these processes, on a machine with these
// system files.
func onMachine(t *testing.T, list, system string) (*collect.Session, *machine) {
	t.Helper()
	s, _ := lists(t, list)
	m := &machine{Host: s.Host, system: t.TempDir(), now: collecttest.Now}
	collecttest.Write(t, m.system, strings.ReplaceAll(system, "@HOME@", s.Config.PM2Homes[0]))
	s.Host = m
	return s, m
}

func facts(it *snapshot.Item, prefix string) string {
	var out []string
	for _, f := range it.Facts.All() {
		if strings.HasPrefix(f.Name, prefix) {
			out = append(out, f.Name+"="+f.Value.Str())
		}
	}
	return strings.Join(out, " ")
}

const oneApp = `{"name":"api","pm_id":0,"pid":0,"pm2_env":{"status":"stopped","autorestart":true,"pm_exec_path":"/srv/a.js","pm_cwd":"/srv","args":["-p","1"],"created_at":1,"pm_uptime":1,"env":{"PORT":"3000"}}}`

func TestDump(t *testing.T) {
	const entry = `"name":"api","pm_exec_path":"/srv/a.js","pm_cwd":"/srv"`
	for _, c := range []struct{ title, dump, dumpFact, differs string }{
		{"as it runs", `[{` + entry + `,"args":["-p","1"],"status":"stopped"}]`, "ok", ""},
		{"other arguments", `[{` + entry + `,"args":["-p","2"],"status":"stopped"}]`, "ok", "dump.differs=arguments"},
		{"another script", `[{"name":"api","pm_exec_path":"/old/a.js","pm_cwd":"/old","args":["-p","1"],"status":"stopped"}]`, "ok", "dump.differs=folder, script"},
		{"saved as running", `[{` + entry + `,"args":["-p","1"],"status":"online"}]`, "ok", "dump.differs=saved as running"},
		{"two processes", `[{` + entry + `,"args":["-p","1"],"status":"stopped"},{` + entry + `,"args":["-p","1"],"status":"stopped"}]`, "ok", "dump.differs=processes"},
		{"empty", `[]`, "empty", ""},
		{"torn", `[{"name":"ap`, "torn", ""},
		{"absent", "", "absent", ""},
	} {
		t.Run(c.title, func(t *testing.T) {
			s, _ := onMachine(t, oneApp, "")
			if c.dump != "" {
				collecttest.WriteFile(t, s.Config.PM2Homes[0], "dump.pm2", []byte(c.dump))
			}
			res := collected(t, s)
			if got := text(itemOf(res, "pm2/daemon"), "dump"); got != c.dumpFact {
				t.Errorf("dump %q, want %q", got, c.dumpFact)
			}
			if got := facts(itemOf(res, "pm2/api"), "dump."); got != c.differs {
				t.Errorf("got %q, want %q", got, c.differs)
			}
			if _, ok := itemOf(res, "pm2/daemon").Fact("dump.saved"); ok != (c.dump != "") {
				t.Errorf("saved: %v", ok)
			}
		})
	}
}

func text(it *snapshot.Item, fact string) string {
	v, _ := it.Fact(fact)
	return v.Str()
}

const unitText = `[Service]
User=@USER@
Environment=PATH=/opt/node/bin:/opt/none
Environment=PM2_HOME=@HOME@ "TOKEN=s3cret"
ExecStart=/opt/node/lib/node_modules/pm2/bin/pm2 resurrect
[Install]
WantedBy=multi-user.target
`

func TestBoot(t *testing.T) {
	const (
		running = "-- run/systemd/system/x --\n-- etc/systemd/system/x --\n-- etc/passwd --\nroot:x:0:0::/root:/bin/sh\nshop:x:9:9::@HOME@-user:/bin/sh\n-- etc/nsswitch.conf --\npasswd: files systemd\n"
		node    = "-- opt/node/bin/node --\n"
		program = "-- opt/node/lib/node_modules/pm2/bin/pm2 --\n"
		link    = "-- etc/systemd/system/multi-user.target.wants/pm2-shop.service --\n"
	)
	unit := func(text string) string {
		return "-- etc/systemd/system/pm2-shop.service --\n" + strings.ReplaceAll(text, "@USER@", "shop")
	}
	for _, c := range []struct{ title, system, want string }{
		{"no systemd", "-- etc/x --\n", ""},
		{"nothing", running, "boot=none"},
		{"a unit that is whole", running + node + program + link + unit(unitText), "boot=unit boot.unit=pm2-shop.service"},
		{"its program is gone", running + node + link + unit(unitText), "boot=unit boot.no-program=/opt/node/lib/node_modules/pm2/bin/pm2 boot.unit=pm2-shop.service"},
		{"node is gone", running + program + link + unit(unitText), "boot=unit boot.no-node=node boot.unit=pm2-shop.service"},
		{"it is not enabled", running + node + program + unit(unitText), "boot=unit boot.no-link=multi-user.target boot.unit=pm2-shop.service"},
		{"its user is nobody", running + node + program + link + unit(strings.Replace(unitText, "@USER@", "undefined", 1)), "boot=unit boot.no-user=undefined boot.unit=pm2-shop.service"},
		{"its user is gone", running + node + program + link + unit(strings.Replace(unitText, "@USER@", "bob", 1)), "boot=unit boot.no-user=bob boot.unit=pm2-shop.service"},
		{"its user is nobody, and users stand in a directory", strings.Replace(running, "files systemd", "files sss", 1) + node + program + link + unit(strings.Replace(unitText, "@USER@", "undefined", 1)), "boot=unit boot.no-user=undefined boot.unit=pm2-shop.service"},
		{"users stand in a directory", strings.Replace(running, "files systemd", "files sss", 1) + node + program + link + unit(strings.Replace(unitText, "@USER@", "bob", 1)), "boot=unit boot.unit=pm2-shop.service"},
		{"another home", running + node + program + link + unit(strings.Replace(unitText, "@HOME@", "/home/other/.pm2", 1)), "boot=none boot.elsewhere=/home/other/.pm2"},
		{"a drop-in leads to the home", running + node + program + link + unit(strings.Replace(unitText, "@HOME@", "/x", 1)) + "-- etc/systemd/system/pm2-shop.service.d/home.conf --\n[Service]\nEnvironment=PM2_HOME=@HOME@\n", "boot=unit boot.unit=pm2-shop.service"},
		{"settings that are not read", running + unit(unitText+"EnvironmentFile=/etc/pm2.env\n"), "boot=other"},
		{"made by hand", running + "-- etc/systemd/system/shop.service --\n[Service]\nExecStart=/usr/bin/pm2-runtime start\n", "boot=other"},
		{"a crontab", running + "-- etc/cron.d/shop --\n@reboot shop pm2 resurrect\n", "boot=other"},
		{"a unit of something else", running + "-- etc/systemd/system/ssh.service --\n[Service]\nExecStart=/usr/sbin/sshd\n", "boot=none"},
	} {
		t.Run(c.title, func(t *testing.T) {
			s, _ := onMachine(t, oneApp, c.system)
			res := collected(t, s)
			if got := facts(itemOf(res, "pm2/daemon"), "boot"); got != c.want {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
			if b, _ := json.Marshal(res); bytes.Contains(b, []byte("s3cret")) {
				t.Errorf("a secret in %s", b)
			}
		})
	}
}

func TestInstalled(t *testing.T) {
	const manifest = "-- opt/node/lib/node_modules/pm2/package.json --\n{\"name\":\"pm2\",\"version\":\"7.1.0\"}\n-- opt/node/lib/node_modules/pm2/bin/pm2 --\n"
	for _, c := range []struct{ title, system, exe, look, installed, program string }{
		{"beside its node", manifest, "/opt/node/bin/node", "", "installed=7.1.0", "ok"},
		{"on PATH", manifest, "/opt/other/bin/node", "/opt/node/lib/node_modules/pm2/bin/pm2", "installed=7.1.0 installed.on-path=true", "ok"},
		{"nowhere", "-- opt/node/bin/node --\n", "/opt/node/bin/node", "", "", "ok"},
		{"node was replaced", manifest + "-- opt/node/bin/node --\n", "/opt/node/bin/node (deleted)", "", "installed=7.1.0", "replaced"},
		{"node was deleted", manifest, "/opt/node/bin/node (deleted)", "", "installed=7.1.0", "deleted"},
		{"all of it was deleted", "-- opt/x --\n", "/opt/node/bin/node (deleted)", "/opt/new/bin/pm2", "installed=gone", "deleted"},
		{"not to be seen", manifest, "", "", "", ""},
		{"not PM2", "-- opt/node/lib/node_modules/pm2/package.json --\n{\"name\":\"x\",\"version\":\"1\"}\n", "/opt/node/bin/node", "", "", "ok"},
		{"no package", "-- opt/node/lib/node_modules/pm2/package.json --\n{\"name\":{\n", "/opt/node/bin/node", "", "", "ok"},
	} {
		t.Run(c.title, func(t *testing.T) {
			s, m := onMachine(t, oneApp, c.system)
			p := god(7, 1, s.Config.PM2Homes[0])
			m.procs, m.exe, m.look = []host.Process{p}, c.exe, c.look
			d := itemOf(collected(t, s), "pm2/daemon")
			if got := facts(d, "installed"); got != c.installed {
				t.Errorf("got %q, want %q", got, c.installed)
			}
			if got := text(d, "program"); got != c.program {
				t.Errorf("program %q, want %q", got, c.program)
			}
		})
	}
}

func TestExposed(t *testing.T) {
	for _, c := range []struct {
		title        string
		folder, file os.FileMode
		want         string
	}{
		{"as PM2 writes it", 0o755, 0o644, "readable=dump.pm2"},
		{"a closed folder", 0o700, 0o644, ""},
		{"a closed file", 0o755, 0o600, ""},
	} {
		t.Run(c.title, func(t *testing.T) {
			parent, err := os.MkdirTemp("/tmp", "e")
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { os.RemoveAll(parent) })
			home := filepath.Join(parent, "home")
			collecttest.WriteFile(t, home, "dump.pm2", []byte(`[{"name":"api"}]`))
			collecttest.WriteFile(t, home, "module_conf.json", []byte(`{}`))
			if err := errors.Join(os.Chmod(parent, 0o755), os.Chmod(home, c.folder), os.Chmod(filepath.Join(home, "dump.pm2"), c.file)); err != nil {
				t.Fatal(err)
			}
			s := collecttest.Session(t, t.TempDir())
			s.Config.PM2Homes = []string{home}
			if got := facts(itemOf(collected(t, s), "pm2/daemon"), "readable"); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestRotated(t *testing.T) {
	got := rotated("# /x {\n/home/a/.pm2/pm2.log /home/a/.pm2/logs/*.log {\n  rotate 12\n  postrotate\n    /usr/bin/x\n  endscript\n}\n\"/var/log/b\"\n{\n weekly\n}\ninclude /etc/x.d\n")
	if want := []string{"/home/a/.pm2/pm2.log", "/home/a/.pm2/logs/*.log", "/var/log/b", "/etc/x.d"}; !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}

// logging is a session of a daemon with one app that writes logs into its home.
func logging(t *testing.T, status, module, system string) (*collect.Session, *machine) {
	t.Helper()
	var logs string
	list := func() string {
		return fmt.Sprintf(`{"name":"api","pm_id":0,"pid":0,"pm2_env":{"status":%q,"pm_out_log_path":"%s/api-out.log","pm_err_log_path":"%s/api-error.log","pm_log_path":"%s/api.log","restart_time":9,"created_at":1,"pm_uptime":1,"env":{}}}%s`, status, logs, logs, logs, module)
	}
	s := serve(t, answer(func(method, id string) []byte {
		if method == "getVersion" {
			return reply(id, `{"args":["7.0.4"]}`)
		}
		return reply(id, `{"args":[[`+list()+`]]}`)
	}))
	logs = filepath.Join(s.Config.PM2Homes[0], "logs")
	m := &machine{Host: s.Host, system: t.TempDir(), now: collecttest.Now}
	collecttest.Write(t, m.system, strings.ReplaceAll(system, "@HOME@", s.Config.PM2Homes[0]))
	s.Host = m
	collecttest.Write(t, s.Config.PM2Homes[0], "-- logs/api-out.log --\n0123456789\n-- logs/api-error.log --\n-- logs/api.log --\n01234\n")
	return s, m
}

func TestLogs_rotation(t *testing.T) {
	const module = `,{"name":"pm2-logrotate","pm_id":1,"pid":0,"pm2_env":{"status":"%s","pmx_module":true,"env":{}}}`
	for _, c := range []struct{ title, module, system, want string }{
		{"nothing rotates", "", "-- etc/x --\n", "log.unrotated=true"},
		{"the module", fmt.Sprintf(module, "online"), "-- etc/x --\n", ""},
		{"the module is stopped", fmt.Sprintf(module, "stopped"), "-- etc/x --\n", "log.unrotated=true"},
		{"logrotate", "", "-- etc/logrotate.d/pm2-shop --\n@HOME@/pm2.log @HOME@/logs/*.log {\n weekly\n}\n", ""},
		{"logrotate of other logs", "", "-- etc/logrotate.d/nginx --\n/var/log/nginx/*.log {\n}\n", "log.unrotated=true"},
		{"a rule that cannot be read", "", "-- etc/logrotate.d/pm2/x --\n", ""},
	} {
		t.Run(c.title, func(t *testing.T) {
			s, _ := logging(t, "stopped", c.module, c.system)
			api := itemOf(collected(t, s), "pm2/api")
			if got := facts(api, "log."); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
			if m, ok := api.Metric("log.out"); !ok || m.Value != 11 || m.Incarnation == "" {
				t.Errorf("size %+v", m)
			}
			if m, ok := api.Metric("log.all"); !ok || m.Value != 6 || m.Incarnation == "" {
				t.Errorf("size of both %+v", m)
			}
		})
	}
}

func TestLogs_growth(t *testing.T) {
	s, m := logging(t, "stopped", "", "")
	out := filepath.Join(s.Config.PM2Homes[0], "logs", "api-out.log")
	var last collect.Result
	s.Cursors = func(_ snapshot.System, name string) json.RawMessage { return last.Cursors[name] }
	for _, c := range []struct {
		title string
		after time.Duration
		write int // size of the log
		want  string
	}{
		{"a first look", 0, 1000, ""},
		{"too soon to tell", 10 * time.Minute, 5000, ""},
		{"two hours after the first", 110 * time.Minute, 21000, "10000"},
		{"too soon for another measure", time.Minute, 90000, "10000"},
		{"truncated", 59 * time.Minute, 6000, "6000"},
	} {
		if err := os.WriteFile(out, bytes.Repeat([]byte("x"), c.write), 0o644); err != nil {
			t.Fatal(err)
		}
		m.now = m.now.Add(c.after)
		last = collected(t, s)
		got := ""
		if m, ok := itemOf(last, "pm2/daemon").Metric("logs.growth"); ok {
			got = strconv.FormatFloat(m.Value, 'f', 0, 64)
		}
		if got != c.want {
			t.Errorf("%s: %s bytes per hour, want %s", c.title, got, c.want)
		}
	}
	if m, ok := itemOf(last, "pm2/daemon").Metric("disk.free"); !ok || m.Value <= 0 {
		t.Errorf("free %+v", m)
	}
}

func TestPortTaken(t *testing.T) {
	const said = "Error: listen EADDRINUSE: address already in use :::3000\n    at Server (node:net:1908:16)\n s3cret\n"
	for _, c := range []struct{ title, status, log, want string }{
		{"given up", "errored", said, "port.taken=3000"},
		{"waiting", "waiting restart", said, "port.taken=3000"},
		{"stopped", "stopped", said, ""},
		{"something else", "errored", "Error: s3cret\n", ""},
		{"no port", "errored", "EADDRINUSE /tmp/x.sock\n:::3000\n", ""},
		{"no such port", "errored", "EADDRINUSE :::99999\n", ""},
	} {
		t.Run(c.title, func(t *testing.T) {
			s, _ := logging(t, c.status, "", "")
			collecttest.WriteFile(t, s.Config.PM2Homes[0], "logs/api-error.log", []byte(c.log))
			res := collected(t, s)
			if got := facts(itemOf(res, "pm2/api"), "port."); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
			if b, _ := json.Marshal(res); bytes.Contains(b, []byte("s3cret")) {
				t.Errorf("a line of the log in %s", b)
			}
		})
	}
	t.Run("said before the last start", func(t *testing.T) {
		s, _ := logging(t, "errored", "", "")
		collecttest.WriteFile(t, s.Config.PM2Homes[0], "logs/api-error.log", []byte(said))
		if err := os.Chtimes(filepath.Join(s.Config.PM2Homes[0], "logs/api-error.log"), time.Time{}, time.UnixMilli(0)); err != nil {
			t.Fatal(err)
		}
		if got := facts(itemOf(collected(t, s), "pm2/api"), "port."); got != "" {
			t.Errorf("got %q", got)
		}
	})
}

// What is read beside the daemon may be anything; the audit goes on.
func TestSurround_hostile(t *testing.T) {
	s, _ := logging(t, "errored", "", "-- run/systemd/system/x --\n-- etc/systemd/system/pm2-x.service/y --\n")
	home := s.Config.PM2Homes[0]
	if err := errors.Join(os.Mkdir(filepath.Join(home, "pm2.log"), 0o755), os.Remove(filepath.Join(home, "logs/api-error.log")), os.Symlink("/dev/zero", filepath.Join(home, "logs/api-error.log"))); err != nil {
		t.Fatal(err)
	}
	s.Cursors = func(_ snapshot.System, name string) json.RawMessage {
		return json.RawMessage(`{"` + home + `":{"m":7}}`)
	}
	res := collected(t, s)
	d := itemOf(res, "pm2/daemon")
	if text(d, "log") != "unread" || text(d, "boot") != "" || d.State != alive {
		t.Errorf("%+v", d)
	}
	if _, ok := itemOf(res, "pm2/api").Metric("log.err"); ok {
		t.Error("a device has a size")
	}
}

// The title of a process is read where its name, or the pid file, says that it may
// be a daemon; of every process only where no daemon is seen.
func TestDaemon_found(t *testing.T) {
	for _, c := range []struct {
		title, pidFile, name string
		reads                []string // of titles
	}{
		{"by its name", "", "PM2 v7.0.4: God", []string{"7"}},
		{"by its pid file", "7\n", "node", []string{"7"}},
		{"by its program", "9\n", "node-22", []string{"7 9"}},
		{"by its title alone", "9\n", "runtime", []string{"9", "7 8 9"}},
	} {
		t.Run(c.title, func(t *testing.T) {
			s, m := onMachine(t, strings.Replace(oneApp, `"autorestart":true`, `"autorestart":false`, 1), "") // or it is looked at twice
			home := s.Config.PM2Homes[0]
			collecttest.WriteFile(t, home, "pm2.pid", []byte(c.pidFile))
			m.procs, m.names = []host.Process{god(7, 1, home), {PID: 8, Title: "sh"}, {PID: 9, Title: "sh"}}, map[int]string{7: c.name, 8: "PM", 9: "sh"}
			h := &titles{machine: m}
			s.Host = h
			d := itemOf(collected(t, s), "pm2/daemon")
			if text(d, "pid") != "7" || d.State != alive {
				t.Errorf("daemon %s, %s", text(d, "pid"), d.State)
			}
			if !slices.Equal(h.reads, c.reads) {
				t.Errorf("titles read of %q, want %q", h.reads, c.reads)
			}
		})
	}
}

// One daemon that is found does not hide another that has its title alone. Of the
// apps, which run JavaScript too, no title is read.
func TestDaemon_two(t *testing.T) {
	for _, c := range []struct {
		first, second string // names
		state         string
	}{
		{"PM2 v7.0.4: God", "node", twoDaemons},
		{"node", "MainThread", twoDaemons},
		{"bun", "PM2 v7.0.4: God", twoDaemons},
		{"PM2 v7.0.4: God", "runtime", alive}, // given up
	} {
		t.Run(c.first+" and "+c.second, func(t *testing.T) {
			s, m := onMachine(t, `{"name":"api","pm_id":0,"pid":8,"pm2_env":{"status":"online","env":{}}}`, "")
			home := s.Config.PM2Homes[0]
			collecttest.WriteFile(t, home, "pm2.pid", []byte("7\n"))
			m.procs = []host.Process{god(7, 1, home), {PID: 8, PPID: 7, Title: "node app.js"}, god(9, 1, home)}
			m.names = map[int]string{7: c.first, 8: "node", 9: c.second}
			h := &titles{machine: m}
			s.Host = h
			if d := itemOf(collected(t, s), "pm2/daemon"); d.State != c.state {
				t.Errorf("%s, want %s", d.State, c.state)
			}
			for _, pids := range h.reads {
				if strings.Contains(pids, "8") {
					t.Errorf("titles read of %q: 8 is an app", pids)
				}
			}
		})
	}
}

// titles notes of which processes the titles are read.
type titles struct {
	*machine
	reads []string
}

func (n *titles) Processes(titled func(int, string) bool) ([]host.Process, error) {
	var pids []string
	list, err := n.machine.Processes(func(pid int, name string) bool {
		yes := titled(pid, name)
		if yes {
			pids = append(pids, strconv.Itoa(pid))
		}
		return yes
	})
	n.reads = append(n.reads, strings.Join(pids, " "))
	return list, err
}
