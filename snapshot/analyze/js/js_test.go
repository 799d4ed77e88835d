package js

import (
	"encoding/base64"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSyntax(t *testing.T) {
	deep := strings.Repeat
	for _, c := range []struct {
		name, file, src string
		want            string // line:column message, "" for none
	}{
		{"takes CommonJS with a hash-bang", "a.js", "#!/usr/bin/env node\nmodule.exports = 1\n", ""},
		{"takes an ES module", "a.mjs", "import x from 'y'; export default await x", ""},
		{"takes sloppy code and top-level return", "a.cjs", "with (a) { b }\nreturn 010", ""},
		{"takes TypeScript with parameter decorators", "a.ts", "class A { constructor(@Inject() private x: B) {} }", ""},
		{"takes TSX", "a.tsx", "export const A = () => <b>{1 as number}</b>", ""},
		{"tolerates JSX in a .js file", "a.js", "export const A = () => <b>x</b>", ""},
		{"takes a byte order mark", "a.js", "\ufeffexports.a = 1", ""},
		{"takes a file without an ending", "bin/tool", "#!/usr/bin/env node\nlet a = 1", ""},
		{"takes an empty file", "a.js", "", ""},
		{"takes conflict markers inside a template", "a.js", "x = `\n<<<<<<< HEAD\n`", ""},
		{"names the conflict marker that breaks it", "a.js", "a()\n<<<<<<< HEAD\nb()\n=======\nc()\n>>>>>>> x\n", "2:1 merge conflict marker"},
		{"places an error", "a.js", "let a = 1\nlet b = (\n}\n", `3:1 Unexpected "}"`},
		{"reports the JavaScript error, not the JSX one", "a.js", "let a = ;", `1:9 Unexpected ";"`},
		{"rejects TypeScript in a .js file", "a.js", "let a: number = 1", `1:6 Expected ";" but found ":"`},
		{"names UTF-16", "a.js", "\xff\xfea\x00", "1:1 the file is UTF-16 (little endian); Node reads UTF-8 only"},
		{"rejects a NUL byte", "a.js", "a\x00b", `1:2 Expected ";" but found something`},
		{"does not judge what is nested too deeply", "a.js", deep("(", 1e6), ""},
		{"does not judge what is too large", "a.js", "x(" + deep(" ", MaxSize), ""},
		{"leaves out what it would quote", "a.js", `let a = "x" "secret-4711"`, `1:13 Expected ";" but found something`},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := ""
			if p := Syntax(c.file, []byte(c.src)); len(p) > 0 {
				got = fmt.Sprintf("%d:%d %s", p[0].Line, p[0].Column, p[0].Message)
			}
			if got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestImports(t *testing.T) {
	src := "import a from './a'\n" +
		"import type { T } from './gone-type'\n" +
		"import { U } from './gone-too'\n" +
		"export * from \"./b\"\n" +
		"/* é */ const c = require('./c')\n" +
		"function f() { const require = x => x; return require('./not') }\n" +
		"try { require('./d') } catch { require('./e') } finally { require('./f') }\n" +
		"try { require('./g') } finally {}\n" +
		"import('./h').catch(() => 0)\n" +
		"const i = `${import(`./i`)}`\n" +
		"require('./' + x); import(x)\n" +
		"a(c, i as U)\n"
	want := []string{"1:15 import ./a", "4:15 import ./b", "5:28 require ./c", "7:15 optional require ./d", "7:40 require ./e",
		"7:67 require ./f", "8:15 require ./g", "9:8 optional dynamic ./h", "10:21 dynamic ./i"}
	var got []string
	for _, i := range Imports("x.ts", []byte(src)) {
		o := ""
		if i.Optional {
			o = "optional "
		}
		got = append(got, fmt.Sprintf("%d:%d %s%s %s", i.Line, i.Column, o, i.Kind, i.Path))
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// show is one export as name decl kind[=text][!assertion], from, line.
func show(m *Module) []string {
	var out []string
	for _, e := range m.Exports {
		s := strings.TrimSpace(fmt.Sprintf("%d %s %s %s", e.Line, e.Name, e.Decl, e.Value.Kind))
		if e.Value.Text != "" {
			s += "=" + e.Value.Text
		}
		if e.Value.Assertion != "" {
			s += "!" + e.Value.Assertion
		}
		if e.From != "" {
			s += " from " + e.From
		}
		out = append(out, strings.TrimSpace(s))
	}
	if !m.Complete {
		out = append(out, "…")
	}
	return out
}

func TestExports(t *testing.T) {
	for _, c := range []struct {
		name, src string
		want      []string // … when something cannot be followed
	}{
		{"members", "exports.a = 1\nmodule.exports.b = () => 1", []string{"1 a member number=1", "2 b member function"}},
		{"a quoted member", "exports['a-b'] = \"x\\u0041\"", []string{"1 a-b index string=xA"}},
		{"a chain", "exports.a = exports.b = c", []string{"1 a member identifier=c", "1 b member identifier=c"}},
		{"an object", "const h = () => 1\nmodule.exports = {\n h, b: 2, c() {}, 'd': null }",
			[]string{"2 h object function", "3 b object number=2", "3 c object function", "3 d object null"}},
		{"an object under a name", "const o = { a: 1 }; module.exports = o", []string{"1 a object number=1"}},
		{"an object with a spread", "module.exports = { a: 1, ...b }", []string{"1 a object number=1", "…"}},
		{"a function", "module.exports = exports = function () {}", []string{"1 module.exports assign function"}},
		{"another module", "module.exports = require('./x')", []string{"1 module.exports assign call=require from ./x", "…"}},
		{"a hidden way", "Object.assign(exports, x)", []string{"…"}},
		{"a use that exports nothing", "if (require.main === module) run(); typeof module", nil},
		{"declarations", "export const a = 1, b = `x`\nexport let c\nexport function d() {}\nexport class e {}",
			[]string{"1 a const number=1", "1 b const template", "2 c let", "3 d function function", "4 e class class"}},
		{"clauses", "const a = !0\nexport { a, a as b, a as 'd e' }\nexport { f } from './f'",
			[]string{"2 a clause boolean=true", "2 b clause boolean=true", "2 d e clause boolean=true", "3 f clause from ./f"}},
		{"a star", "export * from './x'", []string{"1 * clause from ./x", "…"}},
		{"a pattern", "export const { a } = b", []string{"…"}},
		{"a default expression", "export default handler(x)", []string{"1 default default call=handler"}},
		{"a default name", "const h = async () => 1\nexport default h", []string{"2 default default function"}},
		{"a default function", "export default async function () {}", []string{"1 default default function"}},
		{"assertions", "export const a = { x: 1 } satisfies T\nconst b: Rec<string, { y: 1 }> = ({ x: 1 } as T)\nexport { b }\nexport const c = <T>{ x: 1 }\nexport const d: T = { x: 1 }",
			[]string{"1 a const object!satisfies", "3 b clause object!as", "4 c const object!<>", "5 d const object"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := Parse("x.ts", []byte(c.src))
			if len(m.Problems) > 0 || m.Unjudged != "" {
				t.Fatal(m.Problems, m.Unjudged)
			}
			if got := show(m); !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestDigest(t *testing.T) {
	a := Parse("x.ts", []byte("// one\nexport const a: number = 1;")).Digest
	if b := Parse("x.ts", []byte("export  const a=1 // two\n")).Digest; a != b {
		t.Error("comments, types and formatting count")
	}
	if b := Parse("x.ts", []byte("export const a = 2")).Digest; a == b {
		t.Error("another value does not count")
	}
}

// endless are fragments that nest deeper with every repetition, in one of the
// ways a recursive parser follows.
var endless = []string{"(", "[", "{", "!", "~", "- ", "-(", "a=>", "a=", "`${", "<a>", "<a ", "if(a)", "else if(a){}", "if(a){}else ", "if(a)b;else ", "if(a)\nb\nelse ",
	"a.b", "a?.b", "a\n.b", "a()", "a[0]", "`a`", "x(", "a?", "a?b:", "typeof ", "new ", "await ", "function a(){", "class a{b(){",
	"A<", "[{a:", "async a=>", "[]=", "a:", "do ", "for(;;)", "@a ", "**a", "??a", "&&a", "+a", ",a", "|A", "keyof ", "a as ", "${", "import(", "a;", "\"", "/a/"}

func TestNesting(t *testing.T) {
	t.Run("survives every way to nest", func(t *testing.T) {
		for _, p := range endless {
			src := []byte("x=" + strings.Repeat(p, 600_000/len(p)))
			for _, file := range []string{"a.js", "a.tsx"} {
				Parse(file, src)
			}
		}
	})
	t.Run("does not mistake length for depth", func(t *testing.T) {
		for name, src := range map[string]string{
			"statements":               strings.Repeat("if (a.b.c(1)) { d = e ? f : !g }\n", 20_000),
			"statements on one line":   strings.Repeat("a.b.c=d?e:f;", 20_000),
			"no semicolons":            strings.Repeat("const a = b.c(d => !d.e)\n", 20_000),
			"a table":                  "x=[" + strings.Repeat("{a:-1,b:!0,c:'('},", 20_000) + "]",
			"concatenation":            "x='('" + strings.Repeat("+'('+\n\"[\"", 5_000),
			"markup":                   "x=<div>" + strings.Repeat("<p class='a'>it&apos;s</p>\n", 5_000) + "</div>",
			"regular expressions":      strings.Repeat("a = b.replace(/[(\\/]/g, '(')\n", 20_000),
			"an else-if ladder of 200": strings.Repeat("if (a) {} else ", 200) + ";",
		} {
			if n := measure([]byte(src)).deepest; n > MaxNesting/2 {
				t.Errorf("%s: nesting %d", name, n)
			}
		}
	})
}

func TestUnquote(t *testing.T) {
	for in, want := range map[string]string{
		`"a"`: "a", `'\n\t\0'`: "\n\t\x00", `"\x41\u0042\u{1F600}"`: "AB😀", `"\uD83D\uDE00"`: "😀", "`a\\`b`": "a`b", `"\q\'"`: "q'",
		`"\u{zz}"`: "u{zz}", `"\x4"`: "x4", `"a\` + "\n" + `b"`: "ab", `"\uD83D"`: "\ufffd", `"`: "", `"\"`: `\`,
	} {
		if got := unquote([]byte(in)); got != want {
			t.Errorf("%s: %q, want %q", in, got, want)
		}
	}
}

// Places are those of the file, also where it says from which other one it was made.
func TestPlacesOfAFileWithASourceMap(t *testing.T) {
	const sourceMap = `{"version":3,"sources":["a.ts"],"names":[],"mappings":"AAAA"}`
	src := "\"use strict\";\nvar b = 1;\nconst a = require('./a');\n//# sourceMappingURL=data:application/json;base64," + base64.StdEncoding.EncodeToString([]byte(sourceMap))
	if got := Imports("a.js", []byte(src)); len(got) != 1 || got[0].Line != 3 || got[0].Column != 19 {
		t.Error(got)
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"export const config = { schedule: '@daily', path: ['/a'] } satisfies C", "exports.handler = s('x', async () => {})",
		"try { require(`./a`) } catch {}", "module.exports = { a, ...b }", "export { a as 'b c' } from \"./x\"", "<<<<<<< a\n", "const x: A<B> = <C>{}",
		"`${`${1}`}`", "#!x\nclass A { static { } @d() m() {} }", "import x from './y' with { type: 'json' }", "a\u2028b", "\"\\u{110000}\"", "a\rb(\r-a 6"} {
		f.Add(s, byte(0))
		f.Add(s, byte(1))
	}
	for _, p := range endless {
		f.Add(strings.Repeat(p, 3000), byte(2))
	}
	for _, c := range rewritten {
		f.Add(c.src, byte(0))
	}
	files := []string{"a.js", "a.ts", "a.tsx"}
	f.Fuzz(func(t *testing.T, src string, kind byte) {
		file := files[int(kind)%len(files)]
		m, again := Parse(file, []byte(src)), Parse(file, []byte(src))
		if !reflect.DeepEqual(show(m), show(again)) || !slices.Equal(m.Imports, again.Imports) || !slices.Equal(m.Problems, again.Problems) {
			t.Fatal("not deterministic")
		}
		if got := Syntax(file, []byte(src)); !slices.Equal(got, m.Problems) {
			t.Fatalf("Syntax says %v, Parse %v", got, m.Problems)
		}
		if len(m.Problems) > 0 && (len(m.Exports) > 0 || len(m.Imports) > 0) {
			t.Fatal("exports of a file that cannot be loaded")
		}
		if diff := cmp.Diff(OutlineOf(file, []byte(src), false), OutlineOf(file, []byte(src), file == "a.js" && Sound([][]byte{[]byte(src)})[0])); diff != "" {
			t.Fatalf("- by esbuild, + as it stands:\n%s", diff)
		}
		lines := 1
		for _, end := range []string{"\n", "\r", "\u2028", "\u2029"} { // each ends a line of JavaScript, as esbuild counts
			lines += strings.Count(src, end)
		}
		check := func(line, col int) {
			if line < 1 || line > lines+1 || col < 1 || col > len(src)+2 {
				t.Fatalf("place %d:%d is outside the %d lines", line, col, lines)
			}
		}
		for _, p := range m.Problems {
			check(p.Line, p.Column)
			if strings.ContainsAny(p.Message, "\n\x00\x1b") {
				t.Fatalf("message %q", p.Message)
			}
		}
		for _, i := range m.Imports {
			check(i.Line, i.Column)
		}
		for _, e := range m.Exports {
			check(max(e.Line, 1), max(e.Column, 1))
		}
	})
}
