package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// A snapshot judged anew by the checks and the configuration that judged it is
// the same report: nothing that a check needs is lost in the store.
func TestRecheck_same(t *testing.T) {
	root := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	audit := func(args ...string) map[string]any {
		t.Helper()
		var out, said bytes.Buffer
		env := map[string]string{"AUDIT_ROOT": root, "PATH": os.Getenv("PATH"), "HOME": root}
		code := Main(t.Context(), &Process{Args: args, Stdout: &out, Stderr: &said, Env: func(k string) string { return env[k] }, Now: func() time.Time { return now }})
		if code != exitOK && code != exitGate {
			t.Fatalf("%v: exit %d\n%s", args, code, said.String())
		}
		var doc map[string]any
		if err := json.Unmarshal(out.Bytes(), &doc); err != nil {
			t.Fatal(err)
		}
		return doc
	}
	workflow := "name: A\non: push\njobs:\n  a:\n    runs-on: %s\n    steps:\n      - uses: someone/thing@v1\n      - run: %s\n"
	write(".github/workflows/a.yml", fmt.Sprintf(workflow, "ubuntu-latest", "npm run build"))
	write("package.json", `{"scripts": {"build": "node tools/build.js"}}`)
	write("tools/build.js", "// audit: ignore[script-syntax] reason=soon until=2027-02-01\nconst a = 1\n")
	write("crontab", "SHELL=/bin/sh\n5 3 * * * ./tools/gone.sh\n6 3 * * * ./tools/a.sh\n")
	write("tools/a.sh", "#!/bin/sh\nls\n")
	write("ecosystem.config.js", "module.exports = {apps: [{name: 'api', script: 'tools/build.js', cron_restart: '0 3 * * *'}]}\n")
	write("netlify.toml", "[build]\n  functions = \"functions\"\n")
	write("functions/hello.js", "exports.handler = async () => ({ statusCode: 200 })\n")
	for i, change := range []func(){
		func() {},
		func() { write(".github/workflows/a.yml", fmt.Sprintf(workflow, "big-box", "echo done")) },
		func() { write("functions/hello.js", "export const x = 1\n") },
		func() { write("tools/build.js", "const a = ;\n") },
		func() { os.Remove(filepath.Join(root, "tools/a.sh")) },
		func() { write("package.json", "{") },
	} {
		change()
		now = now.Add(time.Hour)
		audit("run", "--format", "json")
		if n := fmt.Sprintf("#%d", i+1); true {
			was, again := audit("report", n, "--format", "json"), audit("report", n, "--recheck", "--format", "json")
			if again["rechecked"] == nil {
				t.Errorf("%s: it does not say that it is judged anew", n)
			}
			for _, doc := range []map[string]any{was, again} {
				delete(doc, "rechecked")
			}
			if d := cmp.Diff(was, again); d != "" {
				t.Errorf("%s (-then +now):\n%s", n, d)
			}
		}
	}
}
