package trait

import (
	"bytes"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"healthaudit/snapshot/analyze/lazyregexp"
)

// Everything begins the Name of a mark Secret for which the whole environment is said;
// what follows is a secret in it, or nothing.
const Everything = "*"

var (
	// dotEnv matches files whose variables are settings, and likely secrets.
	dotEnv = lazyregexp.New(`(^|/)\.env(\.(local|production|prod|staging))?$`)
	// secretWord matches what somebody looks for who looks for a secret.
	secretWord = lazyregexp.New(`(?i)token|secret|passw|api.?key|private.?key`)
)

// maxNamed is how many secrets of a text are remembered: one is named, of those whose
// values do not stand in it.
const maxNamed = 20

// lone are commands that show every variable where nothing follows them.
var lone = []string{"env", "printenv", "set", "export", "declare", "export -p", "declare -p", "declare -x"}

// mayDump reports whether a text may show every variable, or one by printenv.
func mayDump(src []byte) bool {
	if bytes.Contains(src, []byte("printenv")) {
		return true
	}
	return slices.ContainsFunc(lone, func(w string) bool {
		for rest := src; ; {
			i := bytes.Index(rest, []byte(w))
			if i < 0 {
				return false
			}
			before, after := rest[:i], bytes.TrimLeft(rest[i+len(w):], " \t")
			if (len(before) == 0 || strings.IndexByte(" \t\n;&|({", before[len(before)-1]) >= 0) && (len(after) == 0 || strings.IndexByte("\n;&|)}>\"", after[0]) >= 0) {
				return true
			}
			rest = rest[i+len(w):]
		}
	})
}

// shows marks a statement that shows the environment, or a secret in it.
func (m *marker) shows(s *syntax.Stmt) {
	if m.dumps(s) {
		m.markHeld(s)
		return
	}
	switch c := s.Cmd.(type) {
	case *syntax.CallExpr:
		if m.talks && len(c.Args) > 1 && m.Program(c) == "printenv" {
			if at, name := m.asked(c); name != "" {
				m.mark(Secret, at, name)
			}
		}
	case *syntax.BinaryCmd:
		if c.Op != syntax.Pipe || len(c.X.Redirs) > 0 || !m.dumps(c.X) {
			return
		}
		to, ok := c.Y.Cmd.(*syntax.CallExpr)
		if !ok || slices.ContainsFunc(c.Y.Redirs, leaves) {
			return
		}
		switch name := m.Program(to); {
		case passes[name]:
			m.markHeld(s)
		case name == "grep" || name == "egrep":
			if m.findsSecrets(to) {
				m.mark(Secret, s, Everything)
			}
		}
	}
}

// passes are programs that show what they are given, all of it.
var passes = map[string]bool{"sort": true, "cat": true, "tee": true, "nl": true, "column": true}

// dumps reports whether a statement shows every variable.
func (m *marker) dumps(s *syntax.Stmt) bool {
	var words []string
	switch c := s.Cmd.(type) {
	case *syntax.CallExpr:
		for _, w := range c.Args {
			words = append(words, m.Literal(w))
		}
	case *syntax.DeclClause:
		words = append(words, c.Variant.Value)
		for _, a := range c.Args {
			if !a.Naked || a.Value == nil {
				return false
			}
			words = append(words, m.Literal(a.Value))
		}
	}
	return slices.Contains(lone, strings.Join(words, " "))
}

// markHeld marks that everything is said, where a secret is known to be in it.
func (m *marker) markHeld(s *syntax.Stmt) {
	if name := m.held(); name != "" {
		m.mark(Secret, s, name)
	}
}

// held names a secret that is in the environment, as far as the text tells: it asks for
// one, or reads a file of settings. "" where it does neither.
func (m *marker) held() string {
	for _, name := range m.named {
		if !m.written[name] {
			return Everything + name
		}
	}
	return ""
}

// asked returns the first secret whose value printenv is asked for.
func (m *marker) asked(c *syntax.CallExpr) (at syntax.Node, name string) {
	for _, w := range c.Args[1:] {
		if l := m.Literal(w); secretName().MatchString(l) && !m.written[l] {
			return w, l
		}
	}
	return nil, ""
}

// sourced notes a file of settings that is read: . ./.env
func (m *marker) sourced(c *syntax.CallExpr) {
	if len(c.Args) != 2 || len(m.named) == maxNamed {
		return
	}
	if name := m.Literal(c.Args[0]); (name == "." || name == "source") && dotEnv().MatchString(m.Literal(c.Args[1])) {
		m.named = append(m.named, ".env")
	}
}

// talk reports whether a statement says something to a person.
func (m *marker) talk(s *syntax.Stmt) bool {
	c, ok := s.Cmd.(*syntax.CallExpr)
	if !ok || len(c.Args) < 2 {
		return false
	}
	if name := m.Program(c); name != "echo" && name != "printf" {
		return false
	}
	var said strings.Builder
	for _, w := range c.Args[1:] {
		said.WriteString(m.Literal(w) + " ")
	}
	return label().MatchString(said.String())
}

// findsSecrets reports whether a grep shows lines for what secrets are called.
func (m *marker) findsSecrets(c *syntax.CallExpr) bool {
	for _, w := range c.Args[1:] {
		l := m.Literal(w)
		switch {
		case l == "":
			return false
		case strings.HasPrefix(l, "--"), l[0] == '-' && strings.ContainsAny(l, "vqclLo"):
			return false
		case l[0] != '-':
			return secretWord().MatchString(l)
		}
	}
	return false
}
