package netlify

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/js"
)

func tree(paths ...string) *snapshot.Tree {
	var out []snapshot.TreePath
	for _, p := range paths {
		e := snapshot.TreePath{Path: p, Kind: snapshot.PathFile, State: snapshot.Tracked}
		if rest, ok := strings.CutPrefix(p, "exec:"); ok {
			e.Path, e.Kind = rest, snapshot.PathExec
		}
		if rest, ok := strings.CutPrefix(p, "link:"); ok {
			e.Path, e.Kind = rest, snapshot.PathLink
		}
		if rest, ok := strings.CutPrefix(p, "gone:"); ok {
			e.Path, e.Kind = rest, snapshot.PathMissing
		}
		if rest, ok := strings.CutPrefix(p, "fifo:"); ok {
			e.Path, e.Kind = rest, snapshot.PathOther
		}
		if rest, ok := strings.CutSuffix(e.Path, "/"); ok {
			e.Path, e.Kind, e.State = rest, snapshot.PathDir, snapshot.Ignored
		}
		out = append(out, e)
	}
	return snapshot.NewTree(true, out)
}

// The rules are numbered as in the measurements of zip-it-and-ship-it's discovery.
func TestDiscover(t *testing.T) {
	for _, c := range []struct {
		name  string
		paths []string // below f/
		want  []string // name main runtime, in order of precedence
	}{
		{"D1 takes direct children only", []string{"a.js", "lib/b.js"}, []string{"a a.js js"}},
		{"D2 takes eight endings", []string{"a.js", "b.zip", "c.mjs", "d.cjs", "e.ts", "f.tsx", "g.mts", "h.cts", "i.jsx", "j.json", "k.md", "l"},
			[]string{"a a.js js", "b b.zip zip", "c c.mjs js", "d d.cjs js", "e e.ts js", "f f.tsx js", "g g.mts js", "h h.cts js"}},
		{"D3 prefers the folder's name, ending by ending", []string{"a/index.js", "a/a.ts", "b/index.ts", "b/b.js", "c/c.mjs", "c/index.ts", "d/main.js", "e/index.cjs", "e/e.tsx"},
			[]string{"a a/index.js js", "b b/b.js js", "c c/index.ts js", "e e/index.cjs js"}},
		{"D4 skips node_modules and nothing else", []string{"node_modules/index.js", ".hidden.js", "_private.js", "my.test.js", "x.d.ts", "bad name!.js"},
			[]string{".hidden .hidden.js js", "_private _private.js js", "bad name! bad name!.js js", "my.test my.test.js js", "x.d x.d.ts js"}},
		{"D5 cuts the last ending, of folders too", []string{"a.b.js", "c.d/c.d.js", "e.f/index.js"}, []string{"a.b a.b.js js", "c c.d/c.d.js js", "e e.f/index.js js"}},
		{"D6 lets a folder beat a file, and js the others", []string{"a.ts", "a.js", "a.zip", "a.mjs", "b.js", "b/index.ts"},
			[]string{"a a.js js", "a a.zip zip", "a a.mjs js", "a a.ts js", "b b/index.ts js", "b b.js js"}},
		{"D8 makes Go of a folder with Go", []string{"a/a.go", "a/index.js", "b/main.go", "c/c.go.txt"}, []string{"a a/a.go go", "b b/main.go go"}},
		{"D9 takes ready programs of Go and Rust before all else", []string{"exec:worker", "worker.js", "worker/index.js", "exec:old.x", "exec:other", "exec:run.sh"},
			[]string{"old old.x rs", "worker worker go", "worker worker/index.js js", "worker worker.js js"}},
		{"D11 takes a link to a file, not to a folder", []string{"link:a.js", "link:b"}, []string{"a a.js js"}},
		{"D13 tells letter case apart", []string{"Hello.js", "hello.js"}, []string{"Hello Hello.js js", "hello hello.js js"}},
		{"takes no name that is only an ending", []string{".js", "fifo:x.js", "gone:y.js"}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			var paths []string
			for _, p := range c.paths {
				kind, name, ok := strings.Cut(p, ":")
				if ok {
					paths = append(paths, kind+":f/"+name)
				} else {
					paths = append(paths, "f/"+p)
				}
			}
			var got []string
			for _, f := range Discover(tree(paths...), "f", func(p string) string { return map[string]string{"f/worker": Go, "f/old.x": Rust}[p] }) {
				got = append(got, fmt.Sprintf("%s %s %s", f.Name, strings.TrimPrefix(f.Main, "f/"), f.Runtime))
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
	t.Run("lists a folder at the root", func(t *testing.T) {
		if got := Discover(tree("a.js", "b/index.js"), ".", nil); len(got) != 2 {
			t.Errorf("got %v", got)
		}
	})
}

func TestDiscoverEdge(t *testing.T) {
	found, lost := DiscoverEdge(tree("e/a.js", "e/b/index.tsx", "e/c.jsx", "e/d.cjs", "e/hello.js", "e/hello.json", "e/f.ts", "e/f.js", "e/g.js", "e/g/readme.md", "e/h.d/h.d.ts"), "e")
	var names []string
	for _, f := range found {
		names = append(names, f.Name+" "+f.Main)
	}
	for _, l := range lost {
		names = append(names, l.Name+" by "+l.By)
	}
	want := []string{"a e/a.js", "b e/b/index.tsx", "c e/c.jsx", "f e/f.js", "h.d e/h.d/h.d.ts", "g by e/g", "hello by e/hello.json"}
	if !slices.Equal(names, want) {
		t.Errorf("got %q, want %q", names, want)
	}
}

func TestAnalyze(t *testing.T) {
	for _, c := range []struct{ name, file, src, version, handler string }{
		{"exports.handler", "a.js", "exports.handler = f", "v1", "ok exports.handler"},
		{"module.exports.handler", "a.js", "module.exports.handler = f", "v1", "ok exports.handler"},
		{"export const", "a.mjs", "export const handler = () => 1", "v1", "ok export const"},
		{"export let", "a.mjs", "export let handler", "v1", "ok export let"},
		{"a clause", "a.mjs", "const x = () => 1; export { x as handler }", "v1", "ok export {}"},
		{"a function, which the analysis does not see", "a.mjs", "export function handler() {}", "v1", "ok export function"},
		{"an object, which it does not see", "a.js", "module.exports = { handler: f }", "v1", "ok module.exports = {}"},
		{"an index, which it does not see", "a.js", "exports['handler'] = f", "v1", "ok exports[]"},
		{"a default export", "a.mjs", "export default () => 1", "v2", "ok export default"},
		{"exports.default", "a.js", "exports.default = () => 1", "v2", "ok exports.default"},
		{"a default clause", "a.mjs", "const x = () => 1; export { x as default }", "v2", "ok export {}"},
		{"a handler beside a default export", "a.mjs", "export default () => 1; export const handler = () => 1", "v1", "ok export const"},
		{"a handler function beside a default export", "a.mjs", "export default () => 1; export function handler() {}", "v2", "ok export default"},
		{"a namespace call beside a default export", "a.mjs", "export default () => 1; export const handler = ns.wrap(f)", "v2", "ok export default"},
		{"a passed-on handler beside a default export", "a.mjs", "export default () => 1; export { handler } from './x'", "v2", "ok export default"},
		{"JSX beside a default export", "a.tsx", "export default () => new Response(<b/>)", "v1", "unknown "},
		{"an object with fetch", "a.mjs", "export default { fetch() {} }", "v2", "ok export default"},
		{"an object without anything to call", "a.mjs", "export default { path: '/' }", "v2", "wrong export default"},
		{"a handler that is text", "a.js", "exports.handler = 'x'", "v1", "wrong exports.handler"},
		{"nothing", "a.mjs", "export const x = 1", "v1", "missing "},
		{"nothing, in CommonJS", "a.js", "run()", "v1", "missing "},
		{"a star", "a.mjs", "export * from './x'", "v1", "unknown "},
		{"another module", "a.js", "module.exports = require('./x')", "v1", "unknown "},
		{"compiled code", "a.js", "Object.defineProperty(exports, 'handler', { get: f })", "v1", "unknown "},
		{"a syntax error", "a.js", "exports.handler = (", "", "unknown "},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := Analyze(c.file, []byte(c.src))
			if got := string(f.State) + " " + f.Handler; f.Version != c.version || got != c.handler {
				t.Errorf("got %q %q, want %q %q", f.Version, got, c.version, c.handler)
			}
		})
	}
}

func TestSchedules(t *testing.T) {
	const v2 = "export default () => 1;\n"
	const esm = "import { schedule } from '@netlify/functions';\n"
	const cjs = "const { schedule } = require('@netlify/functions');\n"
	for _, c := range []struct{ name, file, src, want string }{ // want: expression, or expression ! part of why
		{"config of v2", "a.mjs", v2 + "export const config = { schedule: '@daily' }", "@daily"},
		{"a type annotation", "a.ts", v2 + "export const config: Config = { schedule: '@daily' }", "@daily"},
		{"a config clause", "a.mjs", v2 + "const c = { schedule: '@daily' }; export { c as config }", "@daily"},
		{"config in the default export", "a.mjs", "export default { fetch() {}, config: { schedule: '@daily' } }", "@daily"},
		{"an asserted default export", "a.ts", "export default { fetch() {}, config: { schedule: '@daily' } } satisfies F", "@daily"},
		{"exports.config of v2", "a.js", "exports.default = () => 1; exports.config = { schedule: '@daily' }", "@daily"},
		{"no schedule at all", "a.mjs", v2 + "export const config = { path: '/' }", ""},
		{"an undefined schedule", "a.mjs", v2 + "export const config = { schedule: undefined }", ""},
		{"config of v1", "a.js", "exports.handler = f; exports.config = { schedule: '@daily' }", "@daily ! beside a handler"},
		{"satisfies", "a.ts", v2 + "export const config = { schedule: '@daily' } satisfies Config", "@daily ! satisfies"},
		{"as", "a.ts", v2 + "export const config = ({\n schedule: '@daily' }) as Config", "@daily ! “as”"},
		{"an old assertion", "a.ts", v2 + "export const config = <Config>{ schedule: '@daily' }", "@daily ! <T>"},
		{"an asserted value", "a.ts", v2 + "export const config = { schedule: '@daily' as const }", "@daily ! the value"},
		{"a template literal", "a.mjs", v2 + "export const config = { schedule: `@daily` }", " ! template literal"},
		{"a name", "a.mjs", v2 + "export const config = { schedule: DAILY }", " ! identifier"},
		{"an environment variable", "a.mjs", v2 + "export const config = { schedule: process.env.CRON }", " ! identifier"},
		{"a wrapper", "a.mjs", v2 + "export const config = defineConfig({ schedule: '@daily' })", "@daily ! result of a call"},
		{"exports.config by name", "a.js", "exports.default = () => 1; const c = { schedule: '@daily' }; exports.config = c", "@daily ! is a name"},
		{"JSX", "a.jsx.js", v2 + "const x = <b/>; export const config = { schedule: '@daily' }", "@daily ! JSX"},
		{"nonsense", "a.mjs", v2 + "export const config = { schedule: 'every day' }", "every day ! not a valid schedule"},

		{"schedule() by name", "a.mjs", esm + "export const handler = schedule('@daily', f)", "@daily"},
		{"schedule() renamed", "a.mjs", "import { schedule as s } from '@netlify/functions'; export const handler = s('@daily', f)", "@daily"},
		{"schedule() required", "a.js", cjs + "exports.handler = schedule('@daily', f)", "@daily"},
		{"schedule() required and renamed", "a.js", "const { schedule: s } = require('@netlify/functions'); module.exports.handler = s('@daily', f)", "@daily"},
		{"schedule() in a clause", "a.mjs", esm + "const handler = schedule('@daily', f); export { handler }", "@daily"},
		{"schedule() of a const", "a.js", cjs + "const C = '@daily'; exports.handler = schedule(C, f)", "@daily"},
		{"schedule() of a let", "a.js", cjs + "let C; C = '@daily'; exports.handler = schedule(C, f)", "@daily"},
		{"schedule() of a parameter", "a.js", cjs + "exports.handler = schedule(process.env.CRON, f)", " ! not a literal"},
		{"an asserted schedule()", "a.ts", esm + "export const handler = schedule('@daily', f) as Handler", "@daily ! the call is written"},
		{"sloppy code", "a.js", "exports.default = () => 1; exports.config = { schedule: '@daily' }; with (x) {}", "@daily ! stumbles"},
		{"schedule() of a template", "a.js", cjs + "exports.handler = schedule(`@daily`, f)", " ! template literal"},
		{"schedule() without arguments", "a.js", cjs + "exports.handler = schedule()", " ! no arguments"},
		{"schedule() through a namespace", "a.mjs", "import * as nf from '@netlify/functions'; export const handler = nf.schedule('@daily', f)", "@daily ! namespace"},
		{"schedule() through a required namespace", "a.js", "const nf = require('@netlify/functions'); exports.handler = nf.schedule('@daily', f)", "@daily ! namespace"},
		{"schedule() under a name", "a.js", cjs + "const h = schedule('@daily', f); exports.handler = h", "@daily ! exports.handler is a name"},
		{"schedule() in an object", "a.js", cjs + "module.exports = { handler: schedule('@daily', f) }", "@daily ! not this form"},
		{"schedule() as the default", "a.mjs", esm + "export default schedule('@daily', f)", "@daily ! default export"},
		{"another package's schedule()", "a.mjs", "import { schedule } from 'x'; export const handler = schedule('@daily', f)", ""},
		{"a bad expression", "a.js", cjs + "exports.handler = schedule('99 * * * *', f)", "99 * * * * ! minute"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := Analyze(c.file, []byte(c.src))
			var got []string
			for _, d := range f.Declared {
				s := d.Expression
				if d.Why != "" {
					s += " ! " + d.Why
				}
				got = append(got, s)
				if d.At.Line < 1 {
					t.Errorf("no place: %+v", d)
				}
			}
			expr, why, ignored := strings.Cut(c.want, " ! ")
			switch all := strings.Join(got, "; "); {
			case !ignored && all != c.want, ignored && (!strings.HasPrefix(all, expr+" ! ") || !strings.Contains(all, why)):
				t.Errorf("got %q, want %q", all, c.want)
			}
		})
	}
}

