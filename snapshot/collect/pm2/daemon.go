package pm2

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"healthaudit/snapshot/analyze/axon"
	"healthaudit/snapshot/host"
)

// The states of a daemon. None of them needs the daemon to be started, and
// telling them apart disturbs nothing.
const (
	alive       = "alive"
	hung        = "hung"         // accepts a connection and does not answer
	orphaned    = "orphaned"     // runs, but its socket is gone: the next pm2 command starts a second one
	twoDaemons  = "two-daemons"  // two processes are the daemon of this home: only one of them can be asked
	crashed     = "crashed"      // left its pid file behind: SIGKILL, out of memory
	staleSocket = "stale-socket" // left its socket behind: SIGTERM, reboot without a start-up unit
	notRunning  = "not-running"  // was ended by pm2 kill, or never ran
	forbidden   = "forbidden"    // belongs to another user
	unknown     = "unknown"      // cannot be told on this platform
)

// A daemon is what is known of the daemon of one home.
type daemon struct {
	home    string
	real    string // home without symbolic links
	now     time.Time
	state   string
	why     string // what is wrong with one whose apps cannot be seen: one phrase that follows "the PM2 daemon"
	hint    string // for unknown: what to do
	version string
	pid     int
	pids    []int  // of all processes that are the daemon of this home, sorted
	born    string // identity of this life of the daemon, "" unknown
	program string // path of the program that it runs: see host.Host

	list  []process            // when alive
	odd   int                  // entries of the list that are no process
	procs map[int]host.Process // by pid; nil when the platform cannot tell
	below map[int][]int        // pid → those of its children, sorted
}

// inspect tells the state of the daemon of a home, and what it runs. What the
// last run saw of its processes saves another look: see known.
func inspect(ctx context.Context, h host.Host, home string, hash func(string) string, before map[string]glimpse) daemon {
	d := daemon{home: home, real: realPath(h, home)}
	err := d.look(ctx, h, hash)
	switch {
	case d.unsettled(before):
		err = d.settle(ctx, h, hash)
	case d.suspicious(): // it may be a matter of the moment
		err = d.look(ctx, h, hash)
	}
	switch {
	case len(d.pids) > 1 && !errors.Is(err, fs.ErrPermission):
		d.state, d.why = twoDaemons, "runs twice, and only one of the two can be asked"
	case err == nil:
		d.state = alive
	case errors.Is(err, errConnect):
		d.state = d.withoutSocket(h, err)
	default:
		d.state, d.why = hung, "accepts connections but does not answer within 2 seconds"
		if errors.Is(err, axon.ErrProtocol) {
			d.why = "accepts connections but does not speak PM2's protocol"
		}
	}
	return d
}

// look asks the daemon what it runs, and the machine for its processes: in this
// order, so that whatever the daemon lists had the time to appear.
func (d *daemon) look(ctx context.Context, h host.Host, hash func(string) string) error {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	d.now = h.Now()
	err := d.ask(ctx, h, d.socket(), hash)
	d.readProcesses(h)
	return err
}

func (d *daemon) socket() string { return filepath.Join(d.home, "rpc.sock") }

// errConnect marks errors of connecting, in contrast to those of talking.
var errConnect = errors.New("cannot connect")

// ask reads version and process list over one connection.
func (d *daemon) ask(ctx context.Context, h host.Host, socket string, hash func(string) string) error {
	conn, err := h.Dial(ctx, socket)
	if err != nil {
		return fmt.Errorf("%w: %w", errConnect, err)
	}
	defer conn.Close()
	c, err := newClient(ctx, conn)
	if err != nil {
		return err
	}
	first, err := c.send("getVersion", struct{}{})
	if err != nil {
		return err
	}
	second, err := c.send("getMonitorData", struct{}{})
	if err != nil {
		return err
	}
	version, err := c.receive(first)
	if err != nil {
		return err
	}
	answer, err := c.receive(second)
	if err != nil {
		return err
	}
	list, ok := array(answer)
	if !ok || version[0] != '"' {
		return fmt.Errorf("list or version of another type: %w", axon.ErrProtocol)
	}
	d.version = strings.Clone(loose(version))
	d.list, d.odd = decodeList(list, hash)
	return nil
}

