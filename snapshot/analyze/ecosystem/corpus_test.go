package ecosystem

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"healthaudit/snapshot"
)

// An oracleCase is one process file that both PM2 and we read.
type oracleCase struct {
	path  string
	src   string
	files string // txtar of what stands beside it
	// Why ours is another answer, on principle; empty: it must be the same.
	differs string
}

// bodies are apps as JSON, which is also JavaScript and YAML.
var bodies = []string{
	`{"name": "api", "script": "api.js"}`,
	`{"script": "lib/server.prod.js", "namespace": "shop", "cwd": "lib"}`,
	`{"name": "w", "script": "w.js", "args": "--port 3000 --name 'a b' -v \"c d\"", "node_args": ["--inspect", "--max-old-space-size=200"]}`,
	`{"name": "w", "script": "w.js", "args": ["--port", 3000, "x y"], "interpreterArgs": "--inspect --trace-warnings"}`,
	`{"name": "u", "script": "u.js", "max_memory_restart": "200M", "min_uptime": "10s", "restart_delay": "300", "kill_timeout": 3000, "listen_timeout": 8000}`,
	`{"name": "u", "script": "u.js", "maxMemoryRestart": "1G", "minUptime": "2m", "restartDelay": 0, "killTimeout": "5000", "max_restarts": 0}`,
	`{"name": "u", "script": "u.js", "max_memory_restart": "512K", "min_uptime": 100, "exp_backoff_restart_delay": 100, "merge_logs": false, "combine_logs": true}`,
	`{"name": "c", "script": "c.js", "instances": "max", "exec_mode": "cluster", "wait_ready": true, "increment_var": "PORT", "instance_var": "N"}`,
	`{"name": "c", "script": "c.js", "instances": "2", "execMode": "fork"}`,
	`{"name": "c", "script": "c.js", "instances": -1, "exec_mode": "cluster_mode", "instances ": 5, "unknown_key": {"a": 1}}`,
	`{"name": "l", "script": "l.js", "out": "o1.log", "output": "o2.log", "out_log": "o3.log", "err": "e1.log", "err_log": "e2.log", "log": "all.log", "time": true}`,
	`{"name": "b", "script": "b.js", "autorestart": false, "autostart": false, "watch": ["src", "lib"], "ignore_watch": "node_modules 'a b'", "treekill": false, "vizion": false}`,
	`{"name": "b", "script": "b.js", "cron_restart": "0 3 * * *", "stop_exit_codes": [0, 3], "log_date_format": "YYYY", "log_type": "json", "disable_logs": true}`,
	`{"name": "b", "script": "b.js", "cron": "*/5 * * * * *", "stop_exit_codes": [0], "watch": "src", "automation": false, "force": true}`,
	`{"name": "e", "script": "e.js", "env": {"A": "1", "B": 2, "C": true, "D": null, "E": {"z": 1, "a": [1, "<&>"]}}, "env_production": {"A": "p"}, "env_": {}, "envX": {"A": 1}}`,
	`{"name": "n", "cmd": "n.js"}`,
	`{"command": "python3 x.py --ok", "name": "py"}`,
	`{"script": "node srv.js --port 1"}`,
	`{"name": "x", "exec": "x.js", "interpreter": "python3"}`,
	`{"script": "npm", "name": "web", "args": "run start -- --host 0.0.0.0"}`,
	`{"script": "./dist/.hidden"}`,
	`{"script": "a.b/c.tar.gz/", "append_env_to_name": true, "name_prefix": "p"}`,
	`{"name": "false things", "script": "f.js", "cron_restart": 0, "max_restarts": 0, "wait_ready": false, "watch": false, "env": false, "args": "", "namespace": "", "cwd": ""}`,
	`{"name": "number texts", "script": "f.js", "instances": "two", "port": "3000", "watch_delay": "1e3", "kill_retry_time": "0x10"}`,
	`{"name": "serve", "script": "serve", "env": {"PM2_SERVE_PATH": "."}}`,
	`{"name": "execute", "script": "f.js", "execute_command": true, "shutdown_with_message": true, "source_map_support": false}`,
	// Refused.
	`{"exec": "x.js"}`,
	`{"name": "x"}`,
	`{"args": "x"}`,
	`{"name": 5, "script": "a.js"}`,
	`{"name": "x", "script": 5}`,
	`{"name": "x", "script": ["a.js"]}`,
	`{"name": "x", "script": "a.js", "exec_mode": 1}`,
	`{"name": "x", "script": "a.js", "exec_mode": "clustered"}`,
	`{"name": "x", "script": "a.js", "min_uptime": 10}`,
	`{"name": "x", "script": "a.js", "min_uptime": "5"}`,
	`{"name": "x", "script": "a.js", "max_memory_restart": "200MB"}`,
	`{"name": "x", "script": "a.js", "max_memory_restart": "1.5G"}`,
	`{"name": "x", "script": "a.js", "autorestart": "false"}`,
	`{"name": "x", "script": "a.js", "autorestart": 0}`,
	`{"name": "x", "script": "a.js", "watch": {"a": 1}}`,
	`{"name": "x", "script": "a.js", "max_restarts": -1}`,
	`{"name": "x", "script": "a.js", "restart_delay": "1s"}`,
	`{"name": "x", "script": "a.js", "cron_restart": "61 * * * *"}`,
	`{"name": "x", "script": "a.js", "env": ["A=1"]}`,
	`{"name": "x", "script": "a.js", "env_production": null}`,
	`{"name": "x", "script": "a.js", "env_production": 1}`,
	`{"name": "x", "script": "a.js", "vizion": "yes"}`,
	`{"name": "x", "script": "a.js", "post_update": "npm i"}`,
	`{"name": "x", "script": "a.js", "watch_options": true}`,
	`{"name": "x", "script": "a.js", "time": "yes"}`,
	`{"name": "x", "script": "a.js", "args": {"a": 1}}`,
	`{"name": "x", "script": "a.js", "namespace": 7}`,
	`{"name": "x", "script": "a.js", "stop_exit_codes": "none"}`,
	`{"name": "x", "script": "a.js", "io": "s3cret"}`,
	`null`,
	`"a.js"`,
}

