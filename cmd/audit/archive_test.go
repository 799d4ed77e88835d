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

	"filippo.io/age"
)

// age returns age's own program: the one that make age built, else that of the system.
func ageProgram(t *testing.T) string {
	t.Helper()
	if built, err := filepath.Abs("../../build/tools/age"); err == nil {
		if _, err := os.Stat(built); err == nil {
			return built
		}
	}
	p, err := exec.LookPath("age")
	if err != nil {
		t.Skip("age is not here: make age builds it")
	}
	return p
}

// The command of docs/backups.md opens an archive without audit.
func TestArchive_opens_by_hand(t *testing.T) {
	program := ageProgram(t)
	for _, name := range []string{"zstd", "tar", "sh"} {
		if _, err := exec.LookPath(name); err != nil {
			t.Skipf("%s is not here", name)
		}
	}
	page, err := os.ReadFile("../../docs/backups.md")
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile("(?s)```sh\n(age -d .*?)\n```").FindSubmatch(page)
	if m == nil {
		t.Fatal("docs/backups.md has no command that opens an archive")
	}
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	root, home := t.TempDir(), t.TempDir()
	files := map[string]string{"package.json": `{"scripts": {"sync": "sh tools/a.sh"}}`, "tools/a.sh": "#!/bin/sh\necho a\n", ".env": "KEY=hunter2\n",
		"audit.yaml": "archive: {recipients_file: " + filepath.Join(home, "recipients.txt") + "}\n"}
	for name, text := range files {
		at := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(at, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	os.Chmod(filepath.Join(root, "tools/a.sh"), 0o755)
	os.WriteFile(filepath.Join(home, "recipients.txt"), []byte(id.Recipient().String()+"\n"), 0o644)
	os.WriteFile(filepath.Join(home, "audit.key"), []byte(id.String()+"\n"), 0o600)
	var said bytes.Buffer
	p := &Process{Args: []string{"--root", root, "run", "--quiet", "--fail-on", "never"}, Stdout: &said, Stderr: &said, Env: func(string) string { return "" }, Now: time.Now}
	if code := Main(t.Context(), p); code != exitOK {
		t.Fatalf("exit %d: %s", code, said.String())
	}
	made, err := filepath.Glob(filepath.Join(root, ".audit", "archives", "*.age"))
	if err != nil || len(made) != 1 {
		t.Fatal(made, err)
	}
	out := t.TempDir()
	line := strings.NewReplacer("age -d", program+" -d", "audit.key", filepath.Join(home, "audit.key"), "ARCHIVE", made[0]).Replace(string(m[1]))
	cmd := exec.Command("sh", "-ec", line)
	cmd.Dir = out
	if b, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", line, err, b)
	}
	for name, text := range files {
		at := filepath.Join(out, "files", name)
		if name == ".env" {
			at = filepath.Join(out, "secrets", name)
		}
		if name == "audit.yaml" {
			continue // no item is in it
		}
		if b, err := os.ReadFile(at); string(b) != text || err != nil {
			t.Errorf("%s: %q, %v", name, b, err)
		}
	}
	if st, err := os.Stat(filepath.Join(out, "files/tools/a.sh")); err != nil || st.Mode().Perm() != 0o755 {
		t.Errorf("%v %v", st, err)
	}
}
