package snapshot

import (
	"slices"
	"strings"
	"testing"
)

func TestWouldIgnore(t *testing.T) {
	rules := slices.Concat(
		IgnoreRules(".", "# comment\n\n/compiled/\n*.gen.mjs\r\n.venv\nkeep/**\n!keep/kept.js\na{b,c}\n\\#odd   \nlogs/*.log\nsee/**/deep\n"+strings.Repeat("**/", 9)+"x\n[\n"),
		IgnoreRules("web", "/made.js\n!b.gen.mjs\nout-*\n"))
	tree := NewTree(true, []TreePath{{"src/a.js", PathFile, Tracked}, {"gone.gen.mjs", PathMissing, Tracked}, {"there.gen.mjs", PathFile, Untracked}}).Ruled(rules)
	for p, want := range map[string]bool{
		"compiled": true, "compiled/x/y.js": true, "web/compiled/x.js": false,
		"b.gen.mjs": true, "src/b.gen.mjs": true, "web/b.gen.mjs": false, "web/c.gen.mjs": true,
		".venv/bin/python": true, "web/.venv/bin/python": true,
		"keep": false, "keep/x.js": true, "keep/kept.js": false,
		"ab": false, "a{b,c}": true, "#odd": true, "comment": false,
		"logs/a.log": true, "web/logs/a.log": false, "see/deep": true, "see/a/b/deep": true,
		"web/made.js": true, "made.js": false, "web/x/made.js": false, "web/x/out-1/y": true,
		"src": false, "src/none.js": false, "x": false, "": false, ".": false, "/compiled": false, "../compiled": false,
		"gone.gen.mjs": false, "there.gen.mjs": false, // tracked, or there
	} {
		if got := tree.WouldIgnore(p); got != want {
			t.Errorf("WouldIgnore(%q) = %v", p, got)
		}
	}
	for p, want := range map[string]bool{"web/x/out-1": true, "web/x/out-1/y": false, "src/b.gen.mjs": true, "compiled/b.gen.mjs": false, "web/made.js": false, "src/none.js": false} {
		if got := tree.IgnoredByKind(p); got != want {
			t.Errorf("IgnoredByKind(%q) = %v", p, got)
		}
	}
	if !tree.InIgnored("compiled/x") || tree.InIgnored("src/none.js") {
		t.Error("InIgnored does not say what WouldIgnore says")
	}
	back, err := DecodeTree(tree.Encode())
	if err != nil || !slices.Equal(back.rules, tree.rules) || !slices.Equal(back.All(), tree.All()) || !back.Git {
		t.Errorf("came back as %v %v (%v)", back.rules, back.All(), err)
	}
	var none *Tree
	if none.WouldIgnore("x") || NewTree(true, nil).WouldIgnore("compiled") {
		t.Error("a tree without rules ignores something")
	}
}
