package refs

import (
	"mvdan.cc/sh/v3/syntax"

	"healthaudit/snapshot/analyze/shell"
)

// substitutions walks the commands in $(…), `…` and <(…) below a node.
func (t *source) substitutions(n syntax.Node, at place) {
	if n == nil || bare(n) {
		return
	}
	t.within(n, at)
}

func bare(n syntax.Node) bool {
	switch n := n.(type) {
	case *syntax.CallExpr:
		return shell.Bare(n)
	case *syntax.Redirect:
		return n.Hdoc == nil && n.Word != nil && shell.BareWord(n.Word)
	}
	return false
}

func (t *source) within(n syntax.Node, at place) {
	syntax.Walk(n, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.CmdSubst:
			own := at
			t.stmts(n.Stmts, &own)
			return false
		case *syntax.ProcSubst:
			own := at
			t.stmts(n.Stmts, &own)
			return false
		}
		return true
	})
}
