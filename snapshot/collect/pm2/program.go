package pm2

import (
	"encoding/json"
	"path/filepath"
	"strings"

	"healthaudit/snapshot/host"
)

// maxManifest bounds a package.json in bytes: PM2's has 6,000.
const maxManifest = 1 << 20

// installed returns the version of PM2 that the next daemon would be: that of
// the package beside the node of the running one (npm puts global packages into
// PREFIX/lib/node_modules of the node at PREFIX/bin/node), else that of the pm2
// on PATH, which may be another one (onPath). "gone" is a node that was deleted
// with all that was installed beside it, as nvm does. The daemon itself would
// tell from where it was started, but with its whole environment: it is not asked.
func installed(hst host.Host, d *daemon) (version string, onPath bool) {
	exe, deleted := strings.CutSuffix(d.program, " (deleted)")
	prefix := filepath.Dir(filepath.Dir(exe))
	if d.pid > 0 && filepath.IsAbs(exe) && prefix != "/" {
		if v := packageVersion(hst, filepath.Join(prefix, "lib/node_modules/pm2")); v != "" {
			return v, false
		}
		if yes, known := there(hst, prefix); deleted && known && !yes {
			return "gone", false
		}
	}
	program, err := hst.Look("pm2")
	if err != nil {
		return "", true
	}
	return packageVersion(hst, filepath.Dir(filepath.Dir(realPath(hst, program)))), true // PACKAGE/bin/pm2
}

// packageVersion returns the version of PM2's package in a folder, "" when it is
// none or cannot be read.
func packageVersion(hst host.Host, folder string) string {
	dir, err := hst.Outside(realPath(hst, folder))
	if err != nil {
		return ""
	}
	defer dir.Close()
	text, err := dir.Read("package.json", maxManifest)
	var m struct{ Name, Version string }
	if err != nil || json.Unmarshal(text, &m) != nil || m.Name != "pm2" {
		return ""
	}
	return m.Version
}

// daemonProgram tells what became of the program (node) that a daemon runs.
func daemonProgram(hst host.Host, d *daemon) string {
	if d.program == "" {
		return ""
	}
	path, deleted := strings.CutSuffix(d.program, " (deleted)") // proc_pid_exe(5)
	if !deleted {
		return "ok"
	}
	switch there, known := there(hst, path); {
	case !known:
		return ""
	case there:
		return "replaced"
	}
	return "deleted"
}

// there reports whether something stands at an absolute path, links followed;
// known is false when that cannot be told.
func there(hst host.Host, p string) (yes, known bool) {
	real := realPath(hst, p)
	dir, err := hst.Outside(filepath.Dir(real))
	if err == nil {
		defer dir.Close()
		_, err = dir.Stat(filepath.Base(real))
	}
	return err == nil, err == nil || host.IsNotExist(err)
}
