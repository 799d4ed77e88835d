package workflow

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"healthaudit/snapshot"
	model "healthaudit/snapshot/analyze/workflow"
	"healthaudit/snapshot/collect/collecttest"
	"healthaudit/snapshot/host"
)

const shellWorkflow = `on: push
jobs:
  a:
    runs-on: ubuntu-latest
    steps:
      - name: Clean
        run: |
          cd build

            x="${{ github.sha }}"
          rm -rf "$x/"
      - run: >
          for f in $(ls);
          do echo "$f"; done
      - run: 'for f in $(ls); do echo "$f"; done'
      - run: |
          if ($x -eq 1) { ls }
        shell: pwsh
      - run: "[[ a = b ]]"
        shell: sh
  b:
    runs-on: windows-latest
    steps:
      - run: for f in $(ls)
`

// A linted is a project that a shellcheck of the test's looks at, run after run.
type linted struct {
	t       *testing.T
	dir     string
	path    string // PATH
	derived *snapshot.Derived
	kept    map[string]json.RawMessage
	before  snapshot.Past
}

func newLinted(t *testing.T, path string) *linted {
	l := &linted{t: t, dir: t.TempDir(), path: path, derived: &snapshot.Derived{}, before: snapshot.Nothing}
	collecttest.WriteFile(t, l.dir, Folder+"/ci.yml", []byte(shellWorkflow))
	return l
}

// run audits once; said is what is known of every file, by its name, and reason
// what could not be done.
func (l *linted) run() (said map[string][]string, reason string) {
	l.t.Helper()
	s := collecttest.Session(l.t, l.dir)
	h, err := host.New(l.dir, func(k string) string { return map[string]string{"PATH": l.path}[k] }, func() time.Time { return collecttest.Now })
	if err != nil {
		l.t.Fatal(err)
	}
	defer h.Close()
	s.Host, s.Files.Host, s.Derived, s.Previous = h, h, l.derived, l.before
	s.Cursors = func(_ snapshot.System, name string) json.RawMessage { return l.kept[name] }
	res, err := Collector.Collect(l.t.Context(), s)
	if err != nil {
		l.t.Fatal(err)
	}
	said = map[string][]string{}
	for _, it := range res.Items {
		f, _ := it.OwnFile()
		v, ok := model.ShellSaid(l.derived, f.SHA256)
		if !ok {
			continue
		}
		said[it.Name] = []string{}
		for _, m := range v.Said {
			said[it.Name] = append(said[it.Name], fmt.Sprintf("%d:%d SC%d %v %s", m.Line, m.Column, m.Code, m.Error, m.Where))
		}
	}
	if l.kept == nil {
		l.kept = map[string]json.RawMessage{}
	}
	for name, c := range res.Cursors {
		l.kept[name] = c
	}
	before := &snapshot.Snapshot{Items: res.Items}
	before.Sort()
	l.before = before
	return said, res.Reason
}

// standIn puts a program named shellcheck into a folder of its own and returns that.
func standIn(t *testing.T, script string) string {
	t.Helper()
	dir := t.TempDir()
	collecttest.WriteFile(t, dir, "shellcheck*", []byte("#!/bin/sh\n"+script))
	return dir
}

// What the real one says, at the places of the file.
func TestShellcheck_real(t *testing.T) {
	if _, err := exec.LookPath("shellcheck"); err != nil {
		t.Skip("shellcheck is not on this machine")
	}
	l := newLinted(t, os.Getenv("PATH"))
	said, reason := l.run()
	want := []string{
		"11:18 SC2115 false a/Clean",
		"13:11 SC2045 true a/run", // a folded text has no lines of its own
		"15:24 SC2045 true a/run", // after the quote
		"19:15 SC3010 false a/run",
	}
	if len(said["ci.yml"]) != len(want) || reason != "" {
		t.Fatalf("%s\n%s", strings.Join(said["ci.yml"], "\n"), reason)
	}
	for i, w := range want {
		if got := said["ci.yml"][i]; !strings.HasPrefix(got, w) {
			t.Errorf("%s, want %s", got, w)
		}
	}
	collecttest.WriteFile(t, l.dir, ".shellcheckrc", []byte("external-sources=true\ndisable=SC2115,SC3010 # not here\n disable=SC9999x\n"))
	if said, _ := l.run(); len(said["ci.yml"]) != 2 {
		t.Errorf("with .shellcheckrc: %v", said)
	}
}