// forms are the files that a body can stand in.
var forms = []struct{ path, text string }{
	{"pm2.json", `{"apps": [BODY]}`},
	{"process.json", `BODY`},
	{"ecosystem.json5", "{ // two\n apps: [BODY, {name: 'other', script: 'o' + '.js'},],}"},
	{"api-pm2.json.bak", `[BODY]`},
	{"pm2.yaml", "apps:\n  - BODY\n"},
	{"process.yml", "BODY\n"},
	{"ecosystem.config.js", "module.exports = {apps: [BODY]};\n"},
	{"ecosystem.config.cjs", "exports.apps = BODY"},
	{"ecosystem.config.mjs", "export const apps = [BODY];"},
	{"package.json", `{"name": "shop", "version": "1.0.0", "pm2": [BODY]}`},
}

// special are files that are more than a form with a body.
var special = []oracleCase{
	{path: "ecosystem.config.js", src: "export const apps = [{name: 'api', script: 'a.js'}]"},
	{path: "ecosystem.config.js", src: "module.exports = {apps: [{script: 'a.js'}]}", files: "-- package.json --\n{\"type\": \"module\"}\n"},
	{path: "ecosystem.config.js", src: "export const apps = [{script: 'a.js'}]", files: "-- package.json --\n{\"type\": \"module\"}\n"},
	{path: "ecosystem.config.cjs", src: "module.exports = {apps: [{script: 'a.js'}]}", files: "-- package.json --\n{\"type\": \"module\"}\n"},
	{path: "ecosystem.config.mjs", src: "export default {apps: [{name: 'a', script: 'a.js'}]}"},
	{path: "ecosystem.config.mjs", src: "const c = {apps: [{script: 'a.js'}]}\nexport {c as 'module.exports'}"},
	{path: "ecosystem.config.mjs", src: "import path from 'node:path'\nimport {base} from './base.mjs'\nexport const apps = [{...base, script: path.join('x', 'a.js')}]", files: "-- base.mjs --\nexport const base = {name: 'b'}\n"},
	{path: "ecosystem.config.mjs", src: "const x = await Promise.resolve(1)\nexport const apps = [{script: 'a.js'}]"},
	{path: "ecosystem.config.js", src: "module.exports = () => ({apps: [{script: 'a.js'}]})"},
	{path: "ecosystem.config.js", src: "module.exports = Promise.resolve({apps: [{script: 'a.js'}]})"},
	{path: "ecosystem.config.js", src: "module.exports = (async () => ({apps: []}))()"},
	{path: "ecosystem.config.js", src: "class App { constructor(n) { this.name = n; this.script = n + '.js' } }\nmodule.exports = {apps: ['a', 'b'].map((n) => new App(n))}"},
	{path: "ecosystem.config.js", src: "const base = require('./base'); const j = require('./package.json')\nmodule.exports = {apps: [{...base, name: j.name}]}", files: "-- base.js --\nmodule.exports = {script: require('./deep/x.js')}\n-- deep/x.js --\nmodule.exports = 'x.js'\n-- package.json --\n{\"name\": \"shop\"}\n"},
	{path: "ecosystem.config.js", src: "let base = {script: 'a.js'}\ntry { base = require('./gone') } catch (e) { base.name = e.code }\nmodule.exports = base"},
	{path: "ecosystem.config.js", src: "require('./gone'); module.exports = {apps: []}"},
	{path: "ecosystem.config.js", src: "module.exports = {apps: [{name: 'a', script: 'a.js', env: {M: process.env.NODE_ENV, U: process.env.NO_SUCH_THING, D: process.env.NO_SUCH_THING || 'none'}}]}"},
	{path: "ecosystem.config.js", src: "module.exports = {apps: [{name: process.env.NODE_ENV === 'production' ? 'p' : 'd', script: 'a.js', instances: require('os').cpus().length - 1}]}"},
	{path: "ecosystem.config.js", src: "const path = require('path')\nmodule.exports = {apps: [{script: path.join(__dirname, 'srv', 'a.js'), cwd: path.resolve(__dirname, 'srv'), out_file: path.join(__dirname, 'logs/o.log'), args: ['--dir', __dirname]}]}"},
	{path: "ecosystem.config.js", src: "module.exports = {apps: [{name: 'a', script: `${__dirname}/a.js`, error_file: '/dev/null', env: {ROOT: 'x'}}]}"},
	{path: "ecosystem.config.js", src: "const apps = []\nfor (let i = 0; i < 3; i++) apps.push({name: `w${i}`, script: 'w.js', env: {PORT: 3000 + i}})\nmodule.exports = {apps, deploy: {production: {user: 'x', host: ['h'], env: {A: 1}}}}"},
	{path: "ecosystem.config.js", src: "module.exports = {static: [{port: 8080, path: './www'}, {name: 'docs', port: 8081, path: '.', basic_auth: {username: 'u', password: 's3cret'}}], apps: [{script: 'a.js'}]}"},
	{path: "ecosystem.json", src: `{"apps": [], "static": [{"port": 9000, "path": "."}]}`},
	{path: "pm2.yml", src: "apps: []\nstatic:\n  - {port: 9000, path: .}\n"},
	{path: "ecosystem.json", src: `{"apps": []}`},
	{path: "ecosystem.json", src: `[]`},
	{path: "ecosystem.json", src: `{"pm2": {"name": "a", "script": "a.js"}}`},
	{path: "ecosystem.json", src: `{"apps": {"name": "a", "script": "a.js"}, "pm2": [{"script": "b.js"}]}`},
	{path: "ecosystem.json", src: `{"apps": {"api": {"script": "a.js"}}}`},
	{path: "ecosystem.json", src: `{"apps": "a.js"}`},
	{path: "ecosystem.json", src: `{"apps": [{"script": "a.js"}]} // the end`},
	{path: "ecosystem.json", src: "{\"apps\": [{\"script\": \"a.js\"}]} // the end\n"},
	{path: "ecosystem.json", src: `{"apps": [{"script": "a.js"}]};`},
	{path: "ecosystem.json", src: "\ufeff{\"apps\": [{\"script\": \"a.js\"}]}"},
	{path: "ecosystem.json", src: "{'apps': [{script: 'a' + (1 + 1) + '.js', args: ['x'].concat('y')}]}"},
	{path: "ecosystem.json", src: `{"apps": [{"script": "a.js", "instances": require("os").cpus().length}]}`},
	{path: "ecosystem.json", src: `{"apps": [{"script": "a.js", "name": typeof module + typeof process + typeof require}]}`},
	{path: "ecosystem.json", src: ""},
	{path: "ecosystem.json", src: "# no JSON\n"},
	{path: "ecosystem.json", src: `{"apps": [{"script": "a.js"}]`},
	{path: "ecosystem.json", src: `{"apps": [{"script": "a.js", "script": "b.js", "name": "\u0061"}]}`},
	{path: "ecosystem.json", src: `{"apps": [{"script": "a.js", "__proto__": {"name": "inherited"}}]}`},
	{path: "pm2.yml", src: "defaults: &d\n  script: a.js\n  max_restarts: 5\napps:\n  - <<: *d\n    name: one\n  - <<: *d\n    name: two\n    max_restarts: 6\n"},
	{path: "pm2.yml", src: "apps:\n  - script: a.js\n    name: 2024-01-02\n"},
	{path: "pm2.yml", src: "apps:\n  - script: a.js\n    name: yes\n    autorestart: no\n"},
	{path: "pm2.yml", src: "apps:\n  - script: a.js\n    name: yes\n    autorestart: False\n    kill_timeout: 0x10\n    env: {A: 010, B: 0o10, C: 1_000, D: .5, E: ~, F: 1e3, G: 12:30, H: on}\n"},
	{path: "pm2.yml", src: "apps:\n  - script: a.js\n    name: !custom x\n"},
	{path: "pm2.yml", src: "apps:\n  - script: a.js\n    script: b.js\n"},
	{path: "pm2.yml", src: "apps:\n\t- script: a.js\n"},
	{path: "pm2.yml", src: "---\napps:\n  - script: a.js\n---\nx: 1\n"},
	{path: "pm2.yml", src: ""},
	{path: "pm2.yml", src: "# nothing\n"},
	{path: "pm2.yml", src: "apps:\n  - script: >-\n      node\n      srv.js\n    name: folded\n"},
	{path: "pm2.yml", src: "- script: a.js\n- script: b.js\n"},
	{path: "pm2.yml", src: "%YAML 1.2\n---\napps:\n  - script: 'it''s.js'\n...\n"},
	{path: "ecosystem.config.js", src: "throw new Error('x')"},
	{path: "ecosystem.config.js", src: "module.exports = {apps: [{script: 'a.js'}]"},
	{path: "ecosystem.config.js", src: "module.exports = undefined"},
	{path: "ecosystem.config.js", src: "// nothing"},
	{path: "ecosystem.config.js", src: "exports = {apps: [{script: 'a.js'}]}"},
	{path: "ecosystem.config.js", src: "return_ = 1; module.exports = {apps: [{name: 'sloppy', script: 'a.js'}]}"},
	{path: "ecosystem.config.js", src: "#!/usr/bin/env node\nmodule.exports = {apps: [{script: 'a.js'}]}"},
	{path: "ecosystem.config.js", src: "'use strict'\nconst {name} = require('./package.json')\nmodule.exports = {apps: [{name, script: 'a.js', get args() { return ['x'] }}]}", files: "-- package.json --\n{\"name\": \"shop\"}\n"},
	{path: "ecosystem.config.js", src: "module.exports = {apps: [{name: 'u', script: 'u.js', max_memory_restart: undefined, watch: undefined, env: undefined}]}"},
	{path: "ecosystem.config.js", src: "module.exports = {apps: [{name: 'f', script: 'u.js', env: {F: () => 1, S: Symbol('x'), N: NaN, B: new Date(0)}}]}"},
	{path: "ecosystem.config.js", src: "const o = Object.create({script: 'inherited.js'}); o.name = 'x'; module.exports = {apps: [o]}"},
	{path: "ecosystem.config.js", src: "module.exports = {apps: [{name: 'o', script: 'o.js', instances: 1n}]}"},
	{path: "ecosystem.config.js", src: "const {a = {}, ...rest} = {b: {script: 'a.js'}}\nmodule.exports = {apps: [{...rest.b, name: a?.name ?? 'none'}]}"},
	{path: "ecosystem.config.js", src: "module.exports = {apps: Object.entries({api: 'a.js', web: 'w.js'}).map(([name, script]) => ({name, script}))}"},
	{path: "deploy/ecosystem.prod.config.js", src: "module.exports = {apps: [{script: './a.js', cwd: '..'}]}"},
	{path: "ecosystem.config.js.old", src: "module.exports = {apps: [{script: 'a.js'}]}"},
	{path: "ecosystem.config.js", src: "const v = require('child_process').execSync('echo 1').toString().trim()\nmodule.exports = {apps: [{name: 'v' + v, script: 'a.js'}]}", differs: "needs-node: it runs a program"},
	{path: "ecosystem.config.js", src: "const t = require('fs').readFileSync(__filename, 'utf8')\nmodule.exports = {apps: [{name: 'n' + t.length, script: 'a.js'}]}", differs: "needs-node: it reads files"},
	{path: "ecosystem.config.js", src: "module.exports = {apps: [{name: Buffer.from('YXBp', 'base64').toString(), script: 'a.js'}]}", differs: "needs-node: Buffer"},
	{path: "ecosystem.config.js", src: "module.exports = {apps: [{name: new URL('http://x/y').host, script: 'a.js'}]}", differs: "needs-node: URL"},
	{path: "ecosystem.config.js", src: "module.exports = {apps: [structuredClone({name: 's', script: 'a.js'})]}", differs: "needs-node: structuredClone"},
	{path: "package.json", src: `{"name": "x", "version": "1.0.0", "main": "a.js"}`},
	{path: "package.json", src: `{"name": "x", "apps": [{"script": "a.js"}]}`},
}

