//go:build !linux && !darwin

package ecosystem

import (
	"runtime/debug"
	"time"
)

// limitSelf asks Go to stay small; the parent's wall clock does the rest.
func limitSelf() { debug.SetMemoryLimit(maxMemory * 3 / 4) }

// overtime calls do, with the reason, when so much time has passed, unless it is
// stopped before.
func overtime(limit time.Duration, do func(why string)) (stop func()) {
	t := time.AfterFunc(limit, func() { do(tooMuch) })
	return func() { t.Stop() }
}
