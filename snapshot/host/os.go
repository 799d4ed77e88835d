package host

import (
	"context"
	"errors"
	"fmt"
	"io"
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
	files
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
	return &OS{files: *f, path: abs, env: env, now: now}, nil
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
		if rel, err := filepath.Rel(o.path, p); err == nil && filepath.IsLocal(rel) {
			continue
		}
		if st, err := os.Stat(p); err == nil && st.Mode().IsRegular() && st.Mode()&0o111 != 0 {
			return p, nil
		}
	}
	return "", fmt.Errorf("%s: %w on PATH", program, fs.ErrNotExist)
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
	cmd := exec.CommandContext(ctx, program, c.Args...)
	if c.Program == Self {
		cmd.Args[0] = "audit"
	}
	cmd.Dir = c.Dir
	if cmd.Dir == "" {
		cmd.Dir = o.path
	}
	cmd.Env = slices.Clone(c.Env)
	if cmd.Env == nil {
		cmd.Env = []string{}
	}
	if c.In != nil {
		cmd.Stdin = strings.NewReader(string(c.In))
	}
	ownGroup(cmd)
	cmd.WaitDelay = 200 * time.Millisecond
	out := &bounded{max: c.MaxOut, full: cancel}
	errs := &bounded{max: max(c.MaxError, 4096)}
	cmd.Stdout, cmd.Stderr = out, errs
	err := cmd.Run()
	res := Result{Out: out.b, Err: errs.b, Code: -1}
	if cmd.ProcessState != nil {
		res.Code = cmd.ProcessState.ExitCode()
	}
	switch {
	case out.over:
		return res, fmt.Errorf("output of %s: %w", filepath.Base(program), ErrTooLarge)
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

// bounded keeps the first max bytes and calls full when more come.
type bounded struct {
	b    []byte
	max  int64
	over bool
	full func()
}

func (w *bounded) Write(p []byte) (int, error) {
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

// files reads below one folder. Reading goes through os.Root, which refuses
// every path and link that leaves the folder; stat looks at names only.
type files struct {
	root *os.Root
	dir  string
}

func open(dir string) (*files, error) {
	r, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	return &files{root: r, dir: dir}, nil
}

func (f *files) Close() error { return f.root.Close() }

func local(path string) error {
	if !filepath.IsLocal(filepath.FromSlash(path)) || strings.ContainsRune(path, 0) {
		return &fs.PathError{Op: "open", Path: path, Err: errors.New("path leaves the folder")}
	}
	return nil
}

func (f *files) Stat(path string) (Stat, error) {
	if err := local(path); err != nil {
		return Stat{}, err
	}
	st, err := os.Lstat(f.dir + string(filepath.Separator) + filepath.FromSlash(path))
	if err != nil {
		return Stat{}, bare(err, path)
	}
	return statOf(st), nil
}

func (f *files) Link(path string) (string, error) {
	if err := local(path); err != nil {
		return "", err
	}
	l, err := f.root.Readlink(filepath.FromSlash(path))
	return l, bare(err, path)
}

func (f *files) List(path string, limit int) ([]fs.DirEntry, error) {
	d, err := f.open(path)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	list, err := d.ReadDir(limit + 1)
	if err != nil && err != io.EOF {
		return nil, bare(err, path)
	}
	if len(list) > limit {
		return nil, fmt.Errorf("%s: more than %d entries: %w", path, limit, ErrTooLarge)
	}
	slices.SortFunc(list, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return list, nil
}

func (f *files) Read(path string, limit int64) ([]byte, error) { return f.read(path, 0, limit, false) }

func (f *files) Tail(path string, offset, limit int64) ([]byte, error) {
	return f.read(path, offset, limit, true)
}

func (f *files) read(path string, offset, limit int64, cut bool) ([]byte, error) {
	file, err := f.open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	st, err := file.Stat()
	if err != nil {
		return nil, bare(err, path)
	}
	if !st.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: %w", path, ErrNotRegular)
	}
	if !cut && st.Size() > limit {
		return nil, fmt.Errorf("%s: %w", path, ErrTooLarge)
	}
	if offset > 0 {
		if _, err := file.Seek(offset, io.SeekStart); err != nil {
			return nil, bare(err, path)
		}
	}
	// One byte more than the size lets a file that does not grow end in one read.
	buf := make([]byte, 0, max(min(st.Size()-offset, limit), 0)+1)
	for int64(len(buf)) <= limit {
		if len(buf) == cap(buf) {
			buf = slices.Grow(buf, 4096)
		}
		n, err := file.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, bare(err, path)
		}
	}
	if int64(len(buf)) > limit {
		if !cut { // it grew while it was read
			return nil, fmt.Errorf("%s: %w", path, ErrTooLarge)
		}
		buf = buf[:limit]
	}
	return buf, nil
}

// open never blocks: O_NONBLOCK makes a FIFO without a writer open at once.
func (f *files) open(path string) (*os.File, error) {
	if err := local(path); err != nil {
		return nil, err
	}
	file, err := f.root.OpenFile(filepath.FromSlash(path), os.O_RDONLY|syscall.O_NONBLOCK, 0)
	return file, bare(err, path)
}

// bare replaces the absolute path in an error by the relative one, so that no
// report depends on where the project lies.
func bare(err error, path string) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return &fs.PathError{Op: pe.Op, Path: path, Err: pe.Err}
	}
	return err
}
