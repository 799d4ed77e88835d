package ecosystem

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"healthaudit/snapshot"
)

// The test binary is its own child, as audit is.
func TestMain(m *testing.M) {
	if slices.Contains(os.Args, "evaluate-ecosystem") {
		os.Exit(Child(os.Stdin, os.Stdout))
	}
	os.Exit(m.Run())
}

// child runs Child in a process, as the collector does.
func child(t testing.TB) func([]byte) Ran {
	return func(req []byte) Ran {
		ctx, cancel := context.WithTimeout(t.Context(), ChildTimeout)
		defer cancel()
		cmd := exec.CommandContext(ctx, os.Args[0], "evaluate-ecosystem")
		cmd.Env = []string{}
		cmd.Stdin = bytes.NewReader(req)
		var out, errs bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &errs
		err := cmd.Run()
		r := Ran{Out: out.Bytes(), Stderr: errs.Bytes(), TimedOut: ctx.Err() != nil}
		if cmd.ProcessState == nil {
			r.Err = err
			return r
		}
		r.Code = cmd.ProcessState.ExitCode()
		return r
	}
}

func hash(s string) string { return "h(" + string(rune('a'+len(s)%26)) + ")" }

func evaluateText(t testing.TB, name, src string, files map[string]Dep) File {
	return Evaluate(Input{Path: name, Src: []byte(src), Files: files, Hash: hash, Child: child(t)})
}