func corpus() []oracleCase {
	var out []oracleCase
	for i, b := range bodies {
		// Every body in one form, the first ones in all of them.
		for j, f := range forms {
			if i < 3 || j == i%len(forms) || j == (i+3)%len(forms) {
				c := oracleCase{path: f.path, src: strings.ReplaceAll(f.text, "BODY", b)}
				if KindOf(f.path) == YAML && strings.Contains(b, `"E": {`) {
					c.differs = "the order of keys is lost: the variable is not compared"
				}
				out = append(out, c)
			}
		}
	}
	return append(out, special...)
}

// An answer is what PM2 makes of a case.
type answer struct {
	Apps    []map[string]any
	Refused string
}

// askPM2 gives all cases, each in a folder of its own, to the functions of the
// real PM2, in one Node process.
func askPM2(t *testing.T, cases []oracleCase) (answers []answer, dirs []string) {
	t.Helper()
	modules := os.Getenv("AUDIT_TEST_PM2")
	if modules == "" {
		modules = filepath.Join("..", "..", "..", "build", "pm2", "node_modules")
	}
	pm2, err := filepath.Abs(filepath.Join(modules, "pm2"))
	if err == nil {
		_, err = os.Stat(filepath.Join(pm2, "lib", "Common.js"))
	}
	if _, nodeErr := exec.LookPath("node"); err != nil || nodeErr != nil {
		t.Skip("no PM2 to compare with: run make pm2 (needs node and npm)")
	}
	var ask []map[string]string
	for i, c := range cases {
		dir := filepath.Join(t.TempDir(), strconv.Itoa(i))
		for _, f := range append(txtar.Parse([]byte(c.files)).Files, txtar.File{Name: c.path, Data: []byte(c.src)}) {
			p := filepath.Join(dir, f.Name)
			if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(p, f.Data, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		dirs = append(dirs, dir)
		ask = append(ask, map[string]string{"dir": dir, "path": c.path})
	}
	in, err := json.Marshal(ask)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "node", filepath.Join("testdata", "oracle.cjs"), pm2)
	cmd.Stdin = bytes.NewReader(in)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=", "NODE_ENV=production", "PM2_HOME=" + t.TempDir()}
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, errs.Bytes())
	}
	if err := json.Unmarshal(out, &answers); err != nil || len(answers) != len(cases) {
		t.Fatalf("%d answers to %d questions: %v", len(answers), len(cases), err)
	}
	return answers, dirs
}

