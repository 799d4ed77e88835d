// Package host is the only door to the world: clock, environment, files below
// the audited root, processes, sockets and the few programs audit may run.
//
// Collectors read through Host and nothing else, so tests put any world in
// front of them, and one fuzz target covers them all. Nothing here writes into
// the audited tree.
package host

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"time"
)

// A Host is one machine as audit sees it. All methods are safe for concurrent
// use. Paths of file methods are slash-separated and relative to the root; a
// path that leaves the root, also through a symbolic link, is an error.
type Host interface {
	// Now returns the time of the host's clock.
	Now() time.Time
	// Env returns the value of an environment variable, "" when unset.
	Env(name string) string
	// Name returns the host's name, "" when unknown.
	Name() string
	// Root returns the audited root as an absolute path, for messages and for git.
	Root() string

	// Stat returns what stands at a path, not following a link at its end.
	Stat(path string) (Stat, error)
	// Read returns the bytes of a regular file of at most max bytes.
	// Errors: fs.ErrNotExist, fs.ErrPermission, ErrNotRegular, ErrTooLarge, or
	// the operating system's. It never blocks on a FIFO or a device.
	Read(path string, max int64) ([]byte, error)
	// Link returns the target of a symbolic link, as it stands.
	Link(path string) (string, error)
	// List returns the names in a folder, sorted; at most max, more is ErrTooLarge.
	List(path string, max int) ([]fs.DirEntry, error)

	// Outside returns file access below another absolute folder (a PM2 home, /etc, /proc), read-only.
	Outside(dir string) (Files, error)

	// Run runs a program to its end. See Command for the bounds.
	Run(ctx context.Context, c Command) (Result, error)
	// Look returns the absolute path of a program on PATH, or an error.
	Look(program string) (string, error)
	// Dial connects to a Unix socket.
	Dial(ctx context.Context, socket string) (net.Conn, error)
	// Processes lists the processes of the machine, with the titles of those that
	// titled wants by number and name (of at most 15 bytes, proc_pid_comm(5)); nil
	// is of none. An error where that is not supported.
	Processes(titled func(pid int, name string) bool) ([]Process, error)
	// Program returns the path of the program that a process runs, with
	// " (deleted)" behind it when that is gone; empty when it cannot be read.
	Program(pid int) string
}

// Files is read access below one folder; see Host for the methods' contracts.
type Files interface {
	Stat(path string) (Stat, error)
	Read(path string, max int64) ([]byte, error)
	Link(path string) (string, error)
	List(path string, max int) ([]fs.DirEntry, error)
	// Tail returns the bytes of a regular file from an offset, at most max.
	Tail(path string, offset, max int64) ([]byte, error)
	// Space returns the room on the file system that holds the folder;
	// ErrUnsupported where the platform cannot tell.
	Space() (Space, error)
	io.Closer
}

// A Space is the room on one file system, in bytes.
type Space struct {
	Free int64 // what an ordinary user may still write
	Size int64
}

// A Stat is what the file system says of a path.
type Stat struct {
	Mode  fs.FileMode
	Size  int64
	MTime int64 // nanoseconds since 1970
	CTime int64 // nanoseconds since 1970; 0 where the platform has none
	Inode uint64
	UID   uint32
}

// A Command is a program to run. The environment is exactly Env; standard
// input is In. The child gets its own process group and is killed as a group
// when the context ends or Timeout has passed.
type Command struct {
	Program  string // absolute path, or Self
	Args     []string
	Dir      string // absolute; empty is the root
	Env      []string
	In       []byte
	Files    map[string][]byte // by plain name: they stand in its folder, a new one that is removed when it ends; Dir must be empty
	Timeout  time.Duration     // required
	MaxOut   int64             // bytes of standard output; more kills the child and is ErrTooLarge
	MaxError int64             // bytes of standard error that are kept; 0 keeps 4096
	KeepLast bool              // of what it prints, the last MaxOut and MaxError bytes are kept, and more is no error
	Alone    bool              // when it has ended, what it started is killed: its process group
	Marked   bool              // Linux: when it has ended, what it started is killed wherever it went, by a variable of its environment (MarkName)

	// Linux only; 0 is no bound.
	MaxMemory int64         // bytes of private memory that it may have
	MaxSleep  time.Duration // a program that does nothing at all for so long is killed: ErrAsleep
}

// MarkName is the variable that tells what a program started: see Command.Marked.
const MarkName = "AUDIT_STARTED"

// Self as Command.Program runs this very executable.
const Self = "\x00self"

// A Result is what a program printed and how it ended. Run returns it also
// with an error, as far as it goes. A non-zero exit code is no error.
type Result struct {
	Out      []byte
	Err      []byte
	Code     int // exit code; -1 when it was killed
	TimedOut bool
}

// ClockTick is how long a tick of Process is: Linux fixes USER_HZ at 100 for
// every architecture's user-visible times (proc(5), sysconf(_SC_CLK_TCK)).
const ClockTick = time.Second / 100

// Titled wants the title of every process: see Host.Processes.
func Titled(int, string) bool { return true }

// A Process is one running process.
type Process struct {
	PID       int
	PPID      int
	Start     uint64 // clock ticks since boot: with the PID the identity of the process
	Title     string // command line, NULs as spaces; empty when it was not wanted
	RSS       int64  // bytes
	CPU       uint64 // clock ticks used, user and system: of 10 ms each on Linux (ClockTick)
	Reaped    uint64 // the same of its children that ended and were waited for, and of theirs
	StartTime time.Time
}

var (
	// ErrNotRegular is returned by Read for anything but a regular file.
	ErrNotRegular = errors.New("not a regular file")
	// ErrTooLarge is returned when a bound given by the caller would be passed.
	ErrTooLarge = errors.New("larger than the limit")
	// ErrAsleep is returned by Run for a program that waited for what does not come.
	ErrAsleep = errors.New("it waits for what does not come, perhaps for the writer of a named pipe (find . -type p)")
	// ErrUnsupported is returned where the platform cannot tell.
	ErrUnsupported = errors.New("not supported on this platform")
)

// IsNotExist reports whether err says that nothing is there.
func IsNotExist(err error) bool { return errors.Is(err, os.ErrNotExist) }
