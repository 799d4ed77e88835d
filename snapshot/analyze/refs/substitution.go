package refs

import "mvdan.cc/sh/v3/syntax"

// substitutions walks the commands in $(…), `…` and <(…) below a node.
func (t *source) substitutions(n syntax.Node, at place) {
	if n == nil || bare(n) {
		return
	}
	t.within(n, at)
}

// bare reports of most commands that nothing in them is another: they are words,
// quotes and variables.
func bare(n syntax.Node) bool {
	switch n := n.(type) {
	case *syntax.CallExpr:
		for _, w := range n.Args {
			if !bareParts(w.Parts) {
				return false
			}
		}
		return len(n.Assigns) == 0
	case *syntax.Redirect:
		return n.Hdoc == nil && n.Word != nil && bareParts(n.Word.Parts)
	}
	return false
}

func bareParts(parts []syntax.WordPart) bool {
	for _, p := range parts {
		switch p := p.(type) {
		case *syntax.Lit, *syntax.SglQuoted:
		case *syntax.DblQuoted:
			if !bareParts(p.Parts) {
				return false
			}
		case *syntax.ParamExp:
			if !p.Short || p.Index != nil { // zsh has $a[$(b)]
				return false
			}
		default:
			return false
		}
	}
	return true
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