// Every file means to us what it means to PM2 itself.
func TestCorpus_asPM2(t *testing.T) {
	if testing.Short() {
		t.Skip("it starts a process for each file, too many for a short run")
	}
	cases := corpus()
	answers, dirs := askPM2(t, cases)
	agree, apart := 0, 0
	for i, c := range cases {
		if testing.Short() && i%7 > 0 {
			continue
		}
		f := readWhole(t, c)
		theirs, ours := normalTheirs(answers[i], dirs[i]), normalOurs(f)
		switch {
		case theirs == ours:
			agree++
			if c.differs != "" {
				t.Errorf("%s: %s\nis the same after all", c.path, c.src)
			}
		case c.differs != "":
			apart++
		default:
			t.Errorf("%s: %s\nPM2:  %s (%s)\nours: %s (%s %v)", c.path, c.src, theirs, answers[i].Refused, ours, f.Reason, f.Problems)
		}
	}
	if len(cases) < 80 {
		t.Errorf("the corpus has %d files", len(cases))
	}
	t.Logf("%d of %d process files mean the same to PM2 and to audit; %d differ on principle", agree, len(cases), apart)
}

// readWhole evaluates a case with the files that stand beside it.
func readWhole(t *testing.T, c oracleCase) File {
	t.Helper()
	beside := map[string]string{}
	for _, f := range txtar.Parse([]byte(c.files)).Files {
		beside[f.Name] = string(f.Data)
	}
	kind := ""
	if p, ok := beside["package.json"]; ok {
		var m struct{ Type string }
		if err := json.Unmarshal([]byte(p), &m); err != nil {
			t.Fatal(err)
		}
		kind = m.Type
	}
	given := map[string]Dep{}
	for {
		f := Evaluate(Input{Path: c.path, Src: []byte(c.src), Type: kind, Files: given, Hash: func(s string) string { return s }, Child: child(t)})
		if f.Need == "" {
			return f
		}
		dep := Dep{Absent: true}
		for _, p := range Tries(f.Need) {
			if src, ok := beside[p]; ok {
				dep = Dep{Path: p, Src: src}
				break
			}
		}
		given[f.Need] = dep
	}
}

