package archive

import (
	"os"
	"path"
	"path/filepath"
	"strings"
)

// Sweep removes what a restore that was killed left beside a file: copies that
// never came into their place. It must not run beside a restore.
func Sweep(target *os.Root, file string) error {
	dir, err := target.Open(filepath.FromSlash(path.Dir(file)))
	if err != nil {
		return err
	}
	names, err := dir.Readdirnames(-1)
	dir.Close()
	for _, n := range names {
		if strings.HasPrefix(n, temporary) {
			if e := target.Remove(filepath.FromSlash(path.Join(path.Dir(file), n))); e != nil && err == nil {
				err = e
			}
		}
	}
	return err
}
