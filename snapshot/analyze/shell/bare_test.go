package shell

import (
	"testing"

	"mvdan.cc/sh/v3/syntax"
)

func TestBare(t *testing.T) {
	for src, want := range map[string]bool{"a b 'c' \"d $e\" $f": true, "a ${b}": false, "a $(b)": false, "a \"$(b)\"": false, "a `b`": false, "a <(b)": false, "a ${b:-$(c)}": false,
		"a \"${b:-$(c)}\"": false, "A=1 b": false, "A=$(b) c": false, "a $((1))": false, "a $b[$(c)]": false, "a *.b": true, "a [b]": true} {
		for _, d := range []Dialect{Bash, Zsh} {
			stmts, err := Parse([]byte(src), d)
			if err != nil {
				t.Fatalf("%q: %v", src, err)
			}
			c := stmts[0].Cmd.(*syntax.CallExpr)
			got := Bare(c)
			if d == Bash && got != want && src != "a $b[$(c)]" {
				t.Errorf("%q is bare: %v", src, got)
			}
			syntax.Walk(c, func(n syntax.Node) bool {
				if _, ok := n.(*syntax.Stmt); ok && got {
					t.Errorf("%q in %s is bare, and holds a command", src, d)
				}
				return true
			})
		}
	}
}
