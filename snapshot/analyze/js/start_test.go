package js

import (
	"fmt"
	"strings"
	"testing"
)

func TestStarts(t *testing.T) {
	for _, c := range []struct{ name, src, want string }{
		{"a command", "const { execSync } = require('child_process');\nexecSync('npm run build', { stdio: 'inherit' });", "2:10 npm run build"},
		{"words", "import cp from 'node:child_process';\ncp.spawn('node', ['scripts/a.js', name, 'it is'], { env });", "2:10 node scripts/a.js $x 'it is'"},
		{"another name", "import { spawnSync as go } from 'child_process';\ngo(process.execPath, ['a.js']);", ""}, // only what is called as Node calls it is looked for
		{"this Node", "import { spawnSync } from 'child_process';\nspawnSync(process.execPath, ['a.js']);", "2:19 node a.js"},
		{"beside the script", "const { fork } = require('child_process'); const path = require('path');\nfork(path.join(__dirname, 'lib', 'a.js'));", `2:11 node "$(dirname "$0")"/lib/a.js`},
		{"a template", "const { exec } = require('child_process');\nexec(`node a.js ${x} && node b.js`, done => {});", "2:6 node a.js $x"},
		{"a constant", "const { exec } = require('child_process');\nconst CMD = 'node a.js';\nexec(CMD);", "2:7 node a.js"},
		{"caught", "const { execSync } = require('child_process');\ntry { execSync('node a.js') } catch { }", "2:16 guarded node a.js"},
		{"put together", "const { execSync } = require('child_process');\nexecSync('node ' + 'a.js');", "2:10 node a.js"},
		{"in another folder", "const { execSync } = require('child_process');\nexecSync('node a.js', { cwd: 'web' });", ""},
		{"options that cannot be seen", "const { execSync } = require('child_process');\nexecSync('node a.js', options); execSync('node b.js', { ...options });", ""},
		{"another exec", "const { exec } = require('./db');\nexec('node a.js'); /x/.exec('node a.js');", ""},
		{"a command without an end", "const { exec } = require('child_process');\nexec('node a.js " + strings.Repeat("x", maxCommand) + "');", ""},
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
