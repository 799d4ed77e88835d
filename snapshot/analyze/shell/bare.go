package shell

import "mvdan.cc/sh/v3/syntax"

// Bare reports of most commands that nothing in them is another one: they are words,
// quotes and plain variables.
func Bare(c *syntax.CallExpr) bool {
	for _, w := range c.Args {
		if !BareWord(w) {
			return false
		}
	}
	return len(c.Assigns) == 0
}

// BareWord is Bare for a word.
func BareWord(w *syntax.Word) bool { return bareParts(w.Parts) }

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
