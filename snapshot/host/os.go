package host

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// OS is the real machine.
type OS struct {
	*files
	path string
	env  func(string) string
	now  func() time.Time
}

// New returns the real machine with the audited root at that folder. The
// clock and the environment are given by main, so that tests choose them.
func New(root string, env func(string) string, now func() time.Time) (*OS, error) {
	abs, err := filepath.Abs(root)
	if err != nil {
		return nil, err
	}
	if real, err := filepath.EvalSymlinks(abs); err == nil {
		abs = real
	}
	f, err := open(abs)
	if err != nil {
		return nil, err
	}
	return &OS{files: f, path: abs, env: env, now: now}, nil
}

func (o *OS) Now() time.Time         { return o.now() }
func (o *OS) Env(name string) string { return o.env(name) }
func (o *OS) Root() string           { return o.path }

func (o *OS) Name() string {
	n, _ := os.Hostname()
	return n
}

// Outside opens another folder, which must be absolute.
func (o *OS) Outside(dir string) (Files, error) {
	if !filepath.IsAbs(dir) {
		return nil, fmt.Errorf("%s: not an absolute folder", dir)
	}
	if st, err := os.Stat(dir); err == nil && !st.IsDir() { // opening a pipe would wait for ever
		return nil, &fs.PathError{Op: "open", Path: dir, Err: syscall.ENOTDIR}
	}
	return open(dir)
}

func (o *OS) Dial(ctx context.Context, socket string) (net.Conn, error) {
	var d net.Dialer
	return d.DialContext(ctx, "unix", socket)
}

// Look searches the PATH of the given environment, not of the process.
func (o *OS) Look(program string) (string, error) {
	if strings.ContainsRune(program, filepath.Separator) {
		return "", fmt.Errorf("%s: not a bare program name", program)
	}
	for _, dir := range filepath.SplitList(o.env("PATH")) {
		if !filepath.IsAbs(dir) { // a program of the audited tree must never be found
			continue
		}
		p := filepath.Join(dir, program)
		real, err := filepath.EvalSymlinks(p) // a folder or program outside may be a link into the tree
		if err != nil || o.holds(p) || o.holds(real) {
			continue
		}
		if st, err := os.Stat(real); err == nil && st.Mode().IsRegular() && st.Mode()&0o111 != 0 {
			return p, nil
		}
	}
	return "", fmt.Errorf("%s: %w on PATH", program, fs.ErrNotExist)
}

// holds reports whether an absolute path lies in the root.
func (o *OS) holds(p string) bool {
	rel, err := filepath.Rel(o.path, p)
	return err == nil && filepath.IsLocal(rel)
}

// lay writes files into a new folder, which is returned with an error too.
func lay(files map[string][]byte) (dir string, err error) {
	if dir, err = os.MkdirTemp("", "audit-"); err != nil {
		return dir, err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return dir, err
	}
	defer root.Close()
	for name, b := range files {
		if err := root.WriteFile(name, b, 0o600); err != nil {
			return dir, err
		}
	}
	return dir, nil
}

func (o *OS) Run(ctx context.Context, c Command) (Result, error) {
	if c.Timeout <= 0 || c.MaxOut <= 0 {
		return Result{}, fmt.Errorf("run %s: a timeout and an output bound are required", c.Program)
	}
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	program := c.Program
	if program == Self {
		exe, err := os.Executable()
		if err != nil {
			return Result{}, err
		}
		program = exe
	}
	if !filepath.IsAbs(program) { // os/exec would search the PATH of this process
		return Result{Code: -1}, fmt.Errorf("run %s: not an absolute path", program)
	}
	cmd := exec.CommandContext(ctx, program, c.Args...)
	if c.Program == Self {
		cmd.Args[0] = "audit"
	}
	cmd.Dir = c.Dir
	if cmd.Dir == "" {
		cmd.Dir = o.path
	}
	if len(c.Files) > 0 {
		dir, err := lay(c.Files)
		defer os.RemoveAll(dir)
		if err != nil {
			return Result{Code: -1}, err
		}
		cmd.Dir = dir
	}
	cmd.Env = slices.Clone(c.Env)
	if cmd.Env == nil {
		cmd.Env = []string{}
	}
	mark := ""
	if c.Marked {
		mark = MarkName + "=" + rand.Text()
		cmd.Env = append(cmd.Env, mark)
	}
	if c.In != nil {
		cmd.Stdin = strings.NewReader(string(c.In))
	}
	ownGroup(cmd)
	cmd.WaitDelay = time.Second // what it printed is read in far less, on a busy machine too
	out := &bounded{max: c.MaxOut, full: cancel, last: c.KeepLast}
	errs := &bounded{max: max(c.MaxError, 4096), last: c.KeepLast}
	cmd.Stdout, cmd.Stderr = out, errs
	err := cmd.Start()
	slept := func() bool { return false }
	if err == nil {
		if c.MaxMemory > 0 {
			boundMemory(cmd.Process.Pid, c.MaxMemory)
		}
		if c.MaxSleep > 0 {
			slept = watch(cmd.Process.Pid, c.MaxSleep, cancel)
		}
		err = cmd.Wait()
	}
	over := slept()
	if errors.Is(err, exec.ErrWaitDelay) || c.Alone && cmd.Process != nil { // it ended, but what it started holds the pipes, or may
		killGroup(cmd)
	}
	if mark != "" && cmd.Process != nil {
		killMarked(mark)
	}
	res := Result{Out: out.b, Err: errs.b, Code: -1}
	if cmd.ProcessState != nil {
		res.Code = cmd.ProcessState.ExitCode()
	}
	switch {
	case out.over:
		return res, fmt.Errorf("output of %s: %w", filepath.Base(program), ErrTooLarge)
	case over:
		return res, fmt.Errorf("%s: %w", filepath.Base(program), ErrAsleep)
	case ctx.Err() != nil:
		res.TimedOut = errors.Is(ctx.Err(), context.DeadlineExceeded)
		return res, fmt.Errorf("%s: %w", filepath.Base(program), ctx.Err())
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return res, nil
	}
	return res, err
}

// watch calls cancel when a process has slept for that long without a break. The
// returned function ends the watch and tells whether that happened.
func watch(pid int, limit time.Duration, cancel func()) (end func() bool) {
	const looks = 10
	stop, result := make(chan struct{}), make(chan bool, 1)
	go func() {
		last, same := "", 0
		for same < looks {
			select {
			case <-stop:
				result <- false
				return
			case <-time.After(limit / looks):
			}
			if text, ok := asleep(pid); ok && text == last {
				same++
			} else {
				last, same = text, 0
			}
		}
		cancel()
		result <- true
	}()
	return func() bool { close(stop); return <-result }
}

// bounded keeps the first max bytes and calls full when more come.
type bounded struct {
	b    []byte
	max  int64
	over bool
	full func()
	last bool // keep the last bytes rather than the first
}

func (w *bounded) Write(p []byte) (int, error) {
	if w.last {
		w.b = append(w.b, p...)
		if more := int64(len(w.b)) - w.max; more > 0 {
			w.b = append(w.b[:0], w.b[more:]...)
		}
		return len(p), nil
	}
	room := w.max - int64(len(w.b))
	if int64(len(p)) > room {
		w.b = append(w.b, p[:room]...)
		w.over = true
		if w.full != nil {
			w.full()
		}
		return len(p), nil
	}
	w.b = append(w.b, p...)
	return len(p), nil
}
