//go:build unix

package action

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"healthaudit/rules"
	"healthaudit/snapshot"
	"healthaudit/snapshot/host"
)

// A shop is a project, and a folder of programs beside it.
type shop struct {
	t          *testing.T
	root, tool string
	host       *host.OS
}

func newShop(t *testing.T, env map[string]string) *shop {
	t.Helper()
	s := &shop{t: t, root: filepath.Join(t.TempDir(), "project"), tool: t.TempDir()}
	if err := os.Mkdir(s.root, 0o755); err != nil {
		t.Fatal(err)
	}
	h, err := host.New(s.root, func(k string) string { return env[k] }, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.Close() })
	s.host = h
	return s
}

// program writes a program and returns its path.
func (s *shop) program(dir, name, text string) string {
	s.t.Helper()
	file := filepath.Join(dir, name)
	if err := os.WriteFile(file, []byte("#!/bin/sh\n"+text), 0o755); err != nil {
		s.t.Fatal(err)
	}
	return file
}

func (s *shop) prepare(trusted bool, it *snapshot.Item, argv ...string) (rules.Effect, error) {
	params := map[string]string{"argv": asJSON(argv), "env_allow": `["GIVEN"]`, "timeout": "10s"}
	if err := Command.Check(params); err != nil {
		s.t.Fatal(err)
	}
	return Command.Prepare(&rules.Preparation{Item: it, Params: params, Trusted: trusted, Sources: &past{host: s.host}})
}

var importer = &snapshot.Item{Key: "scripts/tools/import.sh", Name: "tools/import.sh", Path: "tools/import.sh"}

// No shell reads it, and nothing of the environment but what is allowed reaches it.
func TestCommand_runs(t *testing.T) {
	s := newShop(t, map[string]string{"GIVEN": "sesame-open-7781", "HIDDEN": "x"})
	tool := s.program(s.tool, "tool", `printf '%s\n' "$@" >`+s.tool+`/args; env | grep -v '^PWD=\|^_=\|^SHLVL=\|^OLDPWD=' >`+s.tool+`/env; pwd >`+s.tool+`/pwd; echo done "$GIVEN" "$2"; cat`)
	e, err := s.prepare(true, importer, tool, "--restore", "{{item.path}}", "a b; $(id) `id`", "--token=hush-hush-12345")
	if err != nil {
		t.Fatal(err)
	}
	d, err := Command.Do(t.Context(), &rules.Hand{Host: s.host}, *e.Deed)
	if err != nil || Command.Settled(t.Context(), nil, d) != nil {
		t.Fatalf("%v %+v", err, d)
	}
	for file, want := range map[string]string{"args": "--restore\ntools/import.sh\na b; $(id) `id`\n--token=hush-hush-12345\n", "env": "GIVEN=sesame-open-7781\n", "pwd": s.root + "\n"} {
		if b, err := os.ReadFile(filepath.Join(s.tool, file)); err != nil || string(b) != want {
			t.Errorf("%s: %q, %v, want %q", file, b, err, want)
		}
	}
	all, err := json.Marshal(e)
	made, err2 := json.Marshal(d)
	for _, secret := range []string{"hush", "sesame", "a b;"} {
		if err != nil || err2 != nil || strings.Contains(string(all)+string(made), secret) {
			t.Errorf("%s stands in %s %s", secret, all, made)
		}
	}
	if d.Made["printed"] != "done *** tools/import.sh" {
		t.Errorf("%q", d.Made["printed"])
	}
}

// What is audited is never run, nor anything that the project chooses.
func TestCommand_refuses(t *testing.T) {
	s := newShop(t, nil)
	tool, inside := s.program(s.tool, "tool", ""), s.program(s.root, "inside", "")
	link := filepath.Join(s.tool, "link")
	if err := os.Symlink(inside, link); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		trusted bool
		item    *snapshot.Item
		argv    []string
		want    string
	}{
		"rules_of_the_project":   {false, importer, []string{tool}, "the rules lie in the project"},
		"a_program_of_it":        {true, importer, []string{inside}, "lies in the project"},
		"one_through_a_link":     {true, importer, []string{link}, "lies in the project"},
		"one_that_is_not_there":  {true, importer, []string{tool + "x"}, "cannot be found"},
		"a_name_like_an_option":  {true, &snapshot.Item{Key: "scripts/-x", Path: "--exec=evil"}, []string{tool, "{{item.path}}"}, "take it for an option"},
		"an_item_without_a_path": {true, &snapshot.Item{Key: "pm2/x"}, []string{tool, "{{ item.path }}"}, "is empty"},
		"nothing":                {true, importer, []string{tool}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := s.prepare(c.trusted, c.item, c.argv...); c.want == "" && err != nil || !strings.Contains(refusal(t, err), c.want) {
				t.Errorf("%v", err)
			}
		})
	}
	for want, params := range map[string]map[string]string{
		"absolute path":  {"argv": `["sh", "-c", "x"]`, "env_allow": `[]`},
		"begins with":    {"argv": `[]`, "env_allow": `[]`},
		"no {{item.x}}":  {"argv": `["/x", "{{item.x}}"]`, "env_allow": `[]`},
		"names of varia": {"argv": `["/x"]`, "env_allow": `["A=B"]`},
		"a NUL":          {"argv": `["/x", "\u0000"]`, "env_allow": `[]`},
	} {
		if err := Command.Check(params); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v, want %s", params, err, want)
		}
	}
}