func TestConfigOfFunction(t *testing.T) {
	f := Analyze("a.mts", []byte("export default async () => 1\nexport const config: Config = { path: ['/a', '/b'], method: 'post', background: true, nodeBundler: 'nft' }"))
	if got := fmt.Sprintf("%v %v %v %s %s", f.Routes, f.Methods, f.Background, f.Bundler, f.Format); got != "[/a /b] [POST] true nft esm" {
		t.Error(got)
	}
	f = Analyze("a.js", []byte("exports.handler = f; exports.config = { path: '/a' }"))
	if f.Routes != nil {
		t.Error("v1 has no routes", f.Routes)
	}
}

func TestResolve(t *testing.T) {
	tr := tree("f/a.js", "lib/one.mts", "lib/Two.ts", "lib/three/index.js", "lib/pkg/package.json", "lib/x.d.ts", "lib/data.json", "gen/", "lib/y.tsx")
	for _, c := range []struct{ spec, want string }{ // file, "?" unknown, "missing", "missing like FILE"
		{"./a", "f/a.js"}, {"./a.js", "f/a.js"}, {"../lib/one", "lib/one.mts"}, {"../lib/one.mjs", "lib/one.mts"}, {"../lib/y.js", "lib/y.tsx"},
		{"../lib/three", "lib/three/index.js"}, {"../lib/three/", "lib/three/index.js"}, {"../lib/data.json", "lib/data.json"}, {"../lib/data.json?raw", "lib/data.json"},
		{"../lib/x", "lib/x.d.ts"}, {"../lib/two", "missing like lib/Two.ts"}, {"../lib/two.js", "missing like lib/Two.ts"}, {"./b", "missing"}, {"../lib", "missing"},
		{"../lib/pkg", "?"}, {"../gen/x", "?"}, {"../dist/x", "?"}, {"../node_modules/x", "?"}, {"../../out/of/tree", "?"}, {"..", "missing"}, {".", "missing"},
	} {
		file, missing, like := Resolve(tr, "f", c.spec)
		got := file
		switch {
		case missing && like != "":
			got = "missing like " + like
		case missing:
			got = "missing"
		case file == "":
			got = "?"
		}
		if got != c.want {
			t.Errorf("%s: %s, want %s", c.spec, got, c.want)
		}
	}
}

