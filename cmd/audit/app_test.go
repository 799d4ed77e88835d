package main

import (
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"healthaudit/snapshot/store"
)

// What the operating system refuses is told with what to do about it.
func TestCodeOf_refused(t *testing.T) {
	for err, want := range map[error]string{
		syscall.EACCES: "as the user who may write there",
		syscall.EROFS:  "read-only",
		syscall.ENOSPC: "full",
		syscall.EDQUOT: "full",
	} {
		code, hint := codeOf(fmt.Errorf("make store folder: %w", &fs.PathError{Op: "mkdir", Path: ".audit", Err: err}))
		if code != exitAction || !strings.Contains(hint, want) || !strings.Contains(hint, "--store FILE") {
			t.Errorf("%v: exit %d, %q", err, code, hint)
		}
	}
}

// TestCodeOf_quotes: the path in the command to copy is one word.
func TestCodeOf_quotes(t *testing.T) {
	_, hint := codeOf(&store.PathError{Path: "my shop", Lost: true, Folder: true})
	if want := "--store '" + filepath.Join("my shop", "audit.db") + "'"; !strings.Contains(hint, want) {
		t.Errorf("%q, want %s", hint, want)
	}
}
