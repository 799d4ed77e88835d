package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"healthaudit/snapshot/collect/collecttest"
)

// TestLogOnAFullDisk: a run whose log finds no room is kept all the same. The disk
// is a small one in a mount namespace of its own.
func TestLogOnAFullDisk(t *testing.T) {
	if testing.Short() {
		t.Skip("it needs a mount namespace of its own: make test runs it")
	}
	dir := t.TempDir()
	collecttest.WriteFile(t, dir, "a.sh", []byte("#!/bin/sh\necho a\n"))
	cmd := exec.Command("unshare", "-m", "sh", "-c", `set -e
audit run --quiet
mount -t tmpfs -o size=4k none .audit/logs || exit 99
head -c 4096 /dev/zero > .audit/logs/audit.log
audit run
audit list --format json | grep -c '"seq"'`)
	if os.Getuid() != 0 {
		cmd.Args = append([]string{"unshare", "-r"}, cmd.Args[1:]...)
	}
	cmd.Dir, cmd.Env = dir, []string{"COLUMNS=300", "HOME=" + dir, "AUDIT_ROOT=" + dir, "PATH=" + os.Getenv("PATH")}
	out, err := cmd.CombinedOutput()
	if x, ok := err.(*exec.ExitError); err != nil && (!ok || x.ExitCode() == 99 || strings.Contains(string(out), "unshare:")) {
		t.Skipf("no mount namespace here: %v %s", err, out)
	}
	if err != nil || !strings.HasSuffix(string(out), "\n2\n") || !strings.Contains(string(out), "no space left on device") {
		t.Errorf("%v\n%s", err, out)
	}
	if _, err := os.Stat(filepath.Join(dir, ".audit", "logs", "audit.log")); err != nil {
		t.Error(err)
	}
}
