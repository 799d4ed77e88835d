package collect

import (
	"fmt"
	"path/filepath"
	"strings"

	"healthaudit/snapshot/host"
)

// Program returns a program on PATH, and what tells it from another one without
// starting it: where it lies, its size and time. Both are empty where there is none.
func Program(h host.Host, name string) (program, identity string) {
	program, err := h.Look(name)
	if err != nil {
		return "", ""
	}
	identity = program
	dir, base := filepath.Split(program)
	if files, err := h.Outside(filepath.Clean(dir)); err == nil {
		defer files.Close()
		if st, err := files.Stat(base); err == nil {
			identity += fmt.Sprintf("\x00%d\x00%d", st.Size, st.MTime)
		}
	}
	return program, identity
}

// SafePath is the PATH without folders of the audited project and relative
// ones, for programs that start others.
func SafePath(h host.Host) string {
	var keep []string
	for _, dir := range filepath.SplitList(h.Env("PATH")) {
		if rel, err := filepath.Rel(h.Root(), dir); filepath.IsAbs(dir) && (err != nil || !filepath.IsLocal(rel)) {
			keep = append(keep, dir)
		}
	}
	return strings.Join(keep, string(filepath.ListSeparator))
}
