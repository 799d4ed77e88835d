package pm2

import (
	"io/fs"
	"path/filepath"
	"strings"

	"healthaudit/snapshot/host"
)

// secretFiles are the files of a home that hold variables and settings in
// clear. PM2 writes them with mode 0644.
var secretFiles = []string{"dump.pm2", "dump.pm2.bak", "module_conf.json"}

// exposed returns those of the secret files that every user of the machine can
// read: their mode lets them, and so do all folders above.
func exposed(hst host.Host, h *home, dir host.Files) (out []string) {
	if !open(hst, h.daemon.real) {
		return nil
	}
	for _, name := range secretFiles {
		// An empty object or list, {} or [], holds nothing.
		if st, err := dir.Stat(name); err == nil && st.Mode.IsRegular() && st.Mode.Perm()&0o004 != 0 && st.Size > 2 {
			out = append(out, name)
		}
	}
	return out
}

// open reports whether every user can go into a folder.
func open(hst host.Host, folder string) bool {
	top, err := hst.Outside("/")
	if err != nil {
		return false
	}
	defer top.Close()
	for p := strings.TrimPrefix(filepath.Clean(folder), "/"); p != "" && p != "."; p = filepath.Dir(p) {
		st, err := top.Stat(p)
		if err != nil || st.Mode&fs.ModeType != fs.ModeDir || st.Mode.Perm()&0o001 == 0 {
			return false
		}
	}
	return true
}
