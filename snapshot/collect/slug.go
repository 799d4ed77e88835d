package collect

import (
	"strings"

	"healthaudit/snapshot/analyze/lazyregexp"
)

// address is one of a server: with a scheme, or as scp has it. The last two parts of its
// path are taken, without the end that git does not need.
// Source: git-clone(1), GIT URLS
var address = lazyregexp.New(`^(?:(?:https?|ssh|git)://[^/]+/|[^/:]+:/?)(?:[^/]+/)*([\w.-]+/[\w.-]+?)(?:\.git)?/*$`)

// slug returns the owner and the name of the repository that origin is, out of what
// settings returns; "" when origin is none of a server.
func slug(config string) string {
	for config != "" {
		var setting string
		_, config, _ = strings.Cut(config, "\x00")
		setting, config, _ = strings.Cut(config, "\x00")
		if url, ok := strings.CutPrefix(setting, "remote.origin.url\n"); ok {
			if m := address().FindStringSubmatch(url); m != nil {
				return m[1]
			}
			return ""
		}
	}
	return ""
}
