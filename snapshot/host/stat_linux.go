package host

import (
	"io/fs"
	"syscall"
)

func statOf(fi fs.FileInfo) Stat {
	s := Stat{Mode: fi.Mode(), Size: fi.Size(), MTime: fi.ModTime().UnixNano()}
	if st, ok := fi.Sys().(*syscall.Stat_t); ok {
		s.CTime, s.Inode, s.UID = st.Ctim.Nano(), st.Ino, st.Uid
	}
	return s
}
