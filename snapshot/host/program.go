package host

import (
	"errors"
	"os"
	"path/filepath"
)

var (
	// ErrNotExecutable is returned by Program for a file that nobody may start.
	ErrNotExecutable = errors.New("not executable")
	// ErrLeadsOut is returned by Program for a link out of the folder it must stay in.
	ErrLeadsOut = errors.New("a link that leads out of the folder")
)

// Program checks that a file can be started. With a folder, the file that all
// links lead to must lie in it. Errors: fs.ErrNotExist, ErrNotRegular,
// ErrNotExecutable, ErrLeadsOut, or the operating system's.
func Program(path, folder string) error {
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return err
	}
	if folder != "" {
		in, err := filepath.EvalSymlinks(folder)
		if err != nil {
			return err
		}
		if rel, err := filepath.Rel(in, real); err != nil || !filepath.IsLocal(rel) {
			return ErrLeadsOut
		}
	}
	st, err := os.Stat(real)
	switch {
	case err != nil:
		return err
	case !st.Mode().IsRegular():
		return ErrNotRegular
	case st.Mode()&0o111 == 0 && filepath.Ext(real) != ".exe":
		return ErrNotExecutable
	}
	return nil
}