func normalOurs(f File) string {
	if f.Status == OK && len(f.Problems) == 0 {
		var out []string
		for _, a := range f.Apps {
			declared := map[string]snapshot.Value{}
			for _, s := range a.Settings {
				declared[s.Key] = s.Value
			}
			m := map[string]string{}
			for k, v := range Effective(declared) {
				m[k] = v.Str()
			}
			for _, h := range a.Secrets {
				m[h.Name] = h.Hash
			}
			if a.Cwd != "" {
				m["cwd"] = a.Cwd
			}
			if !a.Command {
				m["script"] = a.Script
			}
			m["name"], m["namespace"] = a.Name, a.Namespace
			out = append(out, flat(m))
		}
		return strings.Join(out, " ; ")
	}
	if f.Status == NeedsNode {
		return "needs-node"
	}
	return "refused"
}

// notCompared are keys that depend on the user who runs PM2, or that no fact holds.
var notCompared = []string{"username", "uid", "gid", "vizion", "pmx", "windowsHide", "execute_command", "watch_options", "post_update", "source_map_support", "name_prefix", "trace", "io", "filter_env", "install_url", "write", "v8", "event_loop_inspector", "disable_source_map_support"}

func normalTheirs(a answer, dir string) string {
	if a.Refused != "" {
		return "refused"
	}
	var out []string
	for _, app := range a.Apps {
		m := map[string]string{}
		for k, v := range app {
			if !slices.Contains(notCompared, k) {
				m[k] = plainText(v, dir)
			}
		}
		if mode := m["exec_mode"]; mode == "fork" { // of execute_command; the others are written out already
			m["exec_mode"] = "fork_mode"
		}
		if list, ok := app["args"].([]any); ok && app["script"] == "bash" && len(list) == 2 && list[0] == "-c" {
			delete(m, "args")
			m["script"] = plainText(list[1], dir)
			if name := m["name"]; name != "py" {
				m["name"] = ShownName(name, m["script"])
			}
		}
		for _, k := range []string{"args", "node_args"} {
			if list, ok := app[k].([]any); ok && m[k] != "" {
				var texts []string
				for _, e := range list {
					texts = append(texts, plainText(e, dir))
				}
				m[k] = strings.Join(texts, "\x00")
			}
		}
		for _, k := range []string{"args", "node_args", "cwd"} {
			if m[k] == "" {
				delete(m, k)
			}
		}
		for k := range m {
			if block, ok := app[k].(map[string]any); ok {
				delete(m, k)
				for name, v := range block {
					m[k+"."+name] = plainText(v, dir)
				}
			}
		}
		if app["static"] == true {
			m = map[string]string{"name": m["name"], "namespace": m["namespace"], "script": m["script"]}
			for k, v := range Effective(nil) {
				m[k] = v.Str()
			}
		}
		out = append(out, flat(m))
	}
	return strings.Join(out, " ; ")
}

func plainText(v any, dir string) string {
	switch v := v.(type) {
	case []any:
		var texts []string
		for _, e := range v {
			texts = append(texts, plainText(e, dir))
		}
		return strings.Join(texts, ", ")
	case string:
		return strings.ReplaceAll(strings.ReplaceAll(v, dir+"/", ""), dir, ".")
	}
	return scalar(v)
}

func flat(m map[string]string) string {
	var out []string
	for k, v := range m {
		out = append(out, fmt.Sprintf("%s=%s", k, strings.ReplaceAll(v, "\x00", "|")))
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}
