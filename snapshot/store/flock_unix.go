//go:build unix

package store

import (
	"errors"
	"os"
	"syscall"
)

// noFollow are the flags of every open here: no symbolic link at the end of
// the path, and no waiting for the other end of a FIFO.
const noFollow = syscall.O_NOFOLLOW | syscall.O_NONBLOCK

// tryLock locks f until it is closed, if nobody else does; false without an
// error means that somebody does.
func tryLock(f *os.File, share bool) (bool, error) {
	how := syscall.LOCK_EX
	if share {
		how = syscall.LOCK_SH
	}
	err := syscall.Flock(int(f.Fd()), how|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) || errors.Is(err, syscall.EINTR) {
		return false, nil
	}
	return err == nil, err
}
