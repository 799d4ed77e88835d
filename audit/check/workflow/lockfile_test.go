package workflow

import (
	"testing"

	"healthaudit/snapshot"
)

// A lockfile on disk that git ignores is not on any runner; one that cannot be
// looked for is not missing.
func TestLockMissing(t *testing.T) {
	tree := snapshot.NewTree(true, []snapshot.TreePath{
		{Path: "package.json", Kind: snapshot.PathFile, State: snapshot.Tracked}, {Path: "package-lock.json", Kind: snapshot.PathFile, State: snapshot.Ignored},
		{Path: "web/package.json", Kind: snapshot.PathFile, State: snapshot.Tracked}, {Path: "web/npm-shrinkwrap.json", Kind: snapshot.PathMissing, State: snapshot.Tracked},
		{Path: "sub", Kind: snapshot.PathModule, State: snapshot.Tracked}, {Path: "shut", Kind: snapshot.PathDir, State: snapshot.Unread},
		{Path: "api/x.js", Kind: snapshot.PathFile, State: snapshot.Tracked},
	})
	for dir, want := range map[string]string{
		".":    "package-lock.json is ignored by git, so that no runner has it",
		"api":  "package-lock.json is ignored by git, so that no runner has it",
		"web":  "", // deleted on disk only: git has it
		"sub":  "",
		"shut": "",
		"gone": "",
	} {
		if got := lockMissing(tree, dir, lockfiles["npm"], false); got != want {
			t.Errorf("%s: %q, want %q", dir, got, want)
		}
	}
	if got := lockMissing(tree, "web", lockfiles["pnpm"], false); got != "there is no pnpm-lock.yaml in web or above" {
		t.Error(got)
	}
	if got := lockMissing(nil, ".", lockfiles["npm"], false); got != "" {
		t.Error(got)
	}
}
