//go:build unix

package host

import (
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// A pipe in place of a folder is refused, not waited for.
func TestOutside_pipe(t *testing.T) {
	dir := t.TempDir()
	pipe := filepath.Join(dir, "pm2")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Skip(err)
	}
	h, err := New(dir, func(string) string { return "" }, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	done := make(chan error, 1)
	go func() { _, err := h.Outside(pipe); done <- err }()
	select {
	case err := <-done:
		if err == nil {
			t.Error("a pipe was opened as a folder")
		}
	case <-time.After(10 * time.Second):
		t.Fatal("it waits for the pipe")
	}
}
