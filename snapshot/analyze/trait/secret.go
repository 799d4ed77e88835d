package trait

import (
	"slices"
	"strconv"

	"mvdan.cc/sh/v3/syntax"

	"healthaudit/snapshot/analyze/lazyregexp"
)

var (
	// secretName matches environment variables that hold what nobody else may read.
	secretName = lazyregexp.New(`^([A-Z0-9_]*_)?(TOKEN|SECRET|PASSWORD|PASSWD|API_?KEY|PRIVATE_KEY|SECRET_KEY|ACCESS_KEY|SERVICE_ROLE_KEY|JWT)$`)
	// label matches words for a person: a text without them may be for a program.
	label = lazyregexp.New(`[A-Za-z]{3}.*[ :=]`)
)

// maxPreview is how many characters of a secret may be shown to tell it from another.
const maxPreview = 8

// prints marks a secret that is said to whoever reads the output: echo "Token: $API_TOKEN".
// What goes into a file, a pipe or a variable is left out, and so is what was
// written out in the text itself.
func (m *marker) prints(s *syntax.Stmt) {
	c, ok := s.Cmd.(*syntax.CallExpr)
	if !ok || len(c.Args) < 2 {
		return
	}
	if name := m.Program(c); name != "echo" && name != "printf" {
		return
	}
	said, secret, name := m.sentence(c)
	if secret != nil && label().MatchString(said) && !maskCommand().MatchString(said) {
		m.mark(Secret, secret, name)
	}
}

// sentence returns the text of an echo or printf that is written out in it, and the
// first secret that it says, with its name.
func (m *marker) sentence(c *syntax.CallExpr) (said string, secret syntax.Node, name string) {
	for _, w := range c.Args[1:] {
		for _, p := range flat(w) {
			found := ""
			switch p := p.(type) {
			case *syntax.Lit:
				said += p.Value
			case *syntax.SglQuoted:
				said += p.Value
			case *syntax.ParamExp:
				if m.secret(p) {
					found = p.Param.Value
				}
			case *syntax.CmdSubst:
				found = m.substituted(p)
			}
			if secret == nil && found != "" {
				secret, name = p, found
			}
		}
		said += " "
	}
	return said, secret, name
}

// substituted returns the secret that a command says whose output is part of a word:
// "$(printenv API_TOKEN)".
func (m *marker) substituted(p *syntax.CmdSubst) string {
	if len(p.Stmts) != 1 || len(p.Stmts[0].Redirs) > 0 {
		return ""
	}
	if what := m.dumps(p.Stmts[0]); what != "" {
		return m.held(what)
	}
	c, ok := p.Stmts[0].Cmd.(*syntax.CallExpr)
	if !ok || len(c.Args) < 2 {
		return ""
	}
	switch m.Program(c) {
	case "printenv":
		_, name := m.asked(c)
		return name
	case "echo", "printf":
		_, _, name := m.sentence(c)
		return name
	}
	return ""
}

var maskCommand = lazyregexp.New(`::add-mask::`)

// secret reports whether an expansion shows the value of a secret.
func (m *marker) secret(p *syntax.ParamExp) bool {
	if p.Param == nil || p.Excl || p.Length || p.Width || p.Names != 0 || p.Repl != nil || !secretName().MatchString(p.Param.Value) || m.written[p.Param.Value] {
		return false
	}
	if p.Exp != nil && (p.Exp.Op == syntax.AlternateUnset || p.Exp.Op == syntax.AlternateUnsetOrNull) {
		return false // only whether there is one
	}
	if p.Slice != nil {
		w, _ := p.Slice.Length.(*syntax.Word)
		n, err := strconv.Atoi(wordText(m, w))
		return err != nil || n > maxPreview
	}
	return true
}

func wordText(m *marker, w *syntax.Word) string {
	if w == nil {
		return ""
	}
	return m.Literal(w)
}

// unsaid collects what is no output of its own: the commands of substitutions and
// pipes, and the values that are written out. The walk is syntax.Walk.
func (m *marker) unsaid(walk func(syntax.Node, func(syntax.Node) bool)) {
	m.inner, m.written, m.named, m.talks = map[*syntax.Stmt]bool{}, map[string]bool{}, nil, false
	m.private, m.exported, m.allExport = map[string]bool{}, map[string]bool{}, false
	all := func(list []*syntax.Stmt) {
		for _, s := range list {
			walk(s, func(n syntax.Node) bool {
				in, ok := n.(*syntax.Stmt)
				if ok && m.inner[in] { // and all that is in it
					return false
				}
				if ok {
					m.inner[in] = true
				}
				return true
			})
		}
	}
	walk(&syntax.File{Stmts: m.Text.Stmts}, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.Stmt:
			if slices.ContainsFunc(n.Redirs, leaves) { // of a block, too
				all([]*syntax.Stmt{n})
			}
			m.talks = m.talks || m.has.dump && !m.inner[n] && m.talk(n)
		case *syntax.CallExpr:
			if m.has.dump {
				m.gives(n)
			}
		case *syntax.DeclClause:
			if m.has.dump {
				m.declares(n)
			}
		case *syntax.ParamExp:
			if m.has.dump && n.Param != nil && secretName().MatchString(n.Param.Value) {
				m.name(n.Param.Value)
			}
		case *syntax.CmdSubst:
			all(n.Stmts)
		case *syntax.ProcSubst:
			all(n.Stmts)
		case *syntax.BinaryCmd:
			if n.Op == syntax.Pipe || n.Op == syntax.PipeAll {
				all([]*syntax.Stmt{n.X})
			}
		case *syntax.Assign:
			if n.Name != nil && n.Value != nil && m.Literal(n.Value) != "" {
				m.written[n.Name.Value] = true
			}
		}
		return true
	})
}

// leaves reports whether a redirection takes output away from who reads it. That
// is not so from one of the two outputs to the other: cron mails both, PM2 logs both.
func leaves(r *syntax.Redirect) bool {
	out := func(name string) bool { return name == "1" || name == "2" }
	return r.Op != syntax.DplOut || r.N != nil && !out(r.N.Value) || !out(r.Word.Lit())
}
