package collect

import (
	"cmp"
	"errors"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"healthaudit/snapshot/analyze/lazyregexp"
	"healthaudit/snapshot/host"
)

// A Survivor is a process that a dead daemon of PM2 had started and that runs without it:
// silent ones that are no Node survive, and `pm2 resurrect` would start them once more.
type Survivor struct {
	PID  int
	File string // name of its pid file: NAME-ID.pid
}

// maxPids bounds the names in a folder of pid files.
const maxPids = 10_000

// Survivors returns those of a home, by their pid files: what lies in its folder of
// them, and files, those that its saved list names. An error where one of the folders
// cannot be read, together with what the others tell; a folder that is not there has none.
func Survivors(h host.Host, home string, files []string, table []host.Process) (out []Survivor, err error) {
	pids := filepath.Join(home, "pids")
	of := map[string][]string{pids: nil} // folder → stems of the files that are PM2's there; none: all are
	for _, file := range files {
		if dir := filepath.Dir(file); filepath.IsAbs(file) && dir != pids {
			of[dir] = append(of[dir], PIDStem(filepath.Base(file)))
		}
	}
	for _, dir := range slices.Sorted(maps.Keys(of)) {
		some, unread := survivorsIn(h, dir, of[dir], table)
		out, err = append(out, some...), cmp.Or(err, unread)
	}
	return out, err
}

var pidNumber = lazyregexp.New(`(?:-[0-9]+)?\.pid$`)

// PIDStem is the name of a pid file without the number that PM2 puts into it, which
// is another one after every start (lib/God.js executeApp: NAME-ID.pid).
func PIDStem(name string) string { return pidNumber().ReplaceAllString(name, "") }

func survivorsIn(h host.Host, folder string, stems []string, table []host.Process) (out []Survivor, err error) {
	dir, err := h.Outside(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	list, err := dir.List(".", maxPids)
	if err != nil {
		return nil, err
	}
	for _, e := range list {
		if stems != nil && !slices.Contains(stems, PIDStem(e.Name())) {
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
		// The file is written when the process was started: one that started later has only its number.
		if slices.ContainsFunc(table, func(p host.Process) bool {
			return p.PID == pid && !p.StartTime.After(time.Unix(0, st.MTime).Add(2*time.Second))
		}) {
			out = append(out, Survivor{pid, e.Name()})
		}
	}
	return out, nil
}
