package js

import (
	"strings"

	ast "github.com/tdewolff/parse/v2/js"
)

// saysOnly returns the first word of a file that does nothing but say something,
// or nil.
func saysOnly(list []ast.IStmt) (first []byte) {
	for _, s := range list {
		switch s := s.(type) {
		case *ast.Comment, *ast.EmptyStmt, *ast.DirectivePrologueStmt:
		case *ast.ExprStmt:
			c, ok := ungroup(s.Value).(*ast.CallExpr)
			if !ok {
				return nil
			}
			d, ok := ungroup(c.X).(*ast.DotExpr)
			name := dotted(c.X)
			if !ok || !literals(c.Args.List, 0) || !strings.HasPrefix(name, "console.") && name != "process.exit" {
				return nil
			}
			if name == "process.exit" && len(c.Args.List) == 1 {
				if lit, ok := ungroup(c.Args.List[0].Value).(*ast.LiteralExpr); !ok || string(lit.Data) != "0" {
					return nil
				}
			}
			if first == nil && name != "process.exit" {
				first = memberName(d)
			}
		default:
			return nil
		}
	}
	return first
}

// literals reports whether arguments tell nothing but what stands there, and the time.
func literals(args []ast.Arg, depth int) bool {
	for _, a := range args {
		if !isLiteral(a.Value, depth) {
			return false
		}
	}
	return true
}

func isLiteral(e ast.IExpr, depth int) bool {
	if depth > valueDepth {
		return false
	}
	switch e := ungroup(e).(type) {
	case *ast.LiteralExpr:
		return true
	case *ast.TemplateExpr:
		for _, p := range e.List {
			if !isLiteral(p.Expr, depth+1) {
				return false
			}
		}
		return e.Tag == nil
	case *ast.BinaryExpr:
		return e.Op == ast.AddToken && isLiteral(e.X, depth+1) && isLiteral(e.Y, depth+1)
	case *ast.DotExpr:
		return isLiteral(e.X, depth+1)
	case *ast.CallExpr:
		return literals(e.Args.List, depth+1) && (dotted(e.X) == "Date.now" || isLiteral(e.X, depth+1))
	case *ast.NewExpr:
		return dotted(e.X) == "Date" && (e.Args == nil || literals(e.Args.List, depth+1))
	}
	return false
}