func TestShellcheck(t *testing.T) {
	calls := filepath.Join(t.TempDir(), "calls")
	count := func() int {
		b, _ := os.ReadFile(calls)
		return strings.Count(string(b), "\n")
	}
	answer := "for f; do last=$f; done; echo \"$last\" >>" + calls + "\n" +
		`echo '{"comments":[{"file":"0.sh","line":2,"column":1,"level":"warning","code":2999,"message":"m"},{"file":"0.sh","line":2,"column":1,"level":"error","code":1072,"message":"m"},{"file":"../x","line":2,"column":1,"level":"error","code":2998,"message":"m"}]}'; exit 1`
	tool := standIn(t, answer)
	l := newLinted(t, tool)
	said, reason := l.run()
	if got := said["ci.yml"]; reason != "" || len(got) != 1 || !strings.Contains(got[0], "SC2999 false a/") {
		t.Fatalf("%v, %s", said, reason)
	}
	if b, _ := os.ReadFile(calls); string(b) != "3.sh\n" {
		t.Errorf("four scripts, one process: %q", b)
	}

	// The same files again: nobody is asked. One more file: one more script.
	l.run()
	collecttest.WriteFile(t, l.dir, Folder+"/new.yml", []byte("on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - run: ls\n"))
	said, _ = l.run()
	if b, _ := os.ReadFile(calls); string(b) != "3.sh\n0.sh\n" || len(said) != 2 {
		t.Errorf("%q, %v", b, said)
	}

	// It goes away: that is said once, what it said stays, what is new is unknown.
	l.path = t.TempDir()
	collecttest.WriteFile(t, l.dir, Folder+"/newer.yml", []byte("on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - run: pwd\n"))
	said, reason = l.run()
	if !strings.Contains(reason, "no longer on PATH") || len(said) != 2 {
		t.Errorf("%v, %q", said, reason)
	}
	if _, reason := l.run(); reason != "" {
		t.Errorf("said twice: %s", reason)
	}

	// It comes back: what it missed is made up for, what it knows is not asked again.
	l.path = tool
	if said, _ = l.run(); len(said) != 3 || count() != 3 {
		t.Errorf("%v, %d calls", said, count())
	}
	// Another one: all is asked again.
	l.path = standIn(t, answer+"\n#another")
	if said, _ = l.run(); len(said) != 3 || count() != 4 {
		t.Errorf("%v, %d calls", said, count())
	}
}

// What hangs, dies or talks nonsense leaves the files unlinted, and is asked again.
func TestShellcheck_fails(t *testing.T) {
	old := shellTimeout
	shellTimeout = 500 * time.Millisecond
	defer func() { shellTimeout = old }()
	for name, script := range map[string]string{
		"hangs": "exec sleep 60", "dies": "kill -9 $$", "nonsense": "echo nonsense", "wrong_options": "echo '{\"comments\":[]}'; exit 3", "floods": "exec yes",
	} {
		t.Run(name, func(t *testing.T) {
			l := newLinted(t, standIn(t, script)+":/usr/bin:/bin")
			start := time.Now()
			for range 2 {
				said, reason := l.run()
				if len(said) > 0 || !strings.Contains(reason, "the shell of 1 workflow files is not linted") {
					t.Errorf("%v, %q", said, reason)
				}
			}
			if took := time.Since(start); took > 30*time.Second {
				t.Errorf("it took %s", took)
			}
		})
	}
}

func TestDisabled(t *testing.T) {
	got := disabled("# x\ndisable=SC2086\n disable=SC1000,SC2001 # why\ndisable=all\ndisable=SC20861\nsource-path=/etc\nxdisable=SC2002\n")
	if want := ",SC2086,SC1000,SC2001"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if slices.Contains(strings.Split(shellExcluded, ","), "") {
		t.Error("an empty code")
	}
}
