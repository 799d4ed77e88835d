package host

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// What a program leaves running when it ends is killed where nothing may outlive
// it, and is left alone elsewhere.
func TestRun_alone(t *testing.T) {
	for _, alone := range []bool{true, false} {
		h, err := New(t.TempDir(), os.Getenv, time.Now)
		if err != nil {
			t.Fatal(err)
		}
		defer h.Close()
		fifo := filepath.Join(t.TempDir(), "fifo")
		if err := syscall.Mkfifo(fifo, 0o600); err != nil {
			t.Fatal(err)
		}
		end, err := os.OpenFile(fifo, os.O_RDONLY|syscall.O_NONBLOCK, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer end.Close()
		res, err := h.Run(t.Context(), Command{Program: "/bin/sh", Args: []string{"-c", "exec 3>\"$0\"; sleep 60 >/dev/null 2>&1 & echo $!", fifo}, Env: []string{"PATH=" + os.Getenv("PATH")}, Timeout: 10 * time.Second, MaxOut: 100, Alone: alone})
		pid, perr := strconv.Atoi(strings.TrimSpace(string(res.Out)))
		if err != nil || perr != nil {
			t.Fatal(err, perr)
		}
		if alone { // its end closes the pipe
			err = end.SetReadDeadline(time.Now().Add(10 * time.Second))
		} else {
			err = end.SetReadDeadline(time.Now())
		}
		if err != nil {
			t.Fatal(err)
		}
		_, err = end.Read(make([]byte, 1))
		lives := errors.Is(err, os.ErrDeadlineExceeded)
		if lives == alone {
			t.Errorf("alone %v: it lives %v", alone, lives)
		}
		if lives {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	}
}
