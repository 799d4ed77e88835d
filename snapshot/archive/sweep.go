package archive

import (
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Litter returns the paths of what a restore that was killed left beside a file:
// copies that never came into their place, made before a time.
// Younger ones may be of a restore that is under way.
func Litter(target *os.Root, file string, before time.Time) (paths []string, err error) {
	dir, err := target.Open(filepath.FromSlash(path.Dir(file)))
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	folder, err := dir.Stat()
	if err != nil {
		return nil, err
	}
	names, err := dir.Readdirnames(-1)
	for _, n := range names {
		if !strings.HasPrefix(n, temporary) {
			continue
		}
		p := path.Join(path.Dir(file), n)
		st, e := target.Lstat(filepath.FromSlash(p))
		if e != nil {
			continue // it came into its place just now
		}
		made := st.ModTime()
		if strings.HasSuffix(n, asBefore) { // another name of what stood there, and as old as that
			made = folder.ModTime()
		}
		if made.Before(before) {
			paths = append(paths, p)
		}
	}
	slices.Sort(paths)
	return paths, err
}

// Sweep removes what Litter returns.
func Sweep(target *os.Root, file string, before time.Time) error {
	paths, err := Litter(target, file, before)
	for _, p := range paths {
		if e := target.Remove(filepath.FromSlash(p)); e != nil && err == nil {
			err = e
		}
	}
	return err
}
