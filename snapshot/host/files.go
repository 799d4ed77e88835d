package host

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
)

// files reads below one folder. Reading goes through os.Root, which refuses
// every path and link that leaves the folder.
type files struct {
	root  *os.Root
	dir   string
	plain sync.Map // folders that Stat saw to be real folders all the way

	mu   sync.Mutex
	open map[string]*os.Root // folders that were read from, at most maxOpen
}

// maxOpen bounds the folders that are kept open: a process may have 1,024 files.
const maxOpen = 128

func open(dir string) (*files, error) {
	r, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	return &files{root: r, dir: dir, open: map[string]*os.Root{}}, nil
}

func (f *files) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, r := range f.open {
		r.Close()
	}
	f.open = nil
	return f.root.Close()
}

// folder returns an open folder, nil for one that is not kept open. A file in it
// is then one step away instead of one for every part of its path.
func (f *files) folder(dir string) *os.Root {
	f.mu.Lock()
	defer f.mu.Unlock()
	r := f.open[dir]
	if r == nil && f.open != nil && len(f.open) < maxOpen {
		var err error
		if r, err = f.root.OpenRoot(filepath.FromSlash(dir)); err != nil {
			return nil
		}
		f.open[dir] = r
	}
	return r
}

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
	stat := func() (fs.FileInfo, error) { return f.root.Lstat(filepath.FromSlash(path)) }
	if i := strings.LastIndexByte(path, '/'); i < 0 || f.real(path[:i]) {
		stat = func() (fs.FileInfo, error) { return os.Lstat(f.name(path)) }
	}
	st, err := stat()
	if err != nil {
		return Stat{}, bare(err, path)
	}
	return statOf(st), nil
}

func (f *files) name(path string) string {
	return f.dir + string(filepath.Separator) + filepath.FromSlash(path)
}

// real reports whether no part of a folder's path is a symbolic link. It is
// what makes Stat, of which a run does thousands, one system call.
func (f *files) real(dir string) bool {
	if _, ok := f.plain.Load(dir); ok {
		return true
	}
	if i := strings.LastIndexByte(dir, '/'); i >= 0 && !f.real(dir[:i]) {
		return false
	}
	st, err := os.Lstat(f.name(dir))
	if err != nil || !st.IsDir() {
		return false
	}
	f.plain.Store(dir, nil)
	return true
}

func (f *files) Link(path string) (string, error) {
	if err := local(path); err != nil {
		return "", err
	}
	link := f.root.Readlink
	if i := strings.LastIndexByte(path, '/'); i < 0 || f.real(path[:i]) {
		link = func(string) (string, error) { return os.Readlink(f.name(path)) }
	}
	l, err := link(filepath.FromSlash(path))
	return l, bare(err, path)
}

func (f *files) List(path string, limit int) ([]fs.DirEntry, error) {
	d, err := f.file(path)
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
	offset, limit = max(offset, 0), max(limit, 0)
	file, err := f.file(path)
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

// file never blocks: O_NONBLOCK makes a FIFO without a writer open at once.
func (f *files) file(path string) (*os.File, error) {
	if err := local(path); err != nil {
		return nil, err
	}
	if i := strings.LastIndexByte(path, '/'); i > 0 {
		if dir := f.folder(path[:i]); dir != nil {
			if file, err := dir.OpenFile(path[i+1:], os.O_RDONLY|syscall.O_NONBLOCK, 0); err == nil {
				return file, nil
			} // else it is a link that leaves the folder, or the error of the whole path
		}
	}
	file, err := f.root.OpenFile(filepath.FromSlash(path), os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if errors.Is(err, syscall.ENXIO) { // a socket
		return nil, fmt.Errorf("%s: %w", path, ErrNotRegular)
	}
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
