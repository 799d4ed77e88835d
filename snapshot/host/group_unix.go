//go:build unix

package host

import (
	"os/exec"
	"syscall"
)

// ownGroup puts the child into a process group of its own and kills the whole
// group when its context ends, so that nothing it started outlives it.
func ownGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return killGroup(cmd) }
}

func killGroup(cmd *exec.Cmd) error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
