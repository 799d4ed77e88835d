//go:build linux || darwin

package ecosystem

import (
	"runtime/debug"
	"syscall"
)

// limitSelf bounds memory and processor time, and forbids files and core
// dumps, of the process that evaluates a script. RLIMIT_AS would stop Go
// itself, which reserves much more than it uses.
func limitSelf() {
	debug.SetMemoryLimit(maxMemory * 3 / 4)
	for what, n := range map[int]uint64{
		syscall.RLIMIT_DATA:  maxMemory,
		syscall.RLIMIT_CPU:   maxCPU,
		syscall.RLIMIT_FSIZE: 0,
		syscall.RLIMIT_CORE:  0,
	} {
		if what == syscall.RLIMIT_DATA && !limitsMemory {
			continue
		}
		// Where the system refuses one, the parent's own bounds remain.
		_ = syscall.Setrlimit(what, &syscall.Rlimit{Cur: n, Max: n})
	}
}
