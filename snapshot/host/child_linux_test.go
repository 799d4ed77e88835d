package host_test

import (
	"errors"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"healthaudit/snapshot/host"
)

func TestRun_bounds_of_Linux(t *testing.T) {
	dir := t.TempDir()
	must(t, syscall.Mkfifo(filepath.Join(dir, "fifo"), 0o600))
	h := machine(t, dir, nil)
	for _, c := range []struct {
		title, script string
		err           error
		code          int
	}{
		{"waits for the writer of a pipe", "exec cat fifo", host.ErrAsleep, -1},
		{"works", "i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done", nil, 0},
		{"waits for what it started", "sleep 1; true", nil, 0},
		{"wants too much memory", "until grep -q '^Max data size *209715200' /proc/self/limits; do :; done; exec dd if=/dev/zero of=/dev/null bs=300M count=1", nil, 1},
		{"wants little memory", "exec dd if=/dev/zero of=/dev/null bs=1M count=1", nil, 0},
	} {
		t.Run(c.title, func(t *testing.T) {
			res, err := h.Run(t.Context(), host.Command{Program: "/bin/sh", Args: []string{"-c", c.script}, Env: []string{"PATH=/usr/bin:/bin"},
				Timeout: time.Minute, MaxOut: 1000, MaxSleep: 300 * time.Millisecond, MaxMemory: 200 << 20})
			if !errors.Is(err, c.err) || res.Code != c.code || res.TimedOut {
				t.Errorf("%+v, %v", res, err)
			}
		})
	}
}
