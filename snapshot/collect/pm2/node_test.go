//go:build unix

package pm2

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"healthaudit/snapshot"
	"healthaudit/snapshot/collect"
	"healthaudit/snapshot/collect/collecttest"
	"healthaudit/snapshot/host"
)

const onlyNode = `
-- node_modules/app-of/index.js --
module.exports = (name) => ({ name, script: __dirname.replace(/.node_modules.*/, '') + '/server.js', env: { KEY: 's3cret', NESTED: { b: 1, a: 2 } } })
-- ecosystem.config.js --
const version = require('fs').readFileSync(__dirname + '/VERSION', 'utf8').trim()
console.log('noise'); require('fs').writeSync(1, 'more noise\n')
module.exports = { apps: [require('app-of')('api-' + version), { name: 'SECRET_OF_OURS' in process.env ? 'leaks' : 'clean', script: 'server.js' }] }
-- VERSION --
7
-- server.js --
`

// What only real Node can evaluate is unknown, unless the configuration allows
// it; then every way to misbehave has its end and its reason.
func TestNode(t *testing.T) {
	out, err := exec.Command("node", "--version").Output()
	if major, _ := version(string(out)); err != nil || major < 20 {
		t.Skip("no Node with a permission model")
	}
	if testing.Short() {
		t.Skip("real Node takes its time: not in short runs")
	}
	root := t.TempDir()
	collecttest.Write(t, root, onlyNode)
	collectWith := func(root string, node bool) collect.Result {
		s := collecttest.Session(t, root)
		h, err := host.New(root, os.Getenv, s.Host.Now)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { h.Close() })
		s.Host, s.Files, s.Config.PM2Node = h, &collect.Capture{Host: h}, node
		s.Config.PM2Homes = []string{t.TempDir()}
		return collected(t, s)
	}
	t.Setenv("SECRET_OF_OURS", "s3cret")
	const file = "pm2/file:ecosystem.config.js"
	without := collectWith(root, false)
	if it := itemOf(without, file); it.State != "needs-node" || it.Unknown != "calls fs.readFileSync" {
		t.Errorf("without Node: %s, %q", it.State, it.Unknown)
	}
	res := collectWith(root, true)
	if it := itemOf(res, file); it.State != "ok" || it.Unknown != "" {
		t.Fatalf("with Node: %s, %q", it.State, it.Unknown)
	}
	api := itemOf(res, "pm2/api-7")
	if api == nil || api.Line != 0 || fact(api, "declared.script") != "server.js" || fact(api, "declared.varies") != "*" {
		t.Errorf("the app: %+v", api)
	}
	if itemOf(res, "pm2/clean") == nil {
		t.Error("our environment reaches the file")
	}
	if b, _ := json.Marshal(res); strings.Contains(string(b), "s3cret") {
		t.Errorf("a secret in %s", b)
	}
	for _, c := range []struct{ title, src, want string }{
		{"never ends", `require('fs').readFileSync(__filename); while (true) {}`, "needs more than 2 seconds or 256 MB"},
		{"ends the process", `process.exit(0)`, "ends the process itself"},
		{"fills the heap", `require('fs').readFileSync(__filename); const all = []; for (;;) all.push('x'.repeat(1 << 20) + all.length, Array(1e5).fill(all.length))`, "needs more than 2 seconds or 256 MB"},
		{"fills memory beside the heap: by an error, or by the limit", `const all = []; for (;;) all.push(Buffer.alloc(1 << 28, 1))`, ""},
		{"declares a long text", `require('fs').readFileSync(__filename); module.exports = { apps: [{ name: 'a', script: 'x'.repeat(1 << 29 - 25).repeat(1 << 20).slice(0, 6 << 20) }] }`, "prints or declares more than 4 MB"},
		{"prints without end", `for (;;) try { require('fs').writeSync(1, 'x'.repeat(1 << 20)) } catch {}`, "prints or declares more than 4 MB"},
		{"starts a program", `require('child_process').execSync('touch ' + __dirname + '/canary')`, "wants what only PM2 may give it: ChildProcess"},
		{"reads outside the project", `module.exports = { apps: [{ name: require('fs').readFileSync('/etc/passwd', 'utf8'), script: 'x' }] }`, "wants what only PM2 may give it: FileSystemRead"},
		{"writes", `require('fs').writeFileSync(__dirname + '/canary', '')`, "wants what only PM2 may give it: FileSystemWrite"},
		{"throws", `require('fs').readFileSync(__filename); throw new Error('s3cret')`, "throws Error"},
		{"never ends while it is read", `require('fs').readFileSync(__filename); JSON.stringify = () => 's3cret'; process.on('exit', () => {}); module.exports = { toJSON() { while (true) {} } }`, "needs more than 2 seconds or 256 MB"},
		{"exports a promise", `module.exports = require('fs').promises.readFile(__filename)`, "exports a promise, for which PM2 does not wait"},
	} {
		t.Run(c.title, func(t *testing.T) {
			root := t.TempDir()
			collecttest.WriteFile(t, root, "ecosystem.config.js", []byte(c.src))
			it := itemOf(collectWith(root, true), file)
			_, got, ok := strings.Cut(it.Unknown, "; in real Node it ")
			if it.State != "needs-node" || !ok || c.want != "" && got != c.want {
				t.Errorf("%s, %q, want %q", it.State, it.Unknown, c.want)
			}
			if _, err := os.Stat(filepath.Join(root, "canary")); err == nil {
				t.Error("it left something behind")
			}
		})
	}
}

func fact(it *snapshot.Item, name string) string {
	if it == nil {
		return "(no item)"
	}
	v, _ := it.Fact(name)
	if list := v.Strings(); len(list) > 0 {
		return strings.Join(list, ",")
	}
	return v.Str()
}
