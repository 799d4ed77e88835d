package main

import (
	"errors"
	"io/fs"
	"strings"
	"syscall"
	"testing"

	"healthaudit/snapshot/store"
)

// A restore from a disk that cannot be written to says how: a run that keeps
// nothing would bring nothing back.
func TestUnwritable_store(t *testing.T) {
	for _, no := range []error{syscall.EROFS, syscall.ENOSPC, syscall.EACCES} {
		code, hint := codeOf(unwritable(&fs.PathError{Op: "open", Path: "/mnt/audit.lock", Err: no}, "/mnt/audit.db"))
		if code != exitAction || !strings.Contains(hint, "copy /mnt/audit.db") || strings.Contains(hint, "ephemeral") {
			t.Errorf("%v: exit %d, %q", no, code, hint)
		}
	}
	if held := busy(&store.BusyError{}); !errors.Is(unwritable(held, ""), held) {
		t.Error("a lock that is held is another matter")
	}
}
