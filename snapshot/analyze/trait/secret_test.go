package trait

import (
	"strings"
	"testing"

	"mvdan.cc/sh/v3/syntax"

	"healthaudit/snapshot/analyze/shell"
)

// However statements lie in each other, each node is looked at in both walks, and
// a statement once more when it is known.
func TestUnsaidLooksAtNodesThreeTimesAtMost(t *testing.T) {
	const deep = 60
	for name, src := range map[string]string{
		"pipes":         "a" + strings.Repeat("|a", deep),
		"redirections":  strings.Repeat("{ ", deep) + "a" + strings.Repeat("; } >f", deep),
		"substitutions": strings.Repeat("$(", deep) + "a" + strings.Repeat(")", deep),
		"all of them":   strings.Repeat("{ a $(", deep) + "a" + strings.Repeat(") | a; } >f", deep),
	} {
		text := shell.Read([]byte(src), shell.Bash)
		if text.Err != nil {
			t.Fatal(name, text.Err)
		}
		nodes, looks := 0, 0
		syntax.Walk(&syntax.File{Stmts: text.Stmts}, func(syntax.Node) bool { nodes++; return true })
		m := &marker{Script: Script{Text: text}}
		m.unsaid(func(n syntax.Node, see func(syntax.Node) bool) {
			syntax.Walk(n, func(n syntax.Node) bool { looks++; return see(n) })
		})
		if looks > 3*nodes {
			t.Errorf("%s: %d looks at %d nodes", name, looks, nodes)
		}
	}
}
