package host

import (
	"os"
	"path/filepath"
)

// Repository is the outermost folder around another one that git has as a work
// tree, else that folder itself.
func Repository(root string) string {
	top := root
	for d := root; d != filepath.Dir(d); d = filepath.Dir(d) {
		if _, err := os.Lstat(filepath.Join(d, ".git")); err == nil {
			top = d
		}
	}
	return top
}
