package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// A pinged is a server that keeps what it was sent.
type pinged struct {
	*httptest.Server
	bodies []string
	answer func(http.ResponseWriter, *http.Request)
}

func listen(t *testing.T) *pinged {
	p := &pinged{answer: func(http.ResponseWriter, *http.Request) {}}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		p.bodies = append(p.bodies, r.Method+" "+string(b))
		p.answer(w, r)
	}))
	t.Cleanup(p.Close)
	return p
}

// An address is told after each run that is kept, of nothing but numbers; that it
// does not answer is a finding, and never says the address.
func TestPing(t *testing.T) {
	dir := t.TempDir()
	root := filepath.Join(dir, "project")
	for name, text := range map[string]string{"project/tools/secret-name.sh": "#!/bin/sh\nif x; then\n", "project/package.json": `{"scripts":{"a":"sh tools/secret-name.sh"}}`} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	p := listen(t)
	config := filepath.Join(dir, "audit.yaml")
	if err := os.WriteFile(config, []byte("hooks: {ping: '"+p.URL+"/hunter2-uuid'}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	run := func(args ...string) (int, string) {
		var out bytes.Buffer
		now = now.Add(time.Hour)
		code := Main(t.Context(), &Process{Args: append([]string{"run", "--config", config, "--root", root, "--fail-on", "critical"}, args...), Stdin: strings.NewReader(""), Stdout: &out, Stderr: &out,
			Env: func(n string) string { return map[string]string{"PATH": "/usr/bin:/bin", "HOME": dir}[n] }, Now: func() time.Time { return now }})
		return code, strings.Join(strings.Fields(out.String()), " ")
	}
	if code, out := run(); code != exitOK || strings.Contains(out, "hunter2") {
		t.Fatalf("exit %d\n%s", code, out)
	}
	if len(p.bodies) != 1 || !strings.HasPrefix(p.bodies[0], `POST {"schema":"audit.hook/v1","event":"ping","run":{"id":"`) || !strings.Contains(p.bodies[0], `"seq":1`) {
		t.Fatal(p.bodies)
	}
	for _, private := range []string{"secret-name", root} {
		if strings.Contains(p.bodies[0], private) {
			t.Errorf("%s stands in %s", private, p.bodies[0])
		}
	}
	if code, _ := run("--ephemeral"); code != exitOK || len(p.bodies) != 1 {
		t.Errorf("a run that keeps nothing: exit %d, %d pings", code, len(p.bodies))
	}

	for name, answer := range map[string]func(http.ResponseWriter, *http.Request){
		"the answer was 500": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) },
		"the answer was 302": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://other.invalid/hunter2", http.StatusFound)
		},
	} {
		p.answer = answer
		code, out := run()
		code2, out2 := run()
		if code != exitOK || code2 != exitOK || !strings.Contains(out+out2, "could not reach 127.0.0.1: "+name) || !strings.Contains(out2, "audit-hook-failed") {
			t.Errorf("%s: exit %d, %d\n%s\n%s", name, code, code2, out, out2)
		}
		if strings.Contains(out+out2, "hunter2") {
			t.Errorf("%s: the address stands in\n%s\n%s", name, out, out2)
		}
	}
	p.Close()
	if code, out := run(); code != exitOK || strings.Contains(out, "hunter2") {
		t.Errorf("exit %d\n%s", code, out)
	}
	told, err := os.ReadFile(filepath.Join("..", "..", "docs", "hook.schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	valid(t, told, strings.TrimPrefix(p.bodies[0], "POST "))
}

// valid holds a document against a schema.
func valid(t *testing.T, schema []byte, doc string) {
	t.Helper()
	s, err := jsonschema.UnmarshalJSON(bytes.NewReader(schema))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.AssertFormat()
	if err := c.AddResource("s.json", s); err != nil {
		t.Fatal(err)
	}
	compiled, err := c.Compile("s.json")
	if err != nil {
		t.Fatal(err)
	}
	var v any
	if err := json.Unmarshal([]byte(doc), &v); err != nil {
		t.Fatal(err)
	}
	if err := compiled.Validate(v); err != nil {
		t.Errorf("%v\n%s", err, doc)
	}
}
