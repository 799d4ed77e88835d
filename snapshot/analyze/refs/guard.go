package refs

import (
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// fails reports whether what stands behind || gives the failure on.
func fails(s *syntax.Stmt) bool {
	last := s
	for {
		switch c := last.Cmd.(type) {
		case *syntax.Block:
			if len(c.Stmts) == 0 {
				return false
			}
			last = c.Stmts[len(c.Stmts)-1]
			continue
		case *syntax.Subshell:
			if len(c.Stmts) == 0 {
				return false
			}
			last = c.Stmts[len(c.Stmts)-1]
			continue
		case *syntax.BinaryCmd:
			last = c.Y
			continue
		case *syntax.CallExpr:
			if len(c.Args) == 0 {
				return false
			}
			switch name := c.Args[0].Lit(); name {
			case "false":
				return true
			case "exit", "return":
				return len(c.Args) > 1 && c.Args[1].Lit() != "0" && c.Args[1].Lit() != "" || len(c.Args) == 1
			}
		}
		return false
	}
}

// tests reports whether the statements ask whether something is there:
// [ -f x ], [[ -x x ]], test -d x, command -v x.
func tests(list []*syntax.Stmt) bool {
	found := false
	for _, s := range list {
		syntax.Walk(s, func(n syntax.Node) bool {
			switch n := n.(type) {
			case *syntax.UnaryTest:
				switch n.Op {
				case syntax.TsExists, syntax.TsRegFile, syntax.TsDirect, syntax.TsExec, syntax.TsRead, syntax.TsNoEmpty, syntax.TsSmbLink:
					found = true
				}
			case *syntax.CallExpr:
				found = found || testCall(n)
				return false
			case *syntax.IfClause, *syntax.WhileClause, *syntax.ForClause, *syntax.CaseClause, *syntax.FuncDecl, *syntax.CmdSubst:
				return false // what is asked within is answered there
			}
			return !found
		})
	}
	return found
}

func testCall(c *syntax.CallExpr) bool {
	if len(c.Args) < 2 {
		return false
	}
	switch c.Args[0].Lit() {
	case "[", "test":
		for _, a := range c.Args[1:] {
			if l := a.Lit(); len(l) == 2 && l[0] == '-' && strings.IndexByte("efdxrsLh", l[1]) >= 0 {
				return true
			}
		}
	case "which", "type", "hash", "ls", "stat":
		return true
	case "command":
		return c.Args[1].Lit() == "-v" || c.Args[1].Lit() == "-V"
	}
	return false
}
