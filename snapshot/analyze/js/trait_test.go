package js

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMarks(t *testing.T) {
	const spawn = "const {spawnSync} = require('child_process');\n"
	for _, c := range []struct{ name, src, want string }{
		{"says only", "'use strict';\nconsole.log('Status: Completed', `at ${new Date().toISOString()}`);\nprocess.exit(0);", "idle 2:9"},
		{"says what it is given", "console.log(process.env.HOME)", ""},
		{"says and fails", "console.log('a'); process.exit(1)", ""},
		{"says and works", "console.log('a'); main()", ""},
		{"loads something", "require('./x'); console.log('a')", ""},
		{"is a module", "console.log('a'); export const x = 1", ""},
		{"a killed child is a success", spawn + "const r = spawnSync('x'); process.exit(r.status || 0)", "killed 2:52 status"},
		{"also by exitCode", spawn + "const r = spawnSync('x'); process.exitCode = r.status ?? 0", "killed 2:58 status"},
		{"in what is returned", spawn + "function f() { const r = spawnSync('x'); return {status: r.status || 0, out: r.stdout} }", "killed 2:70 status"},
		{"of an event", spawn + "c.on('exit', (code) => process.exit(code ?? 0))", "killed 2:45 code"},
		{"a failure when it was killed", spawn + "process.exit(spawnSync('x').status ?? 1)", ""},
		{"the signal is looked at", spawn + "const r = spawnSync('x'); if (r.signal) process.exit(1); process.exit(r.status || 0)", ""},
		{"an answer of HTTP", "return_(r.status || 0); process.exit(r.status || 0)", ""},
		{"pushes", "execSync('git add -A && git commit -m x && git push')", "add-all 1:10\npush 1:10"},
		{"pushes by words", "spawnSync('git', ['add', '.']); run(`git push origin ${branch}`)", "add-all 1:11\npush 1:37"},
		{"pushes with zx", "await $`git push origin main`", "push 1:7"},
		{"says how to push", "console.log('git push'); print('git push')", ""},
		{"adds what it made", "execSync('git add docs/x.json')", ""},
		{"for ever", "while (true) { work() }", "forever 1:8"},
		{"until it is done", "while (true) { if (done) break; work() }", ""},
		{"every minute", "setInterval(work, 60000)", "forever 1:1"},
		{"every minute for a while", "const t = setInterval(work, 60000); clearInterval(t)", ""},
		{"a path of one machine", "// /Users/miami2/a/\nfs.readFileSync('/Users/miami2/project/a.json')", "machine-path 2:17 mac"},
		{"Windows", `cd('C:\\Users\\jo\\x'); cd("D:/Users/jo/x")`, "machine-path 1:4 windows\nmachine-path 1:28 windows"},
		{"a path that is told", "console.log('/Users/miami2/project/a.json'); get('https://x.example/Users/jo/a'); cd('/Users/runner/work/')", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := Parse("x.js", []byte(c.src))
			var got []string
			for _, k := range m.Marks {
				got = append(got, strings.TrimSpace(fmt.Sprintf("%s %d:%d %s", k.Kind, k.Line, k.Column, k.Name)))
			}
			if m.Problems != nil || m.Unjudged != "" {
				t.Fatal(m.Problems, m.Unjudged)
			}
			if d := cmp.Diff(c.want, strings.Join(got, "\n")); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestCommon(t *testing.T) {
	for _, c := range []struct {
		name, src string
		want      *Place
	}{
		{"require", "import a from 'a';\nconst b = require('b')", &Place{2, 19}},
		{"module.exports", "a();\nmodule.exports = 1", &Place{2, 1}},
		{"exports.a.b", "exports.a.b = 1", &Place{1, 1}},
		{"later", "function f() { return require('b') }", nil},
		{"tried", "try { require('b') } catch {}", nil},
		{"asked", "if (typeof module !== 'undefined') module.exports = 1; typeof module === 'object' && (module.exports = 2)", nil},
		{"made", "import {createRequire} from 'module'; const require = createRequire(import.meta.url); require('b')", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			if d := cmp.Diff(c.want, Parse("x.js", []byte(c.src)).Common); d != "" {
				t.Error(d)
			}
		})
	}
}
