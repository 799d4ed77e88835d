//go:build unix

package pm2_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"healthaudit/audit"
	checks "healthaudit/audit/check/pm2"
	"healthaudit/snapshot"
	"healthaudit/snapshot/collect"
	"healthaudit/snapshot/collect/collecttest"
	"healthaudit/snapshot/collect/pm2"
	"healthaudit/snapshot/collect/pm2/pm2test"
	"healthaudit/snapshot/host"
)

// A real is a real PM2 in a home of its own, with a project.
type real struct {
	*pm2test.Real
	t          *testing.T
	home, tree string
}

func newReal(t *testing.T) *real {
	t.Helper()
	r := pm2test.New(t)
	r.Env = []string{"SHELL_VARIABLE=of the shell", "username=of the shell"}
	return &real{Real: r, t: t, home: r.Home, tree: r.Tree}
}

func (r *real) pm2(args ...string) {
	r.t.Helper()
	r.Run(args...)
}

// look audits the project once.
func (r *real) look() *snapshot.Snapshot {
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
	r.t.Cleanup(func() { h.Close() })
	s.Host, s.Files = h, &collect.Capture{Host: h}
	return collecttest.Snapshot(r.t, s, pm2.Collector)
}

func (r *real) findings(c *audit.Check) (out []string, found []audit.Finding) {
	r.t.Helper()
	found = audit.Judge([]*audit.Check{c}, &audit.World{Now: r.look(), Before: snapshot.Nothing}).Findings
	for _, f := range found {
		s := string(f.Item)
		for _, e := range f.Evidence {
			s += " [" + e.Name + ": " + e.Value + "]"
		}
		out = append(out, s)
	}
	slices.Sort(out)
	return out, found
}

func (r *real) write(name, text string) {
	collecttest.WriteFile(r.t, r.tree, name, []byte(text))
}

const idle = `setInterval(() => {}, 1000)`

// startable are apps that a real PM2 starts, one of each way to declare a thing.
var startable = map[string][]string{
	"ecosystem.config.js": {
		`{ name: 'j1', script: 'idle.js' }`,
		`{ name: 'j2', script: './idle.js', args: '--port 3000 --name "a b" -v', node_args: ['--trace-warnings'] }`,
		`{ name: 'j3', script: path.join(__dirname, 'idle.js'), cwd: __dirname, args: ['--dir', __dirname, '--conf=' + path.join(__dirname, 'x.json'), 5] }`,
		`{ name: 'j4', script: 'idle.js', max_memory_restart: '200M', min_uptime: '10s', restart_delay: '300', kill_timeout: 3000, listen_timeout: 8000 }`,
		`{ name: 'j5', script: 'idle.js', maxMemoryRestart: '1G', minUptime: '2m', restartDelay: 0, max_restarts: 0, merge_logs: false }`,
		`{ name: 'j6', script: 'idle.js', instances: 2, exec_mode: 'cluster', increment_var: 'PORT', env: { PORT: 4000 } }`,
		`{ name: 'j7', script: 'idle.js', instances: '2', exec_mode: 'fork', instance_var: 'N', env: { N: 'x' } }`,
		`{ name: 'j8', script: 'idle.js', instances: 1 }`,
		`{ name: 'j9', script: 'idle.js', instances: 'max', exec_mode: 'cluster_mode' }`,
		`{ name: 'j10', script: 'idle.js', autorestart: false, watch: ['src'], ignore_watch: 'node_modules x', treekill: false }`,
		`{ name: 'j11', script: 'idle.js', cron_restart: '0 3 * * *', stop_exit_codes: [0, 3], log_date_format: 'YYYY' }`,
		`{ name: 'j12', script: 'idle.js', cron: '0 4 * * *', stop_exit_codes: [0], time: true, exp_backoff_restart_delay: 100 }`,
		`{ name: 'j13', script: 'idle.js', env: { A: '1', B: 2, C: true, D: null, E: { z: 1, a: [1, '<&>'] }, F: 1.5e300, G: '', H: __dirname, I: 'x:' + __dirname + ':y', J: undefined, username: 'me', PATH_X: 'a/b' }, env_production: { A: 'p' } }`,
		`{ name: 'j14', script: 'idle.js', env: { U: process.env.SHELL_VARIABLE, V: process.env.NONE || 'none', W: '' + os.cpus().length, NODE_ENV: process.env.NODE_ENV || 'development' }, instances: Math.max(1, os.cpus().length - 1) }`,
		`{ name: 'j15', script: 'idle.js', port: 8080, env: { PORT: 1 } }`,
	},
	"deploy/pm2.yml": {
		`{name: y1, script: sleep.sh, args: [a, b c]}`,
		`{name: y2, script: sleep.sh, interpreter: bash, env: {YES: yes, N: 010, L: 1_000}}`,
		`{name: y3, script: bash sleep.sh --key secret}`,
		`{name: y4, script: bash, args: "sleep.sh x 'y z'"}`,
		`{name: y5, script: bash, args: ['-c', 'while :; do sleep 1; done'], interpreter: none}`,
		`{name: y6, cmd: idle.js, namespace: night, vizion: false, automation: false}`,
	},
	"process.json": {
		`{"script": "idle.js", "name": "p1", "watch": false, "env": {"A": {"b": 1, "a": 2}}}`,
		`{"name": "p2", "exec": "idle.js", "interpreter": "node", "wait_ready": false}`,
		`{"name": "p3", "script": "serve", "env": {"PM2_SERVE_PORT": 0}}`,
	},
}

