package pm2

import (
	"context"
	"encoding/json"
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

	"healthaudit/snapshot/host"
)

// The states of a daemon. None of them needs the daemon to be started, and
// telling them apart disturbs nothing.
const (
	alive       = "alive"
	hung        = "hung"         // accepts a connection and does not answer
	orphaned    = "orphaned"     // runs, but its socket is gone: the next pm2 command starts a second one
	crashed     = "crashed"      // left its pid file behind: SIGKILL, out of memory
	staleSocket = "stale-socket" // left its socket behind: SIGTERM, reboot without a start-up unit
	notRunning  = "not-running"  // was ended by pm2 kill, or never ran
	forbidden   = "forbidden"    // belongs to another user
	unknown     = "unknown"      // cannot be told on this platform
)

// A daemon is what is known of the daemon of one home.
type daemon struct {
	home    string
	now     time.Time
	state   string
	why     string // for hung and unknown: one phrase
	version string
	pid     int
	born    string // identity of this life of the daemon, "" unknown

	list  []process            // when alive
	odd   int                  // entries of the list that are no process
	procs map[int]host.Process // by pid; nil when the platform cannot tell
}

// inspect tells the state of the daemon of a home, and what it runs.
func inspect(ctx context.Context, h host.Host, home string, hash func(string) string) daemon {
	d := daemon{home: home, now: h.Now()}
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	socket := filepath.Join(home, "rpc.sock")
	err := d.ask(ctx, h, socket, hash)
	d.readProcesses(h)
	if err == nil && d.suspicious() { // an app may have been restarted between the two looks
		if err = d.ask(ctx, h, socket, hash); err == nil {
			d.readProcesses(h)
		}
	}
	d.pid = d.findPID(h)
	switch {
	case err == nil:
		d.state = alive
	case errors.Is(err, errConnect):
		d.state = d.withoutSocket(h, err)
	default:
		d.state, d.why = hung, "accepts connections but does not answer within 2 seconds"
		if errors.Is(err, errProtocol) {
			d.why = "accepts connections but does not speak PM2's protocol"
		}
	}
	if p, ok := d.procs[d.pid]; ok && d.pid > 0 {
		d.born = strconv.Itoa(p.PID) + "." + strconv.FormatUint(p.Start, 10)
	}
	return d
}

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
	var version string
	if err := c.call("getVersion", &version, struct{}{}); err != nil {
		return err
	}
	var raw []json.RawMessage
	if err := c.call("getMonitorData", &raw, struct{}{}); err != nil {
		return err
	}
	d.version = version
	d.list, d.odd = decodeList(raw, hash)
	return nil
}

func (d *daemon) readProcesses(h host.Host) {
	d.procs = nil
	list, err := h.Processes()
	if err != nil {
		return
	}
	d.procs = make(map[int]host.Process, len(list))
	for _, p := range list {
		d.procs[p.PID] = p
	}
}

// suspicious reports whether some app looks dead although it is called online.
func (d *daemon) suspicious() bool {
	return slices.ContainsFunc(d.list, func(p process) bool { return d.ghost(&p) })
}

// settled is the age below which an app may be between two lives.
const settled = 2 * time.Second

// ghost reports whether an app is online by name only: it has no process, or
// its process is gone.
func (d *daemon) ghost(p *process) bool {
	if p.Status != "online" || p.UptimeSince > 0 && sinceMillis(d.now, p.UptimeSince) < settled {
		return false
	}
	if p.PID == 0 {
		return true
	}
	_, there := d.procs[p.PID]
	return d.procs != nil && !there
}

// findPID returns the pid of the daemon's process: that of the pid file when
// its title agrees, else that of the process with the title of this home; 0 is none.
func (d *daemon) findPID(h host.Host) int {
	written := readPID(h, d.home)
	if d.procs == nil {
		return written
	}
	if p, ok := d.procs[written]; ok && isDaemon(p.Title, d.home) {
		return written
	}
	found := 0
	for pid, p := range d.procs {
		if isDaemon(p.Title, d.home) && (found == 0 || pid < found) {
			found = pid
		}
	}
	return found
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

// isDaemon recognises the title that PM2 gives its daemon,
// "PM2 v7.0.4: God Daemon (/home/x/.pm2)" (lib/Daemon.js). Node cuts a title
// that is longer than its own command line was.
func isDaemon(title, home string) bool {
	rest, ok := strings.CutPrefix(title, "PM2 v")
	if !ok {
		return false
	}
	_, dir, ok := strings.Cut(rest, ": God Daemon (")
	if !ok {
		return false
	}
	whole := strings.HasSuffix(dir, ")")
	dir = strings.TrimSuffix(dir, ")")
	if whole {
		return filepath.Clean(dir) == filepath.Clean(home)
	}
	return dir != "" && strings.HasPrefix(home, dir)
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
	case !refused && !absent:
		d.why = "its socket cannot be used on this machine"
		return unknown
	case d.procs == nil:
		d.why = "no process table on this platform: it may run without its socket"
		return unknown
	case d.pid > 0:
		return orphaned
	case open == nil && exists(dir, "pm2.pid"):
		return crashed
	case refused:
		return staleSocket
	}
	return notRunning
}

func exists(dir host.Files, name string) bool {
	_, err := dir.Stat(name)
	return err == nil
}

// sinceMillis turns milliseconds since 1970 into a duration before now, 0 when
// unknown or in the future.
func sinceMillis(now time.Time, ms float64) time.Duration {
	if ms <= 0 {
		return 0
	}
	return max(now.Sub(time.UnixMilli(int64(ms))), 0)
}
