package pm2

import (
	"bytes"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/lazyregexp"
	"healthaudit/snapshot/host"
)

// errorTail is how much of the end of an error log is read, in bytes: Node
// writes 800 for a port that is taken.
const errorTail = 8 << 10

// taken finds the port in what Node, and what others, say of one that is taken.
var taken = lazyregexp.New(`EADDRINUSE[^\n]{0,200}:(\d{2,5})\b`)

// portTaken returns the port that an app which does not come up says is taken,
// 0 when there is none.
func (b *builder) portTaken(a *app) int {
	for i := range a.procs {
		p := &a.procs[i]
		young := p.Status == "online" && p.Restarts > 0 && sinceMillis(a.home.daemon.now, p.UptimeSince) < settled
		if p.Status != "errored" && p.Status != "waiting restart" && !young {
			continue
		}
		if n := portInLog(b.s.Host, p); n > 0 {
			return n
		}
	}
	return 0
}

func portInLog(hst host.Host, p *process) int {
	name := p.setting("pm_err_log_path")
	if !filepath.IsAbs(name) {
		return 0
	}
	dir, err := hst.Outside(filepath.Dir(name))
	if err != nil {
		return 0
	}
	defer dir.Close()
	st, err := dir.Stat(filepath.Base(name))
	if err != nil || !st.Mode.IsRegular() || float64(st.MTime/1e6) < p.UptimeSince {
		return 0 // nothing was written since the last start
	}
	text, err := dir.Tail(filepath.Base(name), st.Size-errorTail, errorTail)
	if err != nil {
		return 0
	}
	all := taken().FindAllSubmatch(text, -1)
	if len(all) == 0 {
		return 0
	}
	n, err := strconv.Atoi(string(all[len(all)-1][1]))
	if err != nil || n >= 1<<16 {
		return 0
	}
	return n
}

// portFacts adds, for an app that does not come up because its port is taken:
//
//	port.taken      the port
//	port.app        the app of this home that has it
//	port.program    else the program that has it, by the name of its file, and
//	port.pid        its process
//
// Who has it is left out where that cannot be seen: another user's process.
func (b *builder) portFacts(it *snapshot.Item, a *app) {
	port := b.portTaken(a)
	if port == 0 {
		return
	}
	owner, known := b.listener(a.home, port)
	if known && slices.ContainsFunc(a.procs, func(p process) bool { return p.PID > 0 && a.home.daemon.within(owner, p.PID) }) {
		return // it has come up since
	}
	it.Add(snapshot.Volatile, "port.taken", snapshot.Number(port))
	if !known {
		return
	}
	for _, other := range b.apps {
		if other.home == a.home && slices.ContainsFunc(other.procs, func(p process) bool { return p.PID > 0 && a.home.daemon.within(owner, p.PID) }) {
			it.Add(snapshot.Volatile, "port.app", snapshot.Text(other.name))
			return
		}
	}
	if exe, _ := strings.CutSuffix(b.s.Host.Program(owner), " (deleted)"); exe != "" {
		it.Add(snapshot.Volatile, "port.program", snapshot.Text(clip(filepath.Base(exe))))
		it.Add(snapshot.Volatile, "port.pid", snapshot.Number(owner))
	}
}

// within reports whether a process is another one or was started by it.
func (d *daemon) within(pid, top int) bool {
	for range maxAncestors {
		if pid == top {
			return true
		}
		pid = d.procs[pid].PPID
	}
	return false
}

// maxAncestors bounds how far up a process is followed.
const maxAncestors = 50

// Bounds of what is read to find who listens: bytes of a table of sockets, and
// the open files of one process.
const (
	maxSockets = 8 << 20
	maxFiles   = 20_000
)

// listener returns the process that listens on a TCP port. Of several that have
// the socket (a program and what it started) it is one that PM2 lists, else that
// of the lowest number. It cannot be told of a process of another user.
func (b *builder) listener(h *home, port int) (pid int, known bool) {
	inodes := listening(b.s.Host, port)
	if len(inodes) == 0 {
		return 0, false
	}
	if b.sockets == nil {
		b.sockets = sockets(b.s.Host, h.daemon.procs)
	}
	var all []int
	for _, inode := range inodes {
		all = append(all, b.sockets[inode]...)
	}
	slices.Sort(all)
	for _, pid := range all {
		if slices.ContainsFunc(h.daemon.list, func(p process) bool { return p.PID == pid }) {
			return pid, true
		}
	}
	if len(all) == 0 {
		return 0, false
	}
	return all[0], true
}

// listening returns the inodes of the sockets that listen on a port. Source:
// https://docs.kernel.org/networking/proc_net_tcp.html; 0A is TCP_LISTEN.
func listening(hst host.Host, port int) (inodes []string) {
	dir, err := hst.Outside("/proc/self/net")
	if err != nil {
		return nil
	}
	defer dir.Close()
	end := ":" + strings.ToUpper(strconv.FormatInt(1<<16|int64(port), 16)[1:])
	for _, name := range []string{"tcp", "tcp6"} {
		text, err := dir.Read(name, maxSockets)
		if err != nil {
			continue
		}
		for line := range bytes.Lines(text) {
			f := strings.Fields(string(line))
			if len(f) > 9 && strings.HasSuffix(f[1], end) && f[3] == "0A" {
				inodes = append(inodes, f[9])
			}
		}
	}
	return inodes
}

// sockets returns the processes that have each socket, by its inode.
func sockets(hst host.Host, procs map[int]host.Process) map[string][]int {
	out := map[string][]int{}
	for _, pid := range slices.Sorted(maps.Keys(procs)) {
		dir, err := hst.Outside("/proc/" + strconv.Itoa(pid) + "/fd")
		if err != nil {
			continue
		}
		list, _ := dir.List(".", maxFiles)
		for _, e := range list {
			target, err := dir.Link(e.Name())
			inode, ok := strings.CutPrefix(target, "socket:[")
			if err == nil && ok {
				inode = strings.TrimSuffix(inode, "]")
				out[inode] = append(out[inode], pid)
			}
		}
		dir.Close()
	}
	return out
}