// What PM2 has just started from a file runs as the file says.
func TestRealPM2_noDrift(t *testing.T) {
	r := newReal(t)
	r.write("idle.js", idle)
	r.write("sleep.sh*", "#!/bin/bash\nwhile :; do sleep 1; done\n")
	want := 0
	for file, apps := range startable {
		text := "apps:\n"
		for _, a := range apps {
			text += "  - " + a + "\n"
		}
		if !strings.HasSuffix(file, ".yml") {
			text = "{\"apps\": [\n" + strings.Join(apps, ",\n") + "\n]}"
		}
		if strings.HasSuffix(file, ".js") {
			text = "const path = require('path'), os = require('os')\nmodule.exports = " + text
		}
		r.write(file, text)
		want += len(apps)
	}
	running := func(title string) {
		t.Helper()
		var apps []string
		for _, it := range r.look().Items {
			if v, ok := it.Fact("processes"); ok && it.Kind == "app" {
				apps = append(apps, it.Name+" "+v.Str())
			}
		}
		if len(apps) != want {
			t.Errorf("%s: %d of %d apps run: %s", title, len(apps), want, apps)
		}
		if got, _ := r.findings(checks.ConfigDrift); len(got) > 0 {
			t.Errorf("%s:\n%s", title, strings.Join(got, "\n"))
		}
	}
	for file := range startable {
		r.pm2("start", file)
	}
	running("started")
	for file := range startable {
		r.pm2("restart", file)
	}
	running("restarted by file")
	r.pm2("reload", "ecosystem.config.js", "--env", "production")
	running("reloaded with --env")
	r.pm2("save")
	r.pm2("kill")
	r.pm2("resurrect")
	running("resurrected")
}