// Past its time it is killed with everything that it started; what it prints is
// bounded, and a code other than 0 is a failure.
// A program of the repository is a program of the project, also where the root is
// a folder of it; so is one of the repository around that.
func TestCommand_refuses_the_repository(t *testing.T) {
	top := t.TempDir()
	for _, dir := range []string{".git", "shop/.git", "shop/site", "shop/tools"} {
		if err := os.MkdirAll(filepath.Join(top, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	h, err := host.New(filepath.Join(top, "shop", "site"), os.Getenv, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	for _, name := range []string{"shop/tools/x", "x", "shop/site/x"} {
		file := filepath.Join(top, filepath.FromSlash(name))
		if err := os.WriteFile(file, []byte("#!/bin/sh\n"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := outside(h, file); err == nil || !strings.Contains(err.Error(), "lies in the project") {
			t.Errorf("%s: %v", name, err)
		}
	}
	other := filepath.Join(t.TempDir(), "x")
	if err := os.WriteFile(other, nil, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := outside(h, other); err != nil {
		t.Error(err)
	}
}

func TestCommand_bounds(t *testing.T) {
	s := newShop(t, nil)
	tool := s.program(s.tool, "slow", "sleep 600 & echo $! >"+s.tool+"/pid; wait")
	e, err := s.prepare(true, importer, tool)
	if err != nil {
		t.Fatal(err)
	}
	e.Deed.Args["timeout"] = "300ms"
	if d, err := Command.Do(t.Context(), &rules.Hand{Host: s.host}, *e.Deed); err == nil || !strings.Contains(err.Error(), "was killed with all") {
		t.Errorf("%+v %v", d, err)
	}
	b, _ := os.ReadFile(filepath.Join(s.tool, "pid"))
	pid := 0
	for _, c := range strings.TrimSpace(string(b)) {
		pid = pid*10 + int(c-'0')
	}
	gone := false
	for range 100 {
		if pid > 1 && syscall.Kill(pid, 0) != nil {
			gone = true
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	if !gone {
		t.Errorf("what it started (%d) is alive", pid)
	}
	tool = s.program(s.tool, "loud", "i=0; while [ $i -lt 6000 ]; do echo noise one two three four; i=$((i+1)); done; echo the last words; exit 3")
	if e, err = s.prepare(true, importer, tool); err != nil {
		t.Fatal(err)
	}
	d, err := Command.Do(t.Context(), &rules.Hand{Host: s.host}, *e.Deed)
	if err != nil || len(d.Made["printed"]) > 16<<10 || !strings.HasSuffix(d.Made["printed"], "the last words") {
		t.Errorf("%d bytes, %v", len(d.Made["printed"]), err)
	}
	if err := Command.Settled(t.Context(), nil, d); err == nil || err.Error() != "it ended with 3: the last words" {
		t.Errorf("%v", err)
	}
}

func TestPrinted(t *testing.T) {
	for in, want := range map[string]string{
		"restored 3 files in tools":            "restored 3 files in tools",
		"password: hunter":                     "password: ***",
		"the key is hunter now":                "the key ***",
		"got eyJhbGciOiJIUzI1NiJ9.x.y for api": "got *** for api",
		"postgres://u:p@h/db refused":          "*** refused",
		"open sesame":                          "open ***",
		"a\x1b[31mred\x00 line":                "*** line",
		"":                                     "",
	} {
		if got := printed(in, []string{"sesame", "x"}); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

// What the bound on the output cut through is not shown: its rest is no secret
// that anybody knows.
func TestWhole(t *testing.T) {
	long := strings.Repeat("y", maxPrinted-11) + "\nthe rest\n"
	if got := whole([]byte(long[:maxPrinted-2])); got != long[:maxPrinted-2] {
		t.Error("a short text is cut")
	}
	if got := whole([]byte("taple\n" + long)[:maxPrinted]); strings.HasPrefix(got, "taple") {
		t.Errorf("%.20q", got)
	}
}
