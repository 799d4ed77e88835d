package store

import "syscall"

// fileSystem returns the number of the file system of a folder, 0 when unknown.
var fileSystem = func(dir string) int64 {
	var st syscall.Statfs_t
	if syscall.Statfs(dir, &st) != nil {
		return 0
	}
	return int64(st.Type) & 0xffffffff // some machines have it signed
}
