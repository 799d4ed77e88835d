package main

import (
	"errors"
	"io/fs"
	"os"
	"slices"
	"strings"

	"healthaudit/report"
	"healthaudit/snapshot/store"
)

// gitignore has git ignore the folder of the store by a line of its own. The
// folder ignores itself as well; the line says so to who reads the file.
func (c *initCmd) gitignore(_ *App, root *os.Root, doc *report.Document) (*initStep, error) {
	const path = ".gitignore"
	line := store.Folder + "/"
	st := &initStep{path: path, what: "the line " + line, ask: "Add " + line + " to .gitignore?", agreed: c.Yes, flag: "--yes"}
	was, err := readOwn(root, path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if _, err := root.Lstat(".git"); err != nil && doc.Run.Git == nil {
			return nil, nil
		}
		st.do = func() error { return create(root, path, line+"\n") }
		return st, nil
	case err != nil && c.Yes:
		return nil, err
	case err != nil:
		return nil, nil
	}
	now := string(was)
	end := "\n"
	if strings.Contains(now, "\r\n") {
		end = "\r\n"
	}
	for l := range strings.Lines(now) {
		if slices.Contains([]string{line, "/" + line, store.Folder, "/" + store.Folder, "/" + store.Folder + "/*", store.Folder + "/*"}, strings.TrimSpace(l)) {
			st.there = "names " + line + " already"
			return st, nil
		}
	}
	if now != "" && !strings.HasSuffix(now, "\n") {
		now += end
	}
	st.do = func() error { return replace(root, path, was, []byte(now+line+end)) }
	return st, nil
}
