package axon

import (
	"path/filepath"
	"strings"
)

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
