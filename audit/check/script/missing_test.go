package script

import (
	"testing"

	"healthaudit/snapshot"
)

func TestMovedTo(t *testing.T) {
	var paths []snapshot.TreePath
	for _, p := range []string{"src/monitoring/check.ts", "setup_project.sh", "a/run.js", "b/run.js", "old/run.md", "lib/twin.js", "lib/twin.sh", "docs/note.md"} {
		paths = append(paths, snapshot.TreePath{Path: p, Kind: snapshot.PathFile, State: snapshot.Tracked})
	}
	moved := movedTo(snapshot.NewTree(true, paths))
	for missing, want := range map[string]string{
		"api/monitoring/check.ts": "src/monitoring/check.ts", // moved
		"setup_project.js":        "setup_project.sh",        // written anew in another language
		"c/run.js":                "",                        // two of that name
		"old/run.js":              "",                        // two of that name, and beside it only text
		"lib/twin.py":             "",                        // two endings
		"docs/note.js":            "",
	} {
		if got := moved(snapshot.Ref{Kind: snapshot.RefFile, Path: missing}); got != want {
			t.Errorf("%s: %q, want %q", missing, got, want)
		}
	}
	if got := moved(snapshot.Ref{Kind: snapshot.RefNPM, Name: "check.ts"}); got != "" {
		t.Errorf("an npm script moved to %q", got)
	}
}
