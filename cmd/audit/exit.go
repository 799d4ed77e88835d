package main

import (
	"errors"
	"io/fs"
	"path/filepath"
	"strings"
	"syscall"

	"healthaudit/audit/pipeline"
	"healthaudit/report"
	"healthaudit/snapshot"
	"healthaudit/snapshot/store"
)

// Exit codes, a contract with scripts and cron lines. 2 stays free: Go's
// runtime ends a crashed program with it.
const (
	exitOK          = 0
	exitGate        = 1                  // the gate failed, or diff found differences
	exitIncomplete  = 3                  // the listing of a configured system failed
	exitDamaged     = report.ExitDamaged // the store is damaged
	exitAction      = 5                  // something we did failed: a restore, a commit
	exitUsage       = 64                 // usage or configuration; nothing was done
	exitBug         = 70                 // a bug of ours
	exitBusy        = 75                 // another run holds the lock
	exitInterrupted = 130
	exitTerminated  = 143
)

// codeOf maps an error to its exit code and its hint.
func codeOf(err error) (code int, hint string) {
	var hinted interface{ Hint() string }
	if errors.As(err, &hinted) {
		hint = hinted.Hint()
	}
	var (
		usage *usageError
		fail  *failure
		bad   *store.CorruptError
		newer *store.NewerError
		place *store.PathError
		busy  *store.BusyError
		sig   *signalError
		lost  *pipeline.CommitError
		part  *pipeline.PartlyError
		blind *pipeline.UnkeptError
	)
	switch {
	case errors.As(err, &fail):
		return fail.code, hint
	case errors.As(err, &sig):
		if sig.Signal == syscall.SIGTERM {
			return exitTerminated, ""
		}
		return exitInterrupted, ""
	case errors.As(err, &blind):
		return exitDamaged, strings.TrimSpace(blind.Damage.Hint + "\nTo begin a new store and set this one aside: audit run --new-store")
	case errors.As(err, &bad):
		if bad.Hint != "" {
			hint = bad.Hint + "\n"
		}
		if after := (*pipeline.AfterError)(nil); errors.As(err, &after) {
			return exitDamaged, hint + "audit report shows the run."
		}
		return exitDamaged, hint + "Nothing was changed. To begin a new store and set this one aside: audit run --new-store"
	case errors.As(err, &part):
		return exitDamaged, hint
	case errors.As(err, &newer):
		return exitUsage, "use that version of audit, or another --store"
	case errors.As(err, &place):
		if code = exitUsage; place.Lost {
			code = exitDamaged
		}
		if place.Lost && place.Folder {
			return code, "a store is a file: name one in that folder, --store " + snapshot.ShellWord(filepath.Join(place.Path, "audit.db")) + ", or move it away"
		}
		return code, "move it away, and audit run makes its own; or name another store: --store FILE"
	case errors.As(err, &busy):
		return exitBusy, "--wait 5m waits for it"
	case errors.Is(err, store.ErrLocked):
		return exitBusy, "another audit is writing to the store; try again in a moment"
	case errors.Is(err, store.ErrNotExist):
		return exitUsage, "audit run makes one"
	case errors.As(err, &usage):
		return exitUsage, hint
	case errors.As(err, &lost):
		return exitAction, "nothing of this run was kept; earlier snapshots are intact"
	}
	if hint == "" {
		hint = refused(err)
	}
	return exitAction, hint
}

// refused says what to do where the operating system lets nothing be written.
func refused(err error) string {
	switch {
	case errors.Is(err, fs.ErrPermission):
		return "run audit as the user who may write there, or name another store: --store FILE"
	case errors.Is(err, syscall.EROFS):
		return "that file system is read-only: name a store on another, --store FILE, or keep nothing, audit run --ephemeral"
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return "the disk is full: make room, or name a store on another, --store FILE"
	}
	return ""
}
