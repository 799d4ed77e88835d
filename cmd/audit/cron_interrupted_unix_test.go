//go:build unix

package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"healthaudit/snapshot/host"
)

// A crontab that was half written when audit was told to stop is what it was
// afterwards.
func TestCronInterrupted(t *testing.T) {
	home := t.TempDir()
	bin := filepath.Join(home, "bin")
	if err := os.Mkdir(bin, 0o755); err != nil {
		t.Fatal(err)
	}
	was, now := "# mine\n5 4 * * *  true\n", "# mine\n5 4 * * *  true\n7 * * * *  audit\n"
	table := filepath.Join(home, "table")
	text := `#!/bin/sh
case "$1" in
-l) exec cat "$HOME/table" ;;
esac
cat >"$HOME/table.given"
cp "$HOME/table.given" "$HOME/table"
[ -e "$HOME/once" ] && exit
: >"$HOME/once"
echo written >"$HOME/told"
sleep 100
`
	if err := os.WriteFile(filepath.Join(bin, "crontab"), []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(table, []byte(was), 0o600); err != nil {
		t.Fatal(err)
	}
	env := func(k string) string {
		return map[string]string{"HOME": home, "PATH": bin + ":" + os.Getenv("PATH")}[k]
	}
	h, err := host.New(t.TempDir(), env, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	ctx, cancel := context.WithCancel(t.Context())
	told := filepath.Join(home, "told")
	if err := syscall.Mkfifo(told, 0o600); err != nil {
		t.Fatal(err)
	}
	go func() {
		if b, err := os.ReadFile(told); err != nil || string(b) != "written\n" { // waits until it is written
			t.Errorf("%q, %v", b, err)
		}
		cancel()
	}()
	j := &cronJob{root: h.Root()}
	a := &App{Process: &Process{Env: env, Stderr: &bytes.Buffer{}}, CLI: &CLI{}, ctx: ctx}
	a.Store = filepath.Join(home, "audit.db")
	err = j.writeCrontab(a, h, &crontabText{before: was}, now)
	if err == nil || !strings.Contains(err.(*failure).hint, "your crontab is as it was") {
		t.Errorf("%v", err)
	}
	if b, err := os.ReadFile(table); string(b) != was {
		t.Errorf("%q, %v", b, err)
	}
}
