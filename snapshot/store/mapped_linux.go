package store

import "syscall"

// letGo takes the pages of a reader's file out of what counts as the memory of the
// process: a scan comes by most of them once, and the kernel has them all the same.
// One that is read again is mapped again.
func (s *Store) letGo() {
	if s.once {
		_, _, _ = syscall.Syscall(syscall.SYS_MADVISE, s.db.Info().Data, uintptr(s.size), syscall.MADV_DONTNEED) // advice
	}
}
