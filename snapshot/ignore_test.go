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
		"compiled": false, "compiled/": true, "compiled/x/y.js": true, "web/compiled/x.js": false,
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
	back, err := DecodeTree(tree.Encode())
	if err != nil || !slices.Equal(back.rules, tree.rules) || !slices.Equal(back.All(), tree.All()) || !back.Git {
		t.Errorf("came back as %v %v (%v)", back.rules, back.All(), err)
	}
	var none *Tree
	if none.WouldIgnore("x") || NewTree(true, nil).WouldIgnore("compiled") {
		t.Error("a tree without rules ignores something")
	}
}

// What a build makes is excused, what people write is not, nor what lies where git has
// something by force.
func TestProduct(t *testing.T) {
	rules := IgnoreRules(".", "lib/\nout/\n/server.js\ndeploy.sh\ntest-*\n*.gen.mjs\n*.css\n")
	tree := NewTree(true, []TreePath{{"lib/forced.py", PathFile, Tracked}, {"there.css", PathFile, Ignored}}).Ruled(rules)
	for p, want := range map[string]bool{
		"out/a.js": true, "out/a.sh": true, "src/out/": true, "out": false, // a file
		"lib/gone.py": false, "lib/deep/gone.js": false, "web/lib/x.py": true,
		"server.js": true, "deploy.sh": false, "ops/deploy.sh": false,
		"test-mail.ts": false, "test-mail.js": false, "test-data.json": true, "test-x/": true,
		"a.gen.mjs": true, "a.css": true, "a.js": false,
	} {
		if got := tree.Product(p); got != want {
			t.Errorf("Product(%q) = %v", p, got)
		}
	}
	if tree.InIgnored("a.css") || !tree.InIgnored("there.css") {
		t.Error("InIgnored is about what is there")
	}
}

// Where not all rules are known, nothing is told: one of those may take back another.
func TestWouldIgnore_within_bounds(t *testing.T) {
	for name, rules := range map[string]string{
		"too many":        "*\n" + strings.Repeat("a\n", maxIgnoreRules),
		"one too long":    "*\n!" + strings.Repeat("a", maxIgnoreLength) + "\n",
		"an odd negation": "*\n!a[\n",
		"many stars":      "*\n!" + strings.Repeat("**/", maxIgnoreStars+1) + "a\n",
	} {
		if NewTree(true, nil).Ruled(IgnoreRules(".", rules)).WouldIgnore("x") {
			t.Errorf("%s: it ignores", name)
		}
	}
	far := NewTree(true, nil).Ruled(slices.Repeat(IgnoreRules(strings.Repeat("d", 4000), "a\n"), 100))
	if len(far.Encode()) > 100 {
		t.Error("rules of more bytes than the bound are kept")
	}
	tree := NewTree(true, nil).Ruled(IgnoreRules(".", "*\n"))
	for p, want := range map[string]bool{
		strings.Repeat("x/", maxIgnoredDepth-1) + "x": true, strings.Repeat("x/", maxIgnoredDepth) + "x": false,
		strings.Repeat("x", maxIgnoredPath): true, strings.Repeat("x", maxIgnoredPath+1): false,
	} {
		if tree.WouldIgnore(p) != want {
			t.Errorf("a path of %d bytes: %v", len(p), !want)
		}
	}
	live := NewTree(true, nil).Ruled(IgnoreRules(".", strings.Repeat(`\{*,*\}`, 30)+"q\n")) // alternatives would take weeks
	if live.WouldIgnore(strings.Repeat(`\`, 90)) {
		t.Error("an escaped brace is an alternative")
	}
	if old := NewTree(true, nil); !strings.HasPrefix(string(old.Encode()), "audit.tree/1 ") || !strings.HasPrefix(string(tree.Encode()), "audit.tree/2 ") {
		t.Error("an older audit would read the rules as something else")
	}
}
