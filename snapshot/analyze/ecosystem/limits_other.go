//go:build !linux && !darwin

package ecosystem

import "runtime/debug"

// limitSelf asks Go to stay small; the parent's wall clock does the rest.
func limitSelf() { debug.SetMemoryLimit(maxMemory * 3 / 4) }
