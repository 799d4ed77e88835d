package collect

import (
	"path"
	"slices"
	"strings"

	"healthaudit/snapshot"
	"healthaudit/snapshot/host"
)

// Bounds of the .gitignore files that are read. Where there are more, or one cannot be
// read, it is not known what git would ignore.
const (
	maxIgnoreFiles = 200
	maxIgnoreFile  = 64 << 10
)

// ignoreRules reads the .gitignore files of the project, those of outer folders
// first. What one clone or one user ignores beside (.git/info/exclude, core.excludesFile)
// is not read: it does not travel with the commit, of which something would then be
// missing in every other clone and not in this one.
func ignoreRules(h host.Host, tree *snapshot.Tree) (rules []snapshot.IgnoreRule) {
	var files []string
	for _, e := range tree.All() {
		if path.Base(e.Path) == ".gitignore" && e.Kind == snapshot.PathFile && e.State != snapshot.Ignored && !Vendored(e.Path) && !Fixture(e.Path) {
			files = append(files, e.Path)
		}
	}
	slices.SortStableFunc(files, func(a, b string) int { return strings.Count(a, "/") - strings.Count(b, "/") })
	if len(files) > maxIgnoreFiles {
		return nil
	}
	for _, f := range files {
		b, err := h.Read(f, maxIgnoreFile)
		if err != nil {
			return nil
		}
		rules = append(rules, snapshot.IgnoreRules(path.Dir(f), string(b))...)
	}
	return rules
}
