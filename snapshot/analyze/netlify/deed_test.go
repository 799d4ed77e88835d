package netlify

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"
)

func TestDeeds(t *testing.T) {
	const fs = "const fs = require('fs'); const path = require('path'); const os = require('os'); const cp = require('node:child_process');\n"
	for _, c := range []struct{ name, src, want string }{
		{"a relative path", fs + "fs.writeFileSync('a/b.txt', x)", "write cwd a/b.txt"},
		{"the working folder", fs + "fs.writeFile(path.join(process.cwd(), 'data', 'b'), x)", "write cwd data/b"},
		{"the folder of the file", fs + "fs.mkdirSync(path.resolve(__dirname, '..', 'b'))", "write dir ../b"},
		{"a local const", fs + "exports.handler = () => { const out = path.join(process.cwd(), 'x'); fs.appendFileSync(out, y) }", "write cwd x"},
		{"a name that two scopes have", fs + "function a() { const out = 'x' } function b() { const out = '/tmp/x'; fs.writeFileSync(out, y) }", ""},
		{"a variable, which may hold something else", fs + "let out = '/x'; fs.writeFileSync(out, y)", ""},
		{"a part that is only known later", fs + "fs.createWriteStream(path.join(process.cwd(), name))", "write cwd *"},
		{"an absolute path", fs + "fs.writeFileSync('/var/x', y)", "write abs /var/x"},
		{"the temporary folder", fs + "fs.writeFileSync('/tmp/x', y); fs.writeFileSync(path.join(os.tmpdir(), 'x'), y); fs.writeFileSync(`/tmp/${x}`, y)", ""},
		{"what is not known", fs + "fs.writeFileSync(process.env.OUT, y); fs.writeFileSync(f(), y)", ""},
		{"promises", "import { writeFile } from 'node:fs/promises'; import * as f from 'fs'; writeFile('a', x); f.promises.writeFile('b', x)", "write cwd a; write cwd b"},
		{"a function of that name", "const { writeFile } = require('./disk'); writeFile('a', x); store.writeFileSync('b', x)", ""},
		{"reading", fs + "fs.readFileSync('data.json')", "read cwd data.json"},
		{"node in a shell", fs + "cp.execSync('node ../../jobs/x.cjs --token=abc')", "run cwd ../../jobs/x.cjs"},
		{"node with arguments", fs + "cp.spawn('node', [path.join(__dirname, 'x.js'), secret])", "run dir x.js"},
		{"a promise of exec", "const { exec } = require('child_process'); const run = require('util').promisify(exec); run('bash deploy.sh')", "run cwd deploy.sh"},
		{"a script by itself", fs + "cp.exec('./run.sh')", "run cwd ./run.sh"},
		{"another program", fs + "cp.exec('uname -a'); cp.spawn('convert', ['x.png'])", ""},
		{"git", fs + "cp.execSync(`git push https://${TOKEN}@example.com`); cp.spawnSync('git', ['commit', '-m', 'x'])", "git  push; git  commit"},
		{"git that only looks", fs + "cp.execSync('git rev-parse HEAD')", ""},
		{"a failure as success", "exports.handler = async () => ({}); function f() { return { statusCode: 200, body: JSON.stringify({ ok: false }) } }", "masked  "},
		{"a caught error as success", "async function f() { try { g() } catch (e) { return { statusCode: 200, body: JSON.stringify({ error: e }) } } }", "masked  "},
		{"an error outside of a catch", "function f() { return { statusCode: 200, body: JSON.stringify({ error: null, ok: true }) } }", ""},
		{"a composed require", "require(`./a/${b}`); require(`./c`); require(d)", "compose  "},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			for _, d := range Analyze("a.js", []byte(c.src)).Deeds {
				got = append(got, d.Kind+" "+d.From+" "+d.What)
				if d.At.Line < 1 {
					t.Errorf("no place: %+v", d)
				}
			}
			if s := strings.Join(got, "; "); s != c.want {
				t.Errorf("got %q, want %q", s, c.want)
			}
		})
	}
}

func TestPackage(t *testing.T) {
	for spec, want := range map[string]string{"a": "a", "a/b/c": "a", "@s/a": "@s/a", "@s/a/b": "@s/a", "fs": "", "fs/promises": "", "node:test": "", "./a": "", "../a": "", "/a": "",
		"#a": "", "~/a": "", "@/a": "", "@": "", "https://x/y.js": "", "npm:a": "", "a?raw": "", "": ""} {
		if got, ok := Package(spec); got != want || ok != (want != "") {
			t.Errorf("%q: %q, want %q", spec, got, want)
		}
	}
}

