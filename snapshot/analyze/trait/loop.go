package trait

import (
	"slices"

	"mvdan.cc/sh/v3/syntax"

	"healthaudit/snapshot/analyze/shell"
)

// endless reports whether a statement is a loop that nothing ends, and that the
// text waits for.
func (m *marker) endless(s *syntax.Stmt) bool {
	if s.Background {
		return false
	}
	switch c := s.Cmd.(type) {
	case *syntax.WhileClause:
		return m.always(c.Cond, c.Until) && !m.ends(c.Do)
	case *syntax.ForClause:
		l, ok := c.Loop.(*syntax.CStyleLoop)
		return ok && l.Cond == nil && !m.ends(c.Do)
	}
	return false
}

// always reports whether a condition never ends its loop.
func (m *marker) always(cond []*syntax.Stmt, until bool) bool {
	if len(cond) != 1 || cond[0].Negated {
		return false
	}
	text := ""
	switch c := cond[0].Cmd.(type) {
	case *syntax.CallExpr:
		for i, w := range c.Args {
			if i > 0 {
				text += " "
			}
			text += m.Literal(w)
		}
	case *syntax.ArithmCmd, *syntax.TestClause:
		text = m.source(c)
	}
	if until {
		return text == "false"
	}
	return slices.Contains([]string{"true", ":", "/bin/true", "[ 1 ]", "test 1", "[ true ]", "((1))", "(( 1 ))", "[[ 1 ]]", "[[ true ]]", "((true))"}, text)
}

// ends reports whether something in a loop may leave it.
func (m *marker) ends(body []*syntax.Stmt) bool {
	ends := false
	for _, s := range body {
		syntax.Walk(s, func(n syntax.Node) bool {
			if c, ok := n.(*syntax.CallExpr); ok && len(c.Args) > 0 {
				switch m.Literal(c.Args[0]) {
				case "break", "exit", "return", "exec":
					ends = true
				}
			}
			return !ends
		})
	}
	return ends
}

// openers only show something: nobody has to wait for them.
var openers = map[string]bool{"open": true, "xdg-open": true, "start": true, "sleep": true, "echo": true, "wait-on": true}

// InBackground returns the mark of the first command that the text of an npm
// script leaves behind in the background. nil: there is none, or the text waits
// for it or ends it.
func InBackground(src []byte, text shell.Text) *Mark {
	if text.Err != nil {
		return nil
	}
	m := &marker{Script: Script{Text: text}, src: src}
	m.learn()
	if m.set.waits {
		return nil
	}
	syntax.Walk(&syntax.File{Stmts: text.Stmts}, func(n syntax.Node) bool {
		s, ok := n.(*syntax.Stmt)
		if ok && s.Background && len(m.out) == 0 {
			names := Of(shell.Text{Stmts: []*syntax.Stmt{s}, Exprs: text.Exprs}).Names
			if slices.ContainsFunc(names, func(n string) bool { return !openers[n] }) {
				m.mark(Background, s, "")
			}
		}
		return len(m.out) == 0
	})
	if len(m.out) == 0 {
		return nil
	}
	return &m.out[0]
}
