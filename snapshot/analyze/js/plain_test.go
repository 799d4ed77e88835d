package js

import (
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// rewritten is what esbuild rewrites, so that a file that was read as it stands
// would be taken for something else.
var rewritten = []struct{ name, src string }{
	{"a variable that hides require", "(function(require) { require('./a') })(x); (function(require) { if (b) { var c = require('./d') } })(require);"},
	{"a name put together", "const u = require('./u' + 'rl');"},
	{"a name in a template", "const u = require(`./u${'rl'}`);"},
	{"what is never loaded", "false && import('./a').then(b);"},
	{"a function that is declared again", "function a() { require('./a') }\nfunction a() { }\na();"},
	{"a loop without an end", "while (!0) { work() }"},
	{"a loop by comparison", "while ('a' === 'a') { work() }"},
	{"a command put together", "require('child_process').execSync('git add' + ' -A');"},
	{"a command put together at the end", "const { execSync } = require('child_process'); execSync(a + 'git push' + ' x'); execSync(`git ` + `push`);"},
	{"a variable put together", "go(process.env['A' + 'B']);"},
	{"a path of one machine", "open('/Users/mar\\x69a/a.json'); open('/Users/jo' + '/b.json');"},
	{"a command that is no ASCII", "execSync('git commit -m ü && git push');"},
	{"a program that is started", "const { execSync } = require('child_process');\nexecSync(`git push origin ${b}`);\nfunction f(execSync) { execSync('node a.js') }\nwhile (true) { if (x) break }\n"},
	{"the outcome of another", "const code = 1; require('child_process').spawn('x').on('exit', (code) => process.exit(code || 0));"},
	{"a variable that holds another", "const a = process.env.A; function f(a) { return a || 1 }\nuse(process.env.A);"},
	{"a byte order mark", "\ufeffconst a = require('./a');"},
	{"lines that only Macintosh ends", "const a = 1;\rconst b = require('./b');"},
	{"lines that only Unicode ends", "const a = '\u2028'; const b = require('./b');"},
	{"lines that only Unicode parts", "const a = '\u2029'; const b = require('./b');"},
	{"a comment of HTML", "a();\n<!-- require('./b')\n--> require('./c')\nrequire('./d');"},
	{"bytes that are no text", "const a = require('./a\xff');"},
	{"exports alone", "\nconst _B = class B {\n  static m() { return B }\n};\n\nexport const B = _B;\n"},
	{"a name that hides a global one", "require('child_process').spawn('x').on('exit', (code) => process.exit(code || 0)); f(code);"},
	{"what a literal keeps from loading", "false && require('./b'); true || require('./c'); 1 ?? require('./d');"},
	{"what a literal that is worked out keeps from loading", "!1 && require('./b'); !(a && 0) || require('./c'); typeof null === 'object' || require('./d');"},
	{"what a comparison of literals keeps from loading", "'x' !== 'x' && require('./b'); null == undefined || require('./c');"},
	{"what no sum lets load", "a + b ?? require('./b'); -a ?? require('./c'); (() => {}) ?? require('./d');"},
	{"what a literal at the end keeps from loading", "(a && 0) && require('./b'); a || 1 || require('./c'); (a, 1) || require('./d');"},
	{"what a name of a number keeps from loading", "Infinity || require('./b'); NaN && require('./c'); undefined && require('./d');"},
	{"what a list or a class keeps from loading", "[] || require('./b'); x = class {} || require('./c'); x = function() {} || require('./d');"},
	{"what a chain from nothing keeps from loading", "null?.[require('./b')]; undefined?.a.b(require('./c')); null?.(require('./d'));"},
	{"what this keeps from loading in a module", "import.meta; this && require('./b'); this?.[require('./c')];"},
	{"what this keeps from loading after an await", "await f(); for await (const a of f()); this && require('./b');"},
	{"what this keeps from loading beside exports", "import './c'; export const a = 1; this && require('./b');"},
	{"needs and marks of what never runs", "false && use(process.env.A); require('child_process'); true || process.exit(code || 0);"},
	{"a function that is only denied", "if (!(() => process.env.A)) { use(typeof function() { return process.env.B }) }"},
	{"a name that a condition leaves", "(true && require)('./b');"},
	{"a loop by what has no value", "while (!undefined) { work() }"},
	{"a loop by another one", "while (0x1) { work() }"},
	{"an outcome by another nought", "require('child_process').spawn('x').on('exit', (code) => process.exit(code || 0x0));"},
	{"an outcome by a nought with a sign", "require('child_process').spawn('x').on('exit', (code) => process.exit(code || +0));"},
	{"an end by another nought", "console.log('a'); process.exit(0.0);"},
	{"a name in brackets", "require('./a'); (require)('./b'); ((require))('./c');"},
	{"a function that hides another in its block", "{ function process() {} use(process.env.A) }"},
	{"a function that does in strict code", "'use strict'; { function process() {} use(process.env.A) } use(process.env.B);"},
	{"a constant in a switch that does", "process.exit(1); switch (a) { case 1: const process = x; use(process.env.SECRET) }"},
	{"a function in a switch that does", "switch (a) { case 1: function process() {} use(process.env.A) }"},
	{"a class that does", "use(process.env.B, class process { static { use(process.env.A) } });"},
	{"a variable with an escape", "use(process.env['\\u0041']);"},
	{"a variable over two lines", "use(process.env['A\\\nB']);"},
	{"a variable that is no ASCII", "use(process.env['ä'], process.env.ö);"},
	{"a variable that ends a script", "use(process.env['</script']);"},
	{"names with escapes", "r\\u0065quire('./b'); use(process.\\u0065nv.B, proc\\u0065ss.env.C, process.env.D);"},
	{"a property with an escape", "require('child_process').spawn('x').on('exit', (r) => { return { \\u0073tatus: r.status || 0 } });"},
	{"a variable in brackets", "use(process.env[('B')]);"},
	{"a variable in a template", "use(process.env[`B`]);"},
	{"a variable in quotes", "use(process.env['B']);"},
	{"what says something in brackets", "(console.log)('a');\n(console.log('b'));"},
}

func TestOutlineOfWhatIsRewritten(t *testing.T) {
	for _, c := range rewritten {
		t.Run(c.name, func(t *testing.T) {
			src := []byte(c.src)
			sound := Sound([][]byte{src})[0]
			if diff := cmp.Diff(OutlineOf("a.js", src, false), OutlineOf("a.js", src, sound)); diff != "" || !sound {
				t.Errorf("sound: %v; - by esbuild, + as it stands:\n%s", sound, diff)
			}
		})
	}
	for _, file := range []string{"a.ts", "a.tsx"} {
		src := []byte("import { a } from './a';\nconst b: number = 1;\nb;")
		if diff := cmp.Diff(OutlineOf(file, src, false), OutlineOf(file, src, true)); diff != "" {
			t.Errorf("%s: %s", file, diff)
		}
	}
}

// Ordinary files are read as they stand, and say the same.
func TestOutlineOfPlainCode(t *testing.T) {
	for _, src := range []string{
		"#!/usr/bin/env node\n'use strict';\nconst fs = require('node:fs'), { a } = require(\"./a\");\n\nmodule.exports = { a };\n",
		"import b from './b.mjs';\nimport './c.mjs'; // for its effects\nexport const d = (b) || process.env.D;\n",
		"try { require('./x') } catch { }\nfunction f() { return require(`./y`) }\nf();\nconsole.log('ä', process.env.A, process.env['B']);\n",
		"const { ChildProcess } = require('child_process');\nwhile (true) { if (x) break }\n",
		"const d = (this && this.__importDefault) || function (a) { return a };\nuse(process.env['A'], process.env[`B`], process.env[('C')]);\n",
		"typeof window === 'undefined' && require('./a');\nif (!module.parent || require.main === module) { a && a.b > 1 || (c = d) && require('./b') }\n(require('./c')), a?.b?.(require('./d')) ?? e(1.5, 10, -1);\n",
		"/* it */ console.log('Status: Completed');\n",
		"const t = setInterval(work, 60000);\r\nexports.t = t;\r\n",
		"const x = (a, /* b */ c) => ({ ...a, c });\nlabel: for (const y of x) { continue label }\nclass Z { #p = 1; static { require('./z') } }\n",
	} {
		m := &Module{}
		if !Sound([][]byte{[]byte(src)})[0] || !asItStands("a.js", []byte(src)) || !m.plain("a.js", []byte(src)) {
			t.Errorf("not read as it stands: %s", src)
		}
		if diff := cmp.Diff(OutlineOf("a.js", []byte(src), false), OutlineOf("a.js", []byte(src), true)); diff != "" {
			t.Errorf("%s\n- by esbuild, + as it stands:\n%s", src, diff)
		}
	}
}

func TestSound(t *testing.T) {
	texts := [][]byte{
		[]byte("const a = 1;"), []byte("const a = ;"), []byte("export const b = <div/>;"), []byte("let c: number = 1"), []byte("break;"), nil,
		[]byte("const d = 1; const d = 2;"), []byte("d = 1; d = 2; return d"), {0xff, 0xfe, 'a', 0}, []byte(strings.Repeat("(", MaxNesting+1) + "1" + strings.Repeat(")", MaxNesting+1)),
		[]byte("// " + strings.Repeat("x", maxTogether)), []byte("import a from './never-asked-for'; import('nor-this')"), []byte("@e class E {}"), []byte("x = `"),
	}
	want := []bool{true, false, false, false, false, true, false, true, false, false, true, true, true, false}
	if diff := cmp.Diff(want, Sound(texts)); diff != "" {
		t.Error(diff)
	}
	for i, src := range texts {
		if m := Parse("a.js", src); want[i] != (len(m.Problems) == 0 && !m.JSX && m.Unjudged == "") {
			t.Errorf("%d: Parse says otherwise: %+v", i, m)
		}
	}
	if got := Sound(nil); len(got) != 0 {
		t.Error(got)
	}
}

// The sample site and the corpora say the same of themselves, however they are read.
func TestOutlineOfCorpora(t *testing.T) {
	files := 0
	err := filepath.WalkDir("../../../testdata", func(p string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || loaders(p)[0] != loaders("a.js")[0] || !strings.HasSuffix(path.Ext(p), "js") {
			return err
		}
		src, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		files++
		if diff := cmp.Diff(OutlineOf(p, src, false), OutlineOf(p, src, Sound([][]byte{src})[0])); diff != "" {
			t.Errorf("%s\n- by esbuild, + as it stands:\n%s", p, diff)
		}
		return nil
	})
	if err != nil || files < 20 {
		t.Error(files, "files:", err)
	}
}
