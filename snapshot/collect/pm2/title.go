package pm2

import (
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"healthaudit/snapshot/analyze/axon"
	"healthaudit/snapshot/host"
)

// mayBe tells of which processes the title is read in search of daemons: of the one
// in the pid file, of those that have a daemon's name, and of those that run
// JavaScript and are no app of the list. Beside a daemon that was found, one is
// overlooked whose program has any other name and gives its thread none, and one
// that has the pid of an app that the list calls online.
func (d *daemon) mayBe() func(pid int, name string) bool {
	noted, apps := d.pid, make(map[int]bool, len(d.list))
	for i := range d.list {
		if p := &d.list[i]; p.Status == "online" {
			apps[p.PID] = true
		}
	}
	return func(pid int, name string) bool {
		return pid == noted || axon.IsNamed(name) || axon.IsRuntime(name) && !apps[pid]
	}
}

// daemons returns the processes that are the daemon of this home. A child of
// one is none: until it becomes the app it bears the title of its parent.
func (d *daemon) daemons(h host.Host, list []host.Process) (pids []int) {
	real := func(p string) string {
		if p == d.home {
			return d.real
		}
		return realPath(h, p)
	}
	titled := map[int]int{} // to their parents
	for _, p := range list {
		if axon.IsDaemon(p.Title, d.home, real) {
			titled[p.PID] = p.PPID
		}
	}
	for pid, parent := range titled {
		if _, child := titled[parent]; !child {
			pids = append(pids, pid)
		}
	}
	slices.Sort(pids)
	return pids
}

func readPID(h host.Host, home string) int {
	dir, err := h.Outside(home)
	if err != nil {
		return 0
	}
	defer dir.Close()
	b, err := dir.Read("pm2.pid", 64)
	if err != nil {
		return 0
	}
	n, _ := strconv.Atoi(strings.TrimSpace(string(b)))
	return n
}

// maxLinks bounds the symbolic links of one path, as Linux does.
const maxLinks = 40

// realPath resolves the symbolic links of an absolute path. What cannot be read
// is taken as it stands.
func realPath(h host.Host, p string) string {
	top, err := h.Outside("/")
	if err != nil {
		return filepath.Clean(p)
	}
	defer top.Close()
	return resolve(top, p)
}

// resolve is realPath for who has the folder / open.
func resolve(top host.Files, p string) string {
	done, rest := "/", strings.Split(p, "/")
	for links := 0; len(rest) > 0; {
		next := path.Join(done, rest[0])
		rest = rest[1:]
		target, err := top.Link(strings.TrimPrefix(next, "/"))
		switch {
		case err != nil:
			done = next
			continue
		case links == maxLinks:
			return filepath.Clean(p)
		case path.IsAbs(target):
			done = "/"
		}
		links++
		rest = append(strings.Split(target, "/"), rest...)
	}
	return done
}
