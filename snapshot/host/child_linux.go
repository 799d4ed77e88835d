package host

import (
	"os"
	"strconv"
	"strings"
	"syscall"
	"unsafe"
)

// boundMemory limits the private memory of a process that has just started
// (prlimit(2), RLIMIT_DATA): files that it maps do not count. Where the system
// refuses, its own bounds remain.
func boundMemory(pid int, limit int64) {
	r := syscall.Rlimit{Cur: uint64(limit), Max: uint64(limit)}
	syscall.RawSyscall6(syscall.SYS_PRLIMIT64, uintptr(pid), syscall.RLIMIT_DATA, uintptr(unsafe.Pointer(&r)), 0, 0, 0)
}

// asleep reports whether every thread of a process sleeps and it waits for no
// child of its own. While it does nothing the text stays the same: it holds the
// processor time and the page faults of every thread (proc_pid_stat(5)). One
// that waits for a disk does not sleep.
func asleep(pid int) (text string, ok bool) {
	dir := "/proc/" + strconv.Itoa(pid) + "/task/"
	threads, err := os.ReadDir(dir)
	if err != nil {
		return "", false
	}
	for _, t := range threads {
		stat, err := os.ReadFile(dir + t.Name() + "/stat")
		children, cerr := os.ReadFile(dir + t.Name() + "/children")
		if err != nil || cerr != nil || len(children) > 0 {
			return "", false
		}
		fields := string(stat[strings.LastIndexByte(string(stat), ')')+1:])
		if !strings.HasPrefix(fields, " S ") {
			return "", false
		}
		text += t.Name() + fields
	}
	return text, len(threads) > 0
}
