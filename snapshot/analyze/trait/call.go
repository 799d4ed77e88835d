package trait

import (
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"healthaudit/snapshot/analyze/shell"
)

// Calls returns a mark of kind NoPackage for each program that the text runs by
// its bare name, once each, at its first call. Functions of the text are left out.
func Calls(text shell.Text) []Mark {
	s := Of(text)
	var out []Mark
	seen := map[string]bool{}
	for _, name := range s.Names {
		seen[name] = false
	}
	syntax.Walk(&syntax.File{Stmts: text.Stmts}, func(n syntax.Node) bool {
		c, ok := n.(*syntax.CallExpr)
		if !ok || text.Err != nil {
			return true
		}
		if args := s.Unwrapped(c.Args); len(args) > 0 {
			name := s.Literal(args[0])
			if done, runs := seen[name]; runs && !done && !strings.Contains(name, "/") {
				seen[name] = true
				out = append(out, Mark{NoPackage, int(args[0].Pos().Line()), int(args[0].Pos().Col()), name})
			}
		}
		return true
	})
	return out
}
