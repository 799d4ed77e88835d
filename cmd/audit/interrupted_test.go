package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// A command that a signal ends exits with the code of that signal.
func TestInterrupted(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "x.tar.zst")
	if err := os.WriteFile(file, []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"doctor"}, {"archive", "verify", file}} {
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(&signalError{os.Interrupt})
		var said bytes.Buffer
		p := &Process{Args: append([]string{"--root", dir}, args...), Stdout: &said, Stderr: &said, Now: time.Now,
			Env: func(k string) string { return map[string]string{"HOME": dir, "PATH": os.Getenv("PATH")}[k] }}
		if code := Main(ctx, p); code != exitInterrupted {
			t.Errorf("%q exits %d, want %d\n%s", args, code, exitInterrupted, &said)
		}
	}
}