func TestKindOf(t *testing.T) {
	for name, want := range map[string]Kind{
		"ecosystem.config.js": Script, "a/ecosystem.config.cjs": Script, "x.config.mjs": Module, "process.json": JSON, "x.json5": JSON,
		"x.json.bak": JSON, "pm2.yml": YAML, "pm2.yaml": YAML, "ecosystem.js": "", "x.config.ts": "", "a.json/server.js": "",
	} {
		if got := KindOf(name); got != want {
			t.Errorf("KindOf(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestIsCandidate(t *testing.T) {
	for name, want := range map[string]bool{
		"ecosystem.config.js": true, "deploy/ecosystem.config.cjs": true, "ecosystem.prod.config.js": true, "ecosystem.production.json": true,
		"process.yml": true, "pm2.json": true, "pm2.config.js": true, "api-pm2.json": true, "ecosystem.json5": true,
		"package.json": false, "tsconfig.json": false, "vite.config.js": false, "ecosystem.js": false, "ecosystem.config.ts": false, "process.js": false,
	} {
		if got := IsCandidate(name); got != want {
			t.Errorf("IsCandidate(%q) = %v, want %v", name, got, want)
		}
	}
}

func TestEvaluate(t *testing.T) {
	for _, c := range []struct{ title, path, src, want string }{
		{"strict JSON", "pm2.json", `{"apps":[{"name":"api","script":"api.js"}]}`, "api=api.js"},
		{"JSON as JavaScript", "pm2.json", "{ // the api\n apps: [{name: 'api', script: 'a' + 'pi.js', instances: 1+1,},],}", "api=api.js instances=2"},
		{"a single app", "process.json", `{"script":"api.js"}`, "api=api.js"},
		{"a bare list", "process.json", `[{"script":"x/api.js"},{"script":"b.js","namespace":"n"}]`, "api=x/api.js; n:b=b.js"},
		{"pm2 key", "pm2.json", `{"apps":null,"pm2":[{"name":"a","script":"a.js"}]}`, "a=a.js"},
		{"YAML", "pm2.yml", "apps:\n  - name: api\n    script: api.js\n    instances: max\n    watch: [src, lib]\n", "api=api.js instances=max watch=src, lib"},
		{"YAML anchors and merge keys", "pm2.yml", "base: &b\n  max_restarts: 3\napps:\n  - <<: *b\n    script: api.js\n", "api=api.js max_restarts=3"},
		{"CommonJS", "ecosystem.config.js", "module.exports = {apps: [{name: 'api', script: './api.js', exec_mode: 'cluster', instances: -1, autorestart: false}]}", "api=./api.js autorestart=false exec_mode=cluster instances=-1"},
		{"path and __dirname", "deploy/ecosystem.config.js", "const path=require('node:path');module.exports={apps:[{name:'w',script:path.join(__dirname,'..','w.js'),cwd:path.resolve(__dirname,'..')}]}", "w=w.js cwd=."},
		{"computed names", "ecosystem.config.js", "module.exports = {apps: [1,2].map(n => ({name: `w${n}`, script: 'w.js'}))}", "w1=w.js; w2=w.js"},
		{"aliases and camelCase", "pm2.json", `{"apps":[{"name":"a","exec":"a.js","interpreter":"python3","maxRestarts":2,"cron":"0 3 * * *"}]}`, "a=a.js cron_restart=0 3 * * * exec_interpreter=python3 max_restarts=2"},
		{"ES module", "ecosystem.config.mjs", "import path from 'path'\nexport const apps = [{name: path.basename('x/api'), script: 'api.js'}]", "api=api.js"},
		{"ES module in a .js", "ecosystem.config.js", "export const apps = [{name: 'api', script: 'api.js'}]", "api=api.js"},
		{"export as module.exports", "ecosystem.config.mjs", "const c = {apps: [{script: 'api.js'}]}\nexport { c as 'module.exports' }", "api=api.js"},
		{"module that requires fs but does not use it", "ecosystem.config.js", "const {readFileSync} = require('fs'); module.exports = {apps: [{script: 'api.js'}]}", "api=api.js"},
		{"command line", "ecosystem.config.js", "module.exports = {apps: [{name: 'x', script: 'TOKEN=abc npm run build -- --key=s3cret'}]}", "x=npm"},
		{"command line without a name", "ecosystem.config.js", "module.exports = {apps: [{script: 'node srv --key=s3cret'}, {script: './lib/'}]}", "node~830f2f73=node; lib=./lib/"},
		{"masked arguments", "pm2.json", `{"apps":[{"script":"a.js","args":"--port 3000 --token=abc -v hunter2 --password hunter2 --file conf.json"}]}`,
			"a=a.js args=--port, 3000, --token=***, -v, ***, --password, ***, --file, conf.json"},
		{"package.json with apps", "package.json", `{"name":"x","apps":[{"script":"api.js"}]}`, "api=api.js"},
		{"package.json without", "package.json", `{"name":"x","scripts":{}}`, "not-config "},
		{"not a configuration", "pm2.json", `"text"`, "invalid exports no object"},
		{"throws", "ecosystem.config.js", "\n\nthrow new Error('my secret is s3cret')", "invalid throws Error:3"},
		{"not defined", "ecosystem.config.js", "const a = 1\nmodule.exports = {apps: [Buffer.from('x')]}", "needs-node uses Buffer:2"},
		{"syntax error", "ecosystem.config.js", "module.exports = {\n apps: [{name: 's3cret' x}]\n}", "invalid syntax error:2"},
		{"syntax error in a module", "ecosystem.config.mjs", "\nexport const apps = [{name: 's3cret' x}]", "invalid syntax error:2"},
		{"JSON that is no JavaScript", "pm2.json", "{\n\"apps\": [\n", "invalid syntax error:3"},
		{"empty JSON", "pm2.json", "", "invalid syntax error:1"},
		{"broken YAML", "pm2.yml", "apps:\n  - name: api\n   script: s3cret\n", "invalid YAML that cannot be read:1"},
		{"function export", "ecosystem.config.js", "module.exports = () => ({apps: []})", "invalid exports a function, which PM2 does not call"},
		{"promise export", "ecosystem.config.js", "module.exports = Promise.resolve({apps: []})", "invalid exports a promise, for which PM2 does not wait"},
		{"child process", "ecosystem.config.js", "const cp = require('child_process')\nconst v = cp.execSync('touch canary')\nmodule.exports = {apps: []}", "needs-node calls child_process.execSync:2"},
		{"refusal cannot be caught", "ecosystem.config.js", "try { require('fs').readFileSync('.env') } catch (e) {}\nmodule.exports = {apps: []}", "needs-node calls fs.readFileSync:1"},
		{"process.exit", "ecosystem.config.js", "process.exit(0)", "needs-node calls process.exit:1"},
		{"a package", "ecosystem.config.js", "const _ = require('lodash')", "needs-node needs the package lodash:1"},
		{"network", "ecosystem.config.js", "fetch('http://127.0.0.1')", "needs-node calls fetch:1"},
		{"outside the project", "ecosystem.config.js", "require('../../etc/passwd')", "needs-node requires a file outside the project:1"},
		{"two YAML documents", "pm2.yml", "a: 1\n---\nb: 2\n", "invalid more than one YAML document:2"},
	} {
		t.Run(c.title, func(t *testing.T) {
			f := evaluateText(t, c.path, c.src, nil)
			if got := summary(f); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
			if b, _ := json.Marshal(f); bytes.Contains(b, []byte("s3cret")) || bytes.Contains(b, []byte("hunter2")) {
				t.Errorf("a secret in %s", b)
			}
		})
	}
}

// summary writes a File for tables.
func summary(f File) string {
	if f.Status != OK {
		s := string(f.Status) + " " + f.Reason
		if f.Line > 0 {
			s += ":" + scalar(float64(f.Line))
		}
		return s
	}
	var apps []string
	for _, a := range f.Apps {
		s := a.Name + "=" + a.Script
		if a.Namespace != "default" {
			s = a.Namespace + ":" + s
		}
		if a.Cwd != "" {
			s += " cwd=" + a.Cwd
		}
		for _, e := range a.Settings {
			s += " " + e.Key + "=" + e.Value.Str()
		}
		apps = append(apps, s)
	}
	return strings.Join(apps, "; ")
}

func TestEvaluate_contains(t *testing.T) {
	if testing.Short() {
		t.Skip("it starts a process for each file, and lets it take all that it may: too much for a short run")
	}
	for _, c := range []struct {
		title, path, src, want string
		memory                 bool
	}{
		{"endless loop", "ecosystem.config.js", "while(true){}", tooMuch, false},
		{"endless loop in a getter", "ecosystem.config.js", "module.exports={get apps(){for(;;);}}", tooMuch, false},
		{"catastrophic regular expression", "ecosystem.config.js", "/^(?:(a+)+|x\\1)+$/.test('a'.repeat(60)+'!')", tooMuch, false},
		{"gigabyte string", "ecosystem.config.js", "let s='';for(let i=0;i<1e6;i++)s+='x'.repeat(2**29);module.exports={apps:[{name:s}]}", tooMuch, true},
		{"growing list", "ecosystem.config.js", "const a=[];for(;;)a.push(new Array(1000).fill(1))", "", true},
		{"deep recursion", "ecosystem.config.js", "(function f(){f()})()", "calls itself without end", false},
		{"deep JSON", "pm2.json", strings.Repeat("[", 400_000), "", false},
		{"long text", "ecosystem.config.js", "module.exports={apps:[{name:'x'.repeat(1e6)}]}", "declares a text of more than 64 KiB", false},
		{"cycle", "ecosystem.config.js", "const o={};o.o=o;module.exports={apps:[{script:'a.js',env:o}]}", "declares values nested too deeply", false},
		{"alias bomb", "pm2.yml", bomb(), "YAML aliases that expand to more than 1000000 values", false},
		{"2 MB of YAML", "pm2.yml", "a: " + strings.Repeat("x", 2<<20), "larger than 1 MiB", false},
		{"UTF-16", "ecosystem.config.js", "\xff\xfem\x00o\x00d\x00", "syntax error", false},
		{"NUL bytes", "pm2.json", "\x00\x00\x00", "syntax error", false},
	} {
		t.Run(c.title, func(t *testing.T) {
			t.Parallel()
			if c.memory && !limitsMemory {
				t.Skip("no memory limit under the race detector")
			}
			f := evaluateText(t, c.path, c.src, nil)
			if f.Status != Invalid || c.want != "" && f.Reason != c.want {
				t.Errorf("got %s %q, want invalid %q", f.Status, f.Reason, c.want)
			}
		})
	}
}

func bomb() string {
	s := "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n"
	for i := 1; i < 10; i++ {
		p, n := scalar(float64(i-1)), scalar(float64(i))
		s += "a" + n + ": &a" + n + " [" + strings.Repeat("*a"+p+",", 9) + "*a" + p + "]\n"
	}
	return s
}

func TestEvaluate_requires(t *testing.T) {
	const src = "const base = require('./config/base'); module.exports = {apps: [{...base, name: require('./package.json').name}]}"
	f := evaluateText(t, "ecosystem.config.js", src, nil)
	if f.Need != "config/base" || f.Status != OK || f.Apps != nil {
		t.Fatalf("first round: %+v", f)
	}
	files := map[string]Dep{
		"config/base":   {Path: "config/base.js", Src: "module.exports = {script: require('../x').s}"},
		"x":             {Path: "x.mjs", Src: "export const s = 'x.js'"},
		"package.json":  {Path: "package.json", Src: `{"name":"shop"}`},
		"config/absent": {Absent: true},
	}
	if got := summary(evaluateText(t, "ecosystem.config.js", src, files)); got != "shop=x.js" {
		t.Errorf("with its files: %s", got)
	}
	got := evaluateText(t, "ecosystem.config.js", "let o = {script: 'a.js'}; try { o = require('./config/absent') } catch (e) { o.name = e.code }; module.exports = o", files)
	if s := summary(got); s != "MODULE_NOT_FOUND=a.js" {
		t.Errorf("absent file: %s", s)
	}
	if got := Requires("deploy/ecosystem.config.js", []byte("require('./a'); import x from '../b.js'\nrequire('../../out'); require('lodash')")); !slices.Equal(got, []string{"b.js", "deploy/a"}) {
		t.Errorf("Requires = %q", got)
	}
}

func TestEvaluate_environment(t *testing.T) {
	t.Setenv("DATABASE_URL", "s3cret")
	f := evaluateText(t, "ecosystem.config.js", `module.exports = {apps: [{script: 'a.js', env: {DB: process.env.DATABASE_URL || 'none', MODE: process.env.NODE_ENV, N: 1}, env_production: {KEY: 's3cret'}, instances: require('os').cpus().length}]}`, nil)
	var names []string
	for _, h := range f.Apps[0].Secrets {
		names = append(names, h.Name+"="+h.Hash)
	}
	if got, want := strings.Join(names, " "), "env.DB="+hash("none")+" env.MODE="+hash("production")+" env.N="+hash("1")+" env_production.KEY="+hash("s3cret"); got != want {
		t.Errorf("secrets %s, want %s", got, want)
	}
	if got := strings.Join(f.EnvRead, " "); got != "DATABASE_URL NODE_ENV os.cpus" {
		t.Errorf("names read: %s", got)
	}
}

func TestEvaluate_references(t *testing.T) {
	for _, c := range []struct{ app, want string }{
		{`"script":"./server.js"`, "server.js"},
		{`"script":"server.js","cwd":"api"`, "api/server.js"},
		{`"script":"server.js","cwd":"/srv"`, ""},
		{`"script":"../server.js"`, ""},
		{`"script":"/srv/server.js"`, ""},
		{`"script":"npm","args":"run start"`, "npm run start"},
		{`"script":"npm","args":["run","start"],"cwd":"web"`, "npm run start in web"},
		{`"script":"npm run build"`, "npm run build"},
	} {
		var got []string
		for _, r := range evaluateText(t, "pm2.json", `{"apps":[{"name":"x",`+c.app+`}]}`, nil).Apps[0].Refs {
			if r.Kind == snapshot.RefFile || r.Kind == snapshot.RefNPM {
				got = append(got, r.Target())
			}
			if r.File != "pm2.json" || r.Line != 1 || r.Where != "x" {
				t.Errorf("%s: %+v", c.app, r)
			}
		}
		if s := strings.Join(got, " "); s != c.want {
			t.Errorf("%s starts %q, want %q", c.app, s, c.want)
		}
	}
}

// What is below the project's root by an absolute path stays there, wherever
// the app runs.
func TestEvaluate_absolutePaths(t *testing.T) {
	for _, c := range []struct{ app, want string }{
		{`{name: 'x', script: path.join(__dirname, 'app.js'), cwd: __dirname}`, "sub/app.js rooted, cwd sub rooted: sub/app.js"},
		{`{name: 'x', script: 'app.js', cwd: __dirname}`, "app.js, cwd sub rooted: sub/app.js"},
		{`{name: 'x', script: 'app.js', cwd: 'sub'}`, "app.js, cwd sub: sub/app.js"},
		{`{name: 'x', script: path.resolve('app.js'), cwd: '/srv/shop'}`, "app.js rooted, cwd /srv/shop: app.js"},
		{`{name: 'x', script: 'node', args: path.join(__dirname, 'app.js'), cwd: __dirname}`, "node, cwd sub rooted: sub/app.js"},
		{`{name: 'x', script: 'node ' + path.join(__dirname, 'app.js'), cwd: __dirname}`, "node, cwd sub rooted: sub/app.js"},
		{`{name: 'x', script: 'npm', args: 'start -- ' + path.join(__dirname, 'app.js'), cwd: __dirname}`, "npm, cwd sub rooted: npm run start in sub"},
	} {
		f := evaluateText(t, "sub/ecosystem.config.js", "const path = require('path'); module.exports = {apps: ["+c.app+"]}", nil)
		if len(f.Apps) != 1 {
			t.Fatalf("%s: %+v", c.app, f)
		}
		a := f.Apps[0]
		rooted := map[bool]string{true: " rooted"}
		got := a.Script + rooted[a.Rooted] + ", cwd " + a.Cwd + rooted[a.CwdRooted] + ":"
		for _, r := range a.Refs {
			if r.Kind == snapshot.RefFile || r.Kind == snapshot.RefNPM {
				got += " " + r.Target()
			}
		}
		if got != c.want {
			t.Errorf("%s: %s, want %s", c.app, got, c.want)
		}
	}
}

// The same files and folders, given to Node 20.20.2 by require(), gave the same.
func TestEvaluate_moduleType(t *testing.T) {
	if testing.Short() {
		t.Skip("it starts a process for each file, too many for a short run")
	}
	const (
		cjs     = "module.exports = {apps: [{name: 'a', script: 'a.js'}]}"
		exports = "exports.apps = [{name: 'a', script: 'a.js'}]"
		esm     = "export const apps = [{name: 'a', script: 'a.js'}]"
		require = "const path = require('path')\nexport const apps = [{name: 'a', script: path.join('.', 'a.js')}]"
		imports = "import path from 'path'\nexport const apps = [{name: 'a', script: path.join('.', 'a.js')}]"
		dirname = "export const apps = [{name: 'a', script: 'a.js', cwd: __dirname}]"
		comment = "/*\nexport a;\n*/\n" + cjs
		asks    = "const o = {apps: [{name: 'a', script: 'a.js'}]}\nif (typeof module !== 'undefined') module.exports = o\nelse globalThis.o = o"

		lacks    = "invalid uses %s, which is not defined in ES modules, and Node takes the file for one: "
		byType   = `the nearest package.json says "type": "module"; as ….config.cjs it would load`
		byItself = "it uses import or export"
		refused  = `invalid uses import or export, which a .js file of a package with "type": "commonjs" cannot`
	)
	lack := func(name, why string) string { return strings.Replace(lacks, "%s", name, 1) + why }
	for _, c := range []struct{ path, kind, src, want string }{
		{"ecosystem.config.js", "module", cjs, lack("module", byType)},
		{"ecosystem.config.js", "module", exports, lack("exports", byType)},
		{"ecosystem.config.js", "module", require, lack("require", byType)},
		{"ecosystem.config.js", "module", dirname, lack("__dirname", byType)},
		{"ecosystem.config.js", "module", esm, "a=a.js"},
		{"ecosystem.config.js", "module", imports, "a=a.js"},
		{"ecosystem.config.cjs", "module", cjs, "a=a.js"},
		{"ecosystem.config.mjs", "", cjs, lack("module", "its name says so")},
		{"ecosystem.config.js", "commonjs", cjs, "a=a.js"},
		{"ecosystem.config.js", "commonjs", esm, refused},
		{"ecosystem.config.js", "commonjs", comment, "a=a.js"},
		{"ecosystem.config.js", "", esm, "a=a.js"},
		{"ecosystem.config.js", "", imports, "a=a.js"},
		{"ecosystem.config.js", "", require, lack("require", byItself)},
		{"ecosystem.config.js", "", comment, "a=a.js"},
		{"ecosystem.config.js", "", asks, "a=a.js"},
	} {
		f := Evaluate(Input{Path: c.path, Src: []byte(c.src), Type: c.kind, Hash: hash, Child: child(t)})
		if got := summary(f); got != c.want {
			t.Errorf("%s of type %q: %s\ngot  %s\nwant %s", c.path, c.kind, c.src, got, c.want)
		}
	}
}

func TestEvaluate_lines(t *testing.T) {
	for _, c := range []struct {
		path, src string
		want      []int
	}{
		{"pm2.json", "{\"apps\": [\n {\"name\": \"a\", \"script\": \"a.js\"},\n {\"script\": \"b.js\"}\n]}", []int{2, 3}},
		{"pm2.yml", "apps:\n- script: a.js\n- name: b c # the other\n  script: b.js\n", []int{2, 3}},
		{"ecosystem.config.js", "module.exports = {\n  apps: [\n    { name: `a`, script: 'x.js' },\n    { script: 'x.js', name: 'b' },\n    {script: 'c' + '.js'}]}", []int{3, 4, 0}},
		{"ecosystem.config.js", "module.exports = {apps: [\n{name:'a',script:'1.js'},\n{name:'a',script:'2.js'}]}", []int{2, 3}},
	} {
		var got []int
		for _, a := range evaluateText(t, c.path, c.src, nil).Apps {
			got = append(got, a.Line)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: lines %v, want %v", c.src, got, c.want)
		}
	}
}

func TestEvaluate_refusals(t *testing.T) {
	for _, c := range []struct{ src, want string }{
		{`{"script":"a.js","min_uptime":10}`, "min_uptime is less than 100 milliseconds; for that PM2 refuses the whole file"},
		{`{"script":"a.js","min_uptime":"10s","max_memory_restart":"200M","instances":"max","kill_timeout":"3000","exec_mode":"cluster","watch":["a"]}`, ""},
		{`{"script":"a.js","max_memory_restart":"200MB"}`, `max_memory_restart is not a whole number of bytes, or one with K, M or G behind it ("300M"); for that PM2 refuses the whole file`},
		{`{"script":"a.js","autorestart":"yes"}`, "autorestart is a text where PM2 wants true or false; for that it refuses the whole file"},
		{`{"script":"a.js","max_restarts":"ten"}`, "max_restarts is a text where PM2 wants a number; for that it refuses the whole file"},
		{`{"args":"x"}`, `has no script: PM2 aborts with "No script path"`},
		{`{"name":"x"}`, `has no script: PM2 aborts with "No script path"`},
	} {
		var got []string
		for _, p := range evaluateText(t, "pm2.json", c.src, nil).Problems {
			got = append(got, p.Message)
		}
		if s := strings.Join(got, "; "); s != c.want {
			t.Errorf("%s: %q, want %q", c.src, s, c.want)
		}
	}
	if f := evaluateText(t, "pm2.json", `{"apps":[{"args":"x"}]}`, nil); len(f.Apps) != 0 {
		t.Errorf("an entry without name and script is the app %q", f.Apps[0].Name)
	}
	f := evaluateText(t, "ecosystem.config.mjs", "export default {apps: [{script: 'a.js'}]}", nil)
	if len(f.Problems) != 1 || len(f.Apps) != 1 {
		t.Errorf("export default: %+v", f)
	}
}

func TestEvaluate_deterministic(t *testing.T) {
	const src = "module.exports = {apps: [{name: 'a' + Date.now() + Math.random(), script: 'a.js', env: {B: 1, A: 2}}]}"
	a, _ := json.Marshal(evaluateText(t, "ecosystem.config.js", src, nil))
	if b, _ := json.Marshal(evaluateText(t, "ecosystem.config.js", src, nil)); !bytes.Equal(a, b) {
		t.Errorf("%s\n%s", a, b)
	}
}