func TestInSource(t *testing.T) {
	const v2 = "export default () => 1;\n"
	for _, c := range []struct{ name, src, want string }{
		{"bounds", v2 + "export const config = { memory: '2 GB', region: 'FRA', timeout: 1_0, nodeVersion: '22' }", "memory=2048 region=fra timeout=10 node=22"},
		{"vcpu", v2 + "export const config = { vcpu: .5 }", "vcpu=0.5"},
		{"a vcpu that is too large", v2 + "export const config = { vcpu: 3 }", "refused config.vcpu"},
		{"null as a path", v2 + "export const config = { path: null }", "refused config.path"},
		{"an undefined path", v2 + "export const config = { path: undefined, memory: void 0 }", ""},
		{"a pattern that does not close", v2 + "export const config = { path: '/a(b' }", "refused config.path"},
		{"excluded paths", v2 + "export const config = { path: '/*', excludedPath: ['/a', '/a', '/b'] }", "routes=[/*] excluded=[/a /b]"},
		{"events", "export default { deploySucceeded() {}, fetch: f, other: 1 }", "events=[deploy_succeeded fetch]"},
		{"a named config that is none, and one inside", "export default { fetch() {}, config: { path: '/in' } }; export const config = f()", "routes=[/in] events=[fetch]"},
		{"a named config wins", "export default { config: { path: '/in' } }; export const config = { path: '/out' }", "routes=[/out]"},
		{"negative numbers are no literals", v2 + "export const config = { timeout: -1 }", ""},
		{"schedule() that is not the handler", "import { schedule } from '@netlify/functions'; export const handler = f", "refused schedule() is imported"},
		{"schedule() without arguments", "import { schedule } from '@netlify/functions'; export const handler = schedule()", "refused the cron"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := Analyze("a.mts", []byte(c.src))
			var got []string
			add := func(k string, v any) {
				if s := fmt.Sprint(v); s != "" && s != "[]" && s != "0" {
					got = append(got, k+"="+s)
				}
			}
			if f.Refused != nil {
				got = append(got, "refused "+f.Refused.Message)
				if f.Refused.Line < 1 {
					t.Error("no place")
				}
			} else {
				add("memory", f.Memory)
				add("vcpu", f.VCPU)
				add("region", f.Region)
				add("timeout", f.Timeout)
				add("node", f.Node)
				add("routes", f.Routes)
				add("excluded", f.Excluded)
				add("events", f.Events)
			}
			if s := strings.Join(got, " "); s != c.want && (!strings.HasPrefix(c.want, "refused") || !strings.HasPrefix(s, c.want)) {
				t.Errorf("got %q, want %q", s, c.want)
			}
		})
	}
}

func TestEffectiveBundler(t *testing.T) {
	for _, c := range []struct{ file, src, set, want string }{
		{"a.js", "exports.handler = f", "", BundlerZISI}, {"a.js", "exports.handler = f", BundlerESBuild, BundlerESBuild},
		{"a.js", "export const handler = f", "", BundlerNFT}, {"a.js", "exports.handler = () => import(x)", "", BundlerNFT},
		{"a.ts", "export const handler = f", "", BundlerESBuild}, {"a.cjs", "exports.handler = f", "", BundlerZISI},
		{"a.mjs", "export default () => 1", BundlerESBuild, BundlerNFT}, {"a.mjs", "export default () => 1", BundlerNone, BundlerNone},
	} {
		if got := Analyze(c.file, []byte(c.src)).EffectiveBundler(c.file, c.set); got != c.want {
			t.Errorf("%s %q %q: %s, want %s", c.file, c.src, c.set, got, c.want)
		}
	}
}

func TestUnheeded(t *testing.T) {
	got := func(file, src string) (keys string) {
		for _, u := range Analyze(file, []byte(src)).Unheeded {
			keys += u.Key + " "
		}
		return keys
	}
	for src, want := range map[string]string{
		"exports.handler = f; exports.config = { path: '/a', schedule: '@daily', api: {} }":       "path ",
		"export default () => 1; export const config = { path: P, method: `GET`, timeout: 3 }":    "path method ",
		"export default () => 1; export const config = defineConfig({ path: '/a' })":              "path ",
		"export default () => 1; export const config = { path: '/a' } satisfies C":                "path ",
		"export default () => 1; const c = { path: '/a' }; export { c as config }":                "",
		"export default () => 1; export const config: Config = { path: '/a', background: true };": "",
	} {
		if g := got("a.ts", src); g != want {
			t.Errorf("%s: %q, want %q", src, g, want)
		}
	}
}

func TestRedirects(t *testing.T) {
	var got []string
	for _, r := range ParseRedirects([]byte("# none\n/a  /.netlify/functions/a  200!  Country=de\n/b id=:id /.netlify/functions/b/:id?x=1 301 # why\n/c/* 200\n/d\n/.netlify/x /y\nhttp://x.example/* https://y.example/:splat\n/e nowhere\n/f /g nonsense\n")) {
		name, ok := r.Function()
		got = append(got, fmt.Sprintf("%d:%d %s>%s %d %s %v", r.At.Line, r.At.Column, r.From, r.To, r.Status, name, ok))
	}
	want := []string{"2:5 /a>/.netlify/functions/a 200 a true", "3:11 /b>/.netlify/functions/b/:id?x=1 301 b true", "4:1 /c/*>/c/:splat 200  false",
		"7:20 http://x.example/*>https://y.example/:splat 0  false"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	c := Parse([]byte("[[redirects]]\norigin = '/a'\ndestination = '/.netlify/functions/:splat'\n[[redirects]]\nfrom = '/b'\nstatus = 'x'\nto = '/c'\n[[redirects]]\nfrom = '/d'\nto = '/e'\nstatus = 302\n"), "production")
	if len(c.Redirects) != 2 || c.Redirects[1] != (Redirect{"/d", "/e", 302, Place{10, 1}}) {
		t.Errorf("%+v", c.Redirects)
	}
	if _, ok := c.Redirects[0].Function(); ok {
		t.Error("a name that is only known at run time is taken for one")
	}
}

// A program of Go is told from others by its headers, and no bytes make it panic.
func TestBinary(t *testing.T) {
	self, err := os.Open("/proc/self/exe")
	if err != nil {
		t.Skip("no /proc")
	}
	defer self.Close()
	if got := Binary(self); got != Go && runtime.GOARCH == "amd64" {
		t.Errorf("this test is a program of Go, not %q", got)
	}
	b, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	for n := range 200 {
		cut := append([]byte(nil), b[:64+n*50]...)
		cut[16+n%48] ^= 0xff
		p := filepath.Join(t.TempDir(), "x")
		if err := os.WriteFile(p, cut, 0o600); err != nil {
			t.Fatal(err)
		}
		f, err := os.Open(p)
		if err != nil {
			t.Fatal(err)
		}
		Binary(f)
		f.Close()
	}
}
