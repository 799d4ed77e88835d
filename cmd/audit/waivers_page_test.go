package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/tools/txtar"
)

// TestWaiversPage runs the examples of docs/waivers.md in their order: a block that
// begins with "# audit.yaml" is written there, what follows "$ " is run, and every
// line below it must be a line of what it prints.
func TestWaiversPage(t *testing.T) {
	src, err := os.ReadFile(filepath.Join("..", "..", "docs", "waivers.md"))
	if err != nil {
		t.Fatal(err)
	}
	a, err := txtar.ParseFile(filepath.Join("..", "..", "testdata", "docs", "waivers.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	root := t.TempDir()
	for _, f := range a.Files {
		path := filepath.Join(root, f.Name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, f.Data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	ran := 0
	for _, m := range regexp.MustCompile("(?ms)^```(\\w+)\n(.*?)^```$").FindAllStringSubmatch(string(src), -1) {
		switch {
		case strings.HasPrefix(m[2], "# audit.yaml\n"):
			if err := os.WriteFile(filepath.Join(root, "audit.yaml"), []byte(m[2]), 0o644); err != nil {
				t.Fatal(err)
			}
		case m[1] == "console":
			ran += console(t, root, m[2])
		}
	}
	if ran < 15 {
		t.Errorf("only %d commands were run: the test looks past the page", ran)
	}
}

// console runs the commands of one block and returns how many.
func console(t *testing.T, root, block string) (ran int) {
	t.Helper()
	out := ""
	for line := range strings.Lines(block) {
		line = strings.TrimSuffix(line, "\n")
		command, ok := strings.CutPrefix(line, "$ ")
		if !ok {
			if !strings.Contains("\n"+out, "\n"+line+"\n") && !strings.Contains("\n"+out, "\n"+line+" ") {
				t.Errorf("docs/waivers.md shows a line that is not printed: %s\nbut this is:\n%s", line, out)
			}
			continue
		}
		ran++
		out = typed(t, root, command)
	}
	return ran
}

// typed runs what a person would type.
func typed(t *testing.T, root, command string) string {
	t.Helper()
	if !strings.HasPrefix(command, "audit ") {
		c := exec.Command("sh", "-c", command)
		c.Dir = root
		if out, err := c.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", command, err, out)
		}
		return ""
	}
	var args []string
	for _, w := range regexp.MustCompile(`'[^']*'|\S+`).FindAllString(command, -1)[1:] {
		args = append(args, strings.Trim(w, "'"))
	}
	var out bytes.Buffer
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	env := map[string]string{"USER": "ada", "AUDIT_ROOT": root, "PATH": os.Getenv("PATH"), "HOME": root}
	code := Main(t.Context(), &Process{Args: args, Stdout: &out, Stderr: &out, Env: func(k string) string { return env[k] }, Now: func() time.Time { return now }})
	if code != exitOK && code != exitGate {
		t.Fatalf("%s: exit %d\n%s", command, code, out.String())
	}
	return out.String()
}
