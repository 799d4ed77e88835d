package refs

import (
	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/shell"
)

// Installs returns the installs of a text that depend on a lockfile, in its
// order: the Name is "npm" for npm ci and "pnpm" for an install with a frozen
// lockfile, which fail without one, and "install" for what writes one. The Dir
// is where they run. They are no refs that a Table resolves.
func Installs(text shell.Text, o Origin) []snapshot.Ref {
	_, installs, _ := Walk(text, o)
	return installs
}

// install notes what a package manager installs.
func (w *walker) install(m *run, verb word, args []word) {
	if !m.at.known || len(w.installs) >= maxRefs || len(m.spaces) > 0 {
		return
	}
	frozen := false
	for _, a := range args {
		frozen = frozen || a.is("--frozen-lockfile")
		if a.is("-g", "--global", "--help", "--no-package-lock") {
			return
		}
	}
	name := ""
	switch {
	case m.name == "npm" && verb.is("ci", "clean-install", "ic", "install-clean"):
		name = "npm"
	case m.name == "pnpm" && verb.is("install", "i") && frozen:
		name = "pnpm"
	case m.name == "npm" && verb.is("install", "i", "add", "shrinkwrap"), m.name == "pnpm" && verb.is("install", "i", "add"):
		name = "install"
	default:
		return
	}
	w.installs = append(w.installs, snapshot.Ref{Kind: snapshot.RefNPM, Name: name, Dir: m.at.dir, Guarded: m.at.guarded, Line: verb.line, Column: verb.column})
}
