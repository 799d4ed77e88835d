package archive

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"strings"

	"healthaudit/snapshot"
)

// maxCurrent bounds, in bytes, a file whose bytes are kept before it is
// overwritten: nothing that was ever captured is larger.
const maxCurrent = 64 << 20

// Current returns the bytes that a plan would overwrite: those that Was is the
// digest of, which for a symbolic link are its target's text. A file of more
// than 64 MiB is an error.
func (r *Restorer) Current(o Outcome) ([]byte, error) {
	name := filepath.FromSlash(o.File.Path)
	if st, err := r.Target.Lstat(name); err == nil && st.Mode()&fs.ModeSymlink != 0 {
		l, err := r.Target.Readlink(name)
		return []byte(l), err
	}
	f, err := r.Target.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxCurrent+1))
	if err == nil && len(b) > maxCurrent {
		return nil, fmt.Errorf("it is larger than %d MiB, too large to be kept before it is overwritten: move it away first", maxCurrent>>20)
	}
	return b, err
}

// reachable refuses a path that leaves the target or passes a symbolic link.
func (r *Restorer) reachable(p string) error {
	if !filepath.IsLocal(filepath.FromSlash(p)) || path.Clean(p) != p || p == "." || strings.ContainsRune(p, 0) ||
		filepath.Separator != '/' && strings.ContainsRune(p, filepath.Separator) {
		return fmt.Errorf("%q is no path below the target", p)
	}
	for i, c := range p { // from the top: below a link that leads out nothing can be told
		if c != '/' {
			continue
		}
		st, err := r.Target.Lstat(filepath.FromSlash(p[:i]))
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil:
			return err
		case st.Mode()&fs.ModeSymlink != 0:
			return fmt.Errorf("%s is a link, and nothing is written through one: move it away first", p[:i])
		case !st.IsDir():
			return fmt.Errorf("%s is not a folder: move it away first", p[:i])
		}
	}
	return nil
}

// Standing says what stands at a path of a folder now. Errors: fs.ErrNotExist, that it
// is neither a file nor a link, or what the operating system says.
func Standing(target *os.Root, p string) (snapshot.File, error) {
	return (&Restorer{Target: target}).disk(p)
}

// disk says what stands at a path now.
func (r *Restorer) disk(p string) (snapshot.File, error) {
	name := filepath.FromSlash(p)
	st, err := r.Target.Lstat(name)
	if err != nil {
		return snapshot.File{}, err
	}
	f := snapshot.File{Path: p, Mode: st.Mode(), Size: st.Size()}
	switch {
	case st.Mode()&fs.ModeSymlink != 0:
		if f.Link, err = r.Target.Readlink(name); err == nil {
			f.SHA256 = snapshot.Sum([]byte(f.Link))
		}
		return f, err
	case st.IsDir():
		return f, fmt.Errorf("%s is a folder: move it away first", p)
	case !st.Mode().IsRegular():
		return f, fmt.Errorf("%s is neither a file nor a link", p)
	}
	in, err := r.Target.Open(name)
	if err != nil {
		return f, err
	}
	defer in.Close()
	h := sha256.New()
	_, err = io.Copy(h, in)
	f.SHA256 = hex.EncodeToString(h.Sum(nil))
	return f, err
}

// verify reads back what was written.
func (r *Restorer) verify(f snapshot.File) error {
	reread := r.reread
	if reread == nil {
		reread = r.disk
	}
	switch is, err := reread(f.Path); {
	case err != nil:
		return fmt.Errorf("verify: %w", err)
	case is.SHA256 != f.SHA256 || is.Link != f.Link || f.Link == "" && runtime.GOOS != "windows" && is.Mode.Perm() != f.Mode.Perm():
		return errors.New("verify: what was written reads back differently")
	}
	return nil
}

// undo puts back what stood in the place of a file, by the name it was kept under,
// or nothing where nothing stood.
func (r *Restorer) undo(o *Outcome, before string, why error) (err error) {
	name := filepath.FromSlash(o.File.Path)
	if o.Before.Path == "" {
		err = r.Target.Remove(name)
	} else if err = r.Target.Rename(before, name); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w; what stood there before is kept in the store", why)
	}
	if err != nil {
		return fmt.Errorf("%w; it could not be put back as it was: %w", why, err)
	}
	return fmt.Errorf("%w; it was put back as it was", why)
}

// plain is an error without the names of our own temporary files.
func plain(err error) string {
	var pe *fs.PathError
	var le *os.LinkError
	switch {
	case errors.As(err, &pe) && strings.Contains(pe.Path, temporary):
		return strings.Replace(err.Error(), pe.Error(), "write into its folder: "+pe.Err.Error(), 1)
	case errors.As(err, &le) && strings.Contains(le.Old+le.New, temporary):
		return strings.Replace(err.Error(), le.Error(), "write into its folder: "+le.Err.Error(), 1)
	}
	return err.Error()
}

// temporary begins the names of files that are not yet in their place.
const temporary = ".audit-restore-"

// asBefore ends the name under which a file stays until what replaced it is verified.
const asBefore = ".before"