// Each change of a file is found, by name, and mended by what the hint says.
func TestRealPM2_drift(t *testing.T) {
	r := newReal(t)
	r.write("idle.js", idle)
	r.write("other.js", idle)
	const before = `script: 'idle.js', args: '--port 1', max_memory_restart: '200M', env: { A: '1', B: '2' }, env_staging: { A: '3' }`
	file := func(apps []string) {
		text := "module.exports = { apps: [\n"
		for i, a := range apps {
			text += fmt.Sprintf("{ name: 'c%02d', %s },\n", i, a)
		}
		r.write("ecosystem.config.js", text+"] }\n")
	}
	cases := []struct{ title, app, want string }{
		{"arguments", strings.Replace(before, "--port 1", "--port 2", 1), "[args: the file says --port, 2, the process runs with --port, 1]"},
		{"a secret argument", strings.Replace(before, "--port 1", "--port 1 --token=s3cret", 1), "[args: the file says --port, 1, --token=***, the process runs with --port, 1]"},
		{"memory", strings.Replace(before, "200M", "1G", 1), "[max_memory_restart: the file says 1024 MB, the process runs with 200 MB]"},
		{"a variable", strings.Replace(before, "B: '2'", "B: 's3cret'", 1), "[env B: the file says another value than the process runs with]"},
		{"a new variable", strings.Replace(before, "B: '2'", "B: '2', NEW: 's3cret'", 1), "[env NEW: the file sets it, the process does not have it]"},
		{"as with --env", strings.Replace(before, "A: '1'", "A: '3'", 1), "[env A: the file says another value than the process runs with]"},
		{"several", strings.Replace(before, "args: '--port 1'", "autorestart: false, cron_restart: '0 4 * * *', kill_timeout: 5000, watch: ['src']", 1),
			"[args: the file says nothing, the process runs with --port, 1] [cron_restart: the file says 0 4 * * *, the process runs with nothing] [autorestart: the file says false, the process runs with true] [watch: the file says src, the process runs with nothing] [kill_timeout: the file says 5000, the process runs with nothing]"},
		{"another script", strings.Replace(before, "idle.js", "other.js", 1), "[script: the file says other.js, the process runs with idle.js]"},
		{"a cluster", before + ", instances: 2", "[exec_mode: the file says cluster, the process runs with fork]"},
		{"node arguments", before + ", node_args: '--trace-warnings'", "[node_args: the file says --trace-warnings, the process runs with nothing]"},
		{"no limit any more", strings.Replace(before, "max_memory_restart: '200M', ", "", 1), "[max_memory_restart: the file says nothing, the process runs with 200 MB]"},
		{"a command", strings.Replace(before, "'idle.js'", "'node idle.js'", 1), "[script: the file says a command line, the process runs with idle.js]"},
		{"nothing", before, ""},
	}
	var old, now []string
	for _, c := range cases {
		old, now = append(old, before), append(now, c.app)
	}
	file(old)
	r.pm2("start", "ecosystem.config.js")
	if got, _ := r.findings(checks.ConfigDrift); len(got) > 0 {
		t.Fatalf("before: %s", got)
	}
	file(now)
	got, found := r.findings(checks.ConfigDrift)
	for i, c := range cases {
		want := ""
		if c.want != "" {
			want = fmt.Sprintf("pm2/c%02d %s", i, c.want)
		}
		if j := slices.IndexFunc(got, func(s string) bool { return strings.HasPrefix(s, fmt.Sprintf("pm2/c%02d ", i)) }); want != "" && (j < 0 || got[j] != want) || want == "" && j >= 0 {
			t.Errorf("%s: got  %q\nwant %q", c.title, got, want)
		}
	}
	for _, f := range found {
		if strings.Contains(f.Message+f.Hint, "s3cret") {
			t.Errorf("a secret: %+v", f)
		}
		for _, command := range strings.Split(f.Hint, "`") {
			if args, ok := strings.CutPrefix(command, "pm2 "); ok && args != "save" {
				r.pm2(strings.Fields(args)...)
			}
		}
	}
	if got, _ := r.findings(checks.ConfigDrift); len(got) > 0 {
		t.Errorf("after all hints: %s", got)
	}
	file([]string{before})
	r.pm2("delete", "all")
	r.pm2("start", "ecosystem.config.js", "--env", "staging")
	if got, _ := r.findings(checks.ConfigDrift); len(got) > 0 {
		t.Errorf("explained by --env: %s", got)
	}
}

// What is deleted under a running app is found before its next restart, and what
// runs undeclared before the next reboot.
func TestRealPM2_gone(t *testing.T) {
	r := newReal(t)
	for _, name := range []string{"api.js", "sub/here.js", "old.js", "worker.js", "kept.js"} {
		r.write(name, idle)
	}
	r.write("tools/runner*", "#!/bin/bash\nwhile :; do sleep 1; done\n")
	r.write("run.me", "")
	r.write("ecosystem.config.js", `module.exports = { apps: [
		{ name: 'api', script: 'api.js' },
		{ name: 'here', script: __dirname + '/kept.js', cwd: 'sub' },
		{ name: 'tool', script: 'run.me', interpreter: __dirname + '/tools/runner' },
		{ name: 'well', script: 'kept.js' },
	] }`)
	r.pm2("start", "ecosystem.config.js")
	r.pm2("start", "old.js")
	r.pm2("save")
	r.pm2("start", "worker.js", "--name", "worker")
	if got, _ := r.findings(checks.ScriptMissing); len(got) > 0 {
		t.Errorf("all is there: %s", got)
	}
	if got, _ := r.findings(checks.Undeclared); strings.Join(got, " ") != "pm2/worker" {
		t.Errorf("undeclared: %s", got)
	}
	for _, name := range []string{"api.js", "sub", "tools", "old.js"} {
		if err := os.RemoveAll(filepath.Join(r.tree, name)); err != nil {
			t.Fatal(err)
		}
	}
	_, found := r.findings(checks.ScriptMissing)
	var got []string
	for _, f := range found {
		got = append(got, fmt.Sprintf("%s %s %s", f.Severity, f.Item, f.Message))
	}
	slices.Sort(got)
	want := []string{
		"high pm2/file:ecosystem.config.js api is to start api.js, which is not there; it still runs, and dies at its next restart.",
		"high pm2/here the working folder of here is gone (sub); it still runs, and dies at its next restart.",
		"high pm2/old the script of old is gone (old.js); it still runs, and dies at its next restart.",
		"high pm2/tool the interpreter of tool is gone (" + filepath.Join(r.tree, "tools/runner") + "); it still runs, and dies at its next restart.",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}
