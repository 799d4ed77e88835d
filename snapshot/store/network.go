package store

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// networks are the file systems whose files several machines see: a lock there
// is emulated at best, and a mapped file may be stale. The numbers are those of
// statfs(2), linux/magic.h.
var networks = map[int64]string{
	0x6969:     "NFS",
	0x517b:     "SMB",
	0xff534d42: "CIFS",
	0xfe534d42: "SMB2",
	0x5346414f: "AFS",
	0x73757245: "Coda",
	0x564c:     "NCP",
	0x0bd00bd0: "Lustre",
	0xc36400:   "Ceph",
}

// Network returns the name of the network file system on which a store at path
// lies, or would be made; empty where it lies on none, and where that cannot be
// found out.
func Network(path string) string {
	for dir := filepath.Dir(path); ; dir = filepath.Dir(dir) {
		_, err := os.Stat(dir)
		if err == nil {
			return networks[fileSystem(dir)]
		}
		if !errors.Is(err, fs.ErrNotExist) || dir == filepath.Dir(dir) {
			return ""
		}
	}
}