func (d *daemon) readProcesses(h host.Host) {
	d.procs, d.below, d.pids, d.pid, d.born, d.program = nil, nil, nil, readPID(h, d.home), "", ""
	list, err := h.Processes(d.mayBe())
	if err != nil {
		return
	}
	if d.pids = d.daemons(h, list); len(d.pids) == 0 { // perhaps its program has another name
		if list, err = h.Processes(host.Titled); err != nil {
			return
		}
		d.pids = d.daemons(h, list)
	}
	d.procs = make(map[int]host.Process, len(list))
	for _, p := range list {
		d.procs[p.PID] = p
	}
	d.below = children(list)
	if !slices.Contains(d.pids, d.pid) {
		d.pid = 0
		if len(d.pids) > 0 {
			d.pid = d.pids[0]
		}
	}
	if p, ok := d.procs[d.pid]; ok && d.pid > 0 {
		d.born, d.program = strconv.Itoa(p.PID)+"."+strconv.FormatUint(p.Start, 10), h.Program(d.pid)
	}
}

// suspicious reports whether what was seen may be a moment between two states:
// an app that is called online and looks dead, one that crashed and is not
// started again yet, a daemon that takes the place of another.
func (d *daemon) suspicious() bool {
	return len(d.pids) > 1 || slices.ContainsFunc(d.list, func(p process) bool {
		return d.ghost(&p) || p.Status == "stopped" && p.setting("autorestart") != "false"
	})
}

// settled is the age below which an app may be between two lives.
const settled = 2 * time.Second

// ghost reports whether an app is online by name only: it has no process, or
// its process is gone and perhaps another one has its pid. A table of processes in which not even the daemon stands
// (a container, hidepid) proves nothing.
func (d *daemon) ghost(p *process) bool {
	if p.Status != "online" || p.UptimeSince > 0 && sinceMillis(d.now, p.UptimeSince) < settled {
		return false
	}
	if p.PID == 0 {
		return true
	}
	proc, there := d.procs[p.PID]
	return len(d.pids) > 0 && (!there || d.stranger(p, proc))
}

// withoutSocket tells the states in which nothing accepts a connection.
func (d *daemon) withoutSocket(h host.Host, err error) string {
	dir, open := h.Outside(d.home)
	if open == nil {
		defer dir.Close()
	}
	refused, absent := errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, fs.ErrNotExist)
	switch {
	case errors.Is(err, fs.ErrPermission) || errors.Is(open, fs.ErrPermission):
		d.why = "belongs to another user"
		return forbidden
	case errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded):
		d.why = "does not accept connections within 2 seconds"
		return hung
	case len(d.socket()) > maxSocket:
		d.why = fmt.Sprintf("has a socket whose path is %d bytes long, and the system takes %d: neither audit nor pm2 can reach it", len(d.socket()), maxSocket)
		d.hint = "Move PM2 to a home with a shorter path: set PM2_HOME for everyone who runs pm2, and for audit."
		return unknown
	case !refused && !absent:
		d.why, d.hint = "has a socket that cannot be used on this machine", "Audit PM2 on Linux."
		return unknown
	case d.procs == nil:
		d.why, d.hint = "may run without its socket: this platform has no table of processes", "Audit PM2 on Linux."
		return unknown
	case d.pid > 0:
		d.why = "runs without its socket"
		return orphaned
	case open == nil && exists(dir, "pm2.pid"):
		return crashed
	case refused:
		return staleSocket
	}
	return notRunning
}

// maxSocket is the longest path of a Unix socket in bytes (unix(7): sun_path has
// 108 with the closing NUL). PM2 cuts a longer one without a word.
const maxSocket = 107

func exists(dir host.Files, name string) bool {
	_, err := dir.Stat(name)
	return err == nil
}

// replace says how a person replaces a daemon that does not answer: pm2's own
// commands wait for it as well.
func (d *daemon) replace() string {
	pid := "PID"
	if d.pid > 0 {
		pid = strconv.Itoa(d.pid)
	}
	return "run `kill -9 " + pid + "` and then `pm2 resurrect` as the user who owns the home"
}

// sinceMillis turns milliseconds since 1970 into a duration before now, 0 when
// unknown or in the future.
func sinceMillis(now time.Time, ms float64) time.Duration {
	if ms <= 0 {
		return 0
	}
	return max(now.Sub(time.UnixMilli(int64(ms))), 0)
}
