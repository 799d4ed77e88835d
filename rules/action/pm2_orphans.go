package action

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"healthaudit/rules"
	"healthaudit/snapshot/analyze/lazyregexp"
	"healthaudit/snapshot/host"
)

// maxPids bounds the names in a folder of pid files.
const maxPids = 10_000

// orphans refuses when a process runs that the dead daemon had started: silent
// ones that are no Node survive it, and would run twice.
func orphans(h host.Host, home string, entries []dumped) error {
	table, err := h.Processes(nil)
	if err != nil {
		return &rules.Refusal{Why: "this platform does not tell what runs: apps might run twice"}
	}
	pids := filepath.Join(home, "pids")
	of := map[string][]string{pids: nil} // folder → stems of the files that are PM2's there; none: all are
	for _, e := range entries {
		file := e.get("pm_pid_path").Str
		if dir := filepath.Dir(file); filepath.IsAbs(file) && dir != pids {
			of[dir] = append(of[dir], pidStem(filepath.Base(file)))
		}
	}
	for _, dir := range slices.Sorted(maps.Keys(of)) {
		if err := orphanIn(h, dir, of[dir], table); err != nil {
			return err
		}
	}
	return nil
}

var pidNumber = lazyregexp.New(`(?:-[0-9]+)?\.pid$`)

// pidStem is the name of a pid file without the number that PM2 puts into it, which
// is another one after every start (lib/God.js executeApp: NAME-ID.pid).
func pidStem(name string) string { return pidNumber().ReplaceAllString(name, "") }

// orphanIn refuses when a process of a folder of pid files runs.
func orphanIn(h host.Host, folder string, stems []string, table []host.Process) error {
	dir, err := h.Outside(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer dir.Close()
	list, err := dir.List(".", maxPids)
	if err != nil {
		return err
	}
	for _, e := range list {
		if stems != nil && !slices.Contains(stems, pidStem(e.Name())) {
			continue
		}
		b, err := dir.Read(e.Name(), 64)
		if err != nil {
			continue
		}
		st, serr := dir.Stat(e.Name())
		pid, perr := strconv.Atoi(strings.TrimSpace(string(b)))
		if serr != nil || perr != nil {
			continue
		}
		for _, p := range table {
			// The file is written when the process was started: one that started later has only its number.
			if p.PID == pid && !p.StartTime.After(time.Unix(0, st.MTime).Add(2*time.Second)) {
				return &rules.Refusal{Why: fmt.Sprintf("process %d, which PM2 started, still runs without it (%s): it would run twice", pid, e.Name()), Hint: fmt.Sprintf("end it first: kill %d", pid)}
			}
		}
	}
	return nil
}
