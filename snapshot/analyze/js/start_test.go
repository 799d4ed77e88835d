package js

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestStarts(t *testing.T) {
	for _, c := range []struct{ name, src, want string }{
		{"a command", "const { execSync } = require('child_process');\nexecSync('npm run build', { stdio: 'inherit' });", "2:10 npm run build"},
		{"words", "import cp from 'node:child_process';\ncp.spawn('node', ['scripts/a.js', name, 'it is'], { env });", "2:10 node scripts/a.js $x 'it is'"},
		{"another name", "import { spawnSync as go } from 'child_process';\ngo(process.execPath, ['a.js']);", ""}, // only what is called as Node calls it is looked for
		{"this Node", "import { spawnSync } from 'child_process';\nspawnSync(process.execPath, ['a.js']);", "2:19 node a.js"},
		{"beside the script", "const { fork } = require('child_process'); const path = require('path');\nfork(path.join(__dirname, 'lib', 'a.js'));", `2:11 node "$(dirname "$0")"/lib/a.js`},
		{"a template", "const { exec } = require('child_process');\nexec(`npm run gen ${x} --prefix web`, done => {});", ""},
		{"a constant", "const { exec } = require('child_process');\nconst CMD = 'node a.js';\nexec(CMD);", "2:7 node a.js"},
		{"caught", "const { execSync } = require('child_process');\ntry { execSync('node a.js') } catch { }", "2:16 guarded node a.js"},
		{"put together", "const { execSync } = require('child_process');\nexecSync('node ' + 'a.js');", "2:10 node a.js"},
		{"in another folder", "const { execSync } = require('child_process');\nexecSync('node a.js', { cwd: 'web' });", ""},
		{"options that cannot be seen", "const { execSync } = require('child_process');\nexecSync('node a.js', options); execSync('node b.js', { ...options });", ""},
		{"another exec", "const { exec } = require('./db');\nexec('node a.js'); /x/.exec('node a.js');", ""},
		{"a command without an end", "const { exec } = require('child_process');\nexec('node a.js " + strings.Repeat("x", maxCommand) + "');", ""},
		{"on a condition", "const { execSync, spawn } = require('child_process');\nif (!up) execSync('node a.js'); up || spawn('node', ['b.js']);", "2:19 guarded node a.js, 2:45 guarded node b.js"},
		{"a whole command for a shell", "const { spawn } = require('child_process');\nspawn('node scripts/b.js', ['a b'], { shell: true }); spawn('node', ['b.js'], { shell: win });", "2:7 node scripts/b.js a b, 2:61 node b.js"},
		{"a whole command without one", "const { spawn } = require('child_process');\nspawn('node scripts/b.js');", ""},
		{"for another shell", "const { execSync } = require('child_process');\nexecSync('node b.js', { shell: 'pwsh' });", ""},
		{"a parameter", "const { spawnSync } = require('child_process');\nfunction run(file) { spawnSync(process.execPath, [file]) }\nfunction out() { const file = 'report/today.js'; return file }", "2:40 node $x"},
		{"a parameter of the name of a const", "const { spawnSync } = require('child_process');\nconst run = (file) => spawnSync(process.execPath, [file]);\nconst file = 'a.js';", "2:41 node $x"},
		{"a const that is written as a file", "const { spawnSync } = require('child_process'); const FILE = 'a.js';\nfs.writeFileSync(FILE, x); spawnSync('node', [FILE]);", "2:38 node $x"},
		{"after a change of folder", "const { execSync } = require('child_process');\nprocess.chdir('web'); execSync('npm run gen');", ""},
		{"execa", "import { execa } from 'execa';\nawait execa('npm', ['run', 'build']);", "2:13 npm run build"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, sound := range []bool{false, true} {
				var got []string
				for _, s := range OutlineOf("a.js", []byte(c.src), sound).Starts {
					guarded := map[bool]string{true: "guarded "}[s.Guarded]
					got = append(got, fmt.Sprintf("%d:%d %s%s", s.Line, s.Column, guarded, s.Text))
				}
				if g := strings.Join(got, ", "); g != c.want {
					t.Errorf("sound %v: got %s, want %s", sound, g, c.want)
				}
			}
		})
	}
}

// Words that are long together are not joined first.
func TestStarts_bound(t *testing.T) {
	call := "const { spawn } = require('child_process'); const A = '" + strings.Repeat("x", 40<<10) + "';\n"
	one := call + strings.Repeat("spawn('a', ["+strings.Repeat("A,", 500)+"]);\n", 200)
	parts := call + strings.Repeat("spawn('a', [path.join(__dirname, "+strings.Repeat("A, ", 400)+"'b')]);\n", 200)
	start := time.Now()
	for _, src := range []string{one, parts} {
		OutlineOf("a.js", []byte(src), false)
	}
	if took := time.Since(start); took > 30*time.Second { // it was minutes
		t.Errorf("took %v", took)
	}
}
