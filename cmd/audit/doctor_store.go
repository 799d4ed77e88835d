package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"healthaudit/report"
	"healthaudit/snapshot"
	"healthaudit/snapshot/store"
)

// longRun is when a run that holds the lock is thought to hang: no system may take
// longer than three minutes, and there are four.
const longRun = time.Hour

// store tells whether it is sound, who may read it, and who is writing.
func (d *physician) store() {
	if err := d.local(d.App); err != nil {
		d.wrong("place", err)
	}
	if err := store.Exists(d.Store); errors.Is(err, store.ErrNotExist) {
		d.note("file", d.Store+" is not there yet", "audit run makes it")
		return
	} else if err != nil {
		d.wrong("file", err)
		return
	}
	d.readers()
	problems, stats, err := (&storeVerifyCmd{}).verify(d.App)
	switch {
	case err != nil || len(problems) > 0:
		d.damage(problems, err)
	default:
		d.ok("file", fmt.Sprintf("%s: sound; %s, %s", d.Store, counted(stats.Snapshots, "snapshot"), report.Size(stats.FileBytes)))
	}
	d.lock()
}

// damage says what is broken, and what brings it back.
func (d *physician) damage(problems []string, err error) {
	var bad *store.CorruptError
	if err != nil && !errors.As(err, &bad) {
		d.wrong("file", err)
		return
	}
	what := d.Store + " is damaged"
	switch {
	case len(problems) > 0:
		what += ": " + problems[0]
	case bad != nil:
		what = bad.Error()
	}
	todo := "audit store verify --repair saves what is whole"
	if there := d.anyArchive(); there != "" {
		todo = "audit archive import --new-store makes a store of your archives again; or " + todo
	}
	d.todo("file", what, todo+"; or begin anew: audit run --new-store")
}

// readers tells who may read the store: it holds the bytes of the files.
func (d *physician) readers() {
	if runtime.GOOS == "windows" { // modes say nothing there
		return
	}
	dir := filepath.Dir(d.Store)
	for _, f := range []struct{ name, path, mode string }{{"its folder", dir, "700"}, {"its readers", d.Store, "600"}} {
		st, err := os.Stat(f.path)
		if err != nil {
			d.wrong(f.name, err)
			continue
		}
		uid, err := d.owner(f.path)
		switch {
		case err == nil && int(uid) != os.Getuid() && os.Getuid() != 0:
			d.todo(f.name, fmt.Sprintf("%s belongs to uid %d, you are %d", f.path, uid, os.Getuid()), "run audit always as the same user")
		case st.Mode().Perm()&0o077 != 0 && f.path == d.Store, st.Mode().Perm()&0o022 != 0:
			d.todo(f.name, fmt.Sprintf("%s has mode %04o: others get at it", f.path, st.Mode().Perm()), "chmod "+f.mode+" "+snapshot.ShellWord(f.path))
		case f.path == d.Store:
			d.ok(f.name, fmt.Sprintf("only uid %d may read the file (mode %04o)", uid, st.Mode().Perm()))
		}
	}
}

// lock tells who is at work.
func (d *physician) lock() {
	if _, err := os.Lstat(store.LockPath(d.Store)); err != nil {
		return
	}
	lock, err := store.Lock(d.Store, store.LockOptions{Command: d.line, Host: d.host.Name(), Now: d.Now()})
	var busy *store.BusyError
	switch {
	case err == nil:
		if err = lock.Unlock(); err == nil {
			d.ok("lock", "free")
		} else {
			d.wrong("lock", err)
		}
	case errors.As(err, &busy) && busy.Holder.PID != 0 && d.Now().Sub(busy.Holder.Started) > longRun:
		d.todo("lock", busy.Error(), fmt.Sprintf("it hangs: see what it waits for (ps -fp %d), then end it", busy.Holder.PID))
	case errors.As(err, &busy):
		d.note("lock", busy.Error(), "")
	default:
		d.wrong("lock", err)
	}
}
