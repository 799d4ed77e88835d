package archive

import (
	"os"
	"runtime"
	"syscall"
	"testing"
)

// asNobody runs f with the file rights of an unprivileged user: the thread's
// fsuid takes root's capabilities over files with it (setfsuid(2),
// capabilities(7)).
func asNobody(t *testing.T, f func()) {
	t.Helper()
	if os.Getuid() != 0 {
		f()
		return
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		syscall.RawSyscall(syscall.SYS_SETFSUID, 65534, 0, 0)
		f()
	}()
	<-done
}
