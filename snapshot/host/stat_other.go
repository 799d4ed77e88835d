//go:build !linux

package host

import "io/fs"

func statOf(fi fs.FileInfo) Stat {
	return Stat{Mode: fi.Mode(), Size: fi.Size(), MTime: fi.ModTime().UnixNano()}
}
