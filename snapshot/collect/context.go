package collect

import (
	"path"
	"strings"

	"healthaudit/snapshot"
)

// contextNames are the files that checks of several systems read, by name.
var contextNames = map[string]bool{"package.json": true, ".nvmrc": true, ".node-version": true, "pnpm-workspace.yaml": true}

// Context captures the files that checks read although they belong to no item
// of the systems that are collected: every package.json, version files, and
// the examples of environment files.
func Context(s *Session) []snapshot.File {
	var out []snapshot.File
	for _, e := range s.Tree.All() {
		if e.State == snapshot.Ignored || e.Kind != snapshot.PathFile && e.Kind != snapshot.PathExec {
			continue
		}
		name := path.Base(e.Path)
		example := strings.HasPrefix(name, ".env") && !Sensitive(name)
		if !contextNames[name] && !example || Vendored(e.Path) {
			continue
		}
		if f, err := s.Files.File(e.Path, snapshot.Shared); err == nil {
			out = append(out, f)
		}
	}
	return out
}

// Vendored reports whether a path lies in a folder of other people's code or
// of build products, even where git tracks it.
func Vendored(p string) bool {
	for part := range strings.SplitSeq(path.Dir(p), "/") {
		switch part {
		case "node_modules", "bower_components", "vendor", "third_party", ".venv", "venv", "site-packages", "__pycache__", ".history":
			return true
		}
	}
	return false
}

// Fixture reports whether a path lies among the data of tests, which nobody runs
// and which is often broken on purpose.
func Fixture(p string) bool {
	for part := range strings.SplitSeq(path.Dir(p), "/") {
		switch part {
		case "testdata", "fixtures", ".fixtures", "__fixtures__", "__tests__", "__mocks__":
			return true
		}
	}
	return false
}