func TestClosure(t *testing.T) {
	said := map[string][]string{"f/a.js": {"./b", "../lib/c"}, "f/b.js": {"./a", "../lib/c"}, "lib/c.js": {"./d", "./gone"}, "lib/d.js": {"../f/a"}}
	asked := map[string]int{}
	files, links := Closure(tree("f/a.js", "f/b.js", "lib/c.js", "lib/d.js", "lib/e.js"), "f/a.js", func(p string) Source {
		asked[p]++
		var s Source
		for _, i := range said[p] {
			s.Imports = append(s.Imports, js.Import{Path: i, Line: 1, Column: 1})
		}
		return s
	})
	if want := []string{"f/a.js", "f/b.js", "lib/c.js", "lib/d.js"}; !slices.Equal(files, want) {
		t.Errorf("files %q, want %q", files, want)
	}
	if len(links) != 7 || asked["f/a.js"] != 1 {
		t.Errorf("%d links, want 7; main asked %d times, want once", len(links), asked["f/a.js"])
	}
}

// What goes into the store must come back the same.
func TestCacheable(t *testing.T) {
	f := Analyze("a.ts", []byte("import './x'; export default () => 1; export const config = { schedule: `x`, path: '/' } as C"))
	b, _ := json.Marshal(f)
	var back Function
	if err := json.Unmarshal(b, &back); err != nil || !reflect.DeepEqual(*f, back) {
		t.Errorf("%v\n%+v\n%+v", err, *f, back)
	}
	c := Parse([]byte("[functions.a]\nschedule = '@daily'\ntimeout = 3\n[functions.b]\nincluded_files = ['x']"), "production")
	b, _ = json.Marshal(c)
	var c2 Config
	if err := json.Unmarshal(b, &c2); err != nil || !reflect.DeepEqual(*c, c2) {
		t.Errorf("%v\n%+v\n%+v", err, *c, c2)
	}
}

