//go:build linux || darwin

package ecosystem

import (
	"runtime/debug"
	"syscall"
	"time"
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

// overtime calls do, with the reason, once this process has used so much more
// processor time, or has waited patience times as long for it, unless it is stopped
// before. Once stop has returned, do is not called any more.
func overtime(limit time.Duration, do func(why string)) (stop func()) {
	begin, end := used(), time.NewTimer(patience*limit)
	over, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		defer end.Stop()
		for tick := time.NewTicker(limit / 50); ; {
			select {
			case <-over:
				return
			case <-end.C:
				do(tooBusy)
				return
			case <-tick.C:
				if used()-begin >= limit {
					do(tooMuch)
					return
				}
			}
		}
	}()
	return func() {
		close(over)
		<-done
	}
}

// used is the processor time of this process.
func used() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u) // cannot fail for these arguments
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
