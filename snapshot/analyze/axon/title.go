package axon

import (
	"path/filepath"
	"strings"
)

// IsNamed reports whether a process has the name of a daemon of any home: the
// beginning of its title, which libuv gives its main thread too (uv_set_process_title,
// prctl(2) PR_SET_NAME). Where it is not so, the title is to be read all the same.
func IsNamed(name string) bool { return strings.HasPrefix(name, "PM2 v") }

// IsRuntime reports whether a process has the name of a program that runs
// JavaScript, or of its main thread: node, nodejs, node-22, node-MainThread, bun.
// Its title may be that of a daemon, which not every runtime gives the thread too.
func IsRuntime(name string) bool {
	switch name {
	case "MainThread", "bun", "deno":
		return true
	}
	return strings.HasPrefix(name, "node")
}

// IsDaemon recognises the title that PM2 gives the daemon of a home,
// "PM2 v7.0.4: God Daemon (/home/x/.pm2)" (lib/Daemon.js). Node cuts a title
// that is longer than its own command line was. Real resolves symbolic links:
// the title has PM2_HOME as it was given to the daemon.
func IsDaemon(title, home string, real func(string) string) bool {
	rest, ok := strings.CutPrefix(title, "PM2 v")
	if !ok {
		return false
	}
	_, dir, ok := strings.Cut(rest, ": God Daemon (")
	if !ok {
		return false
	}
	whole := strings.HasSuffix(dir, ")")
	dir = strings.TrimSuffix(dir, ")")
	if whole {
		return filepath.Clean(dir) == filepath.Clean(home) || filepath.IsAbs(dir) && real(dir) == real(home)
	}
	return dir != "" && (strings.HasPrefix(home, dir) || strings.HasPrefix(real(home), dir))
}