func FuzzAnalyze(f *testing.F) {
	f.Add("export default () => 1; export const config = { schedule: `@daily`, path: [1, '/'] } satisfies C", 0)
	f.Add("const { schedule } = require('@netlify/functions'); exports.handler = schedule('* * * * *', h)", 1)
	f.Add("import * as n from '@netlify/functions'; export { n as handler, n as default }", 2)
	f.Add("export default { config: { schedule: ['x'], ...y } }", 0)
	f.Fuzz(func(t *testing.T, src string, n int) {
		file := []string{"a.js", "a.ts", "a.tsx"}[uint(n)%3]
		a := Analyze(file, []byte(src))
		if !reflect.DeepEqual(a, Analyze(file, []byte(src))) {
			t.Fatal("not deterministic")
		}
		for _, d := range a.Declared {
			if d.Why == "" && BadSchedule(d.Expression) != "" {
				t.Fatalf("a bad schedule takes effect: %q", d.Expression)
			}
			if d.Why == "" && d.Form == "config" && a.Version != V2 {
				t.Fatal("config of v1 takes effect")
			}
		}
		if (a.State == HandlerMissing || a.State == HandlerWrong) && len(a.Problems) > 0 {
			t.Fatal("a file that cannot be loaded has no handler to judge")
		}
	})
}
