//go:build !linux

package host

// boundMemory does nothing: no other system limits a process from outside.
func boundMemory(int, int64) {}

// asleep cannot tell here: a process that waits ends at its timeout.
func asleep(int) (string, bool) { return "", false }
