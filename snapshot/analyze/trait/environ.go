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

// unexported are those of lone that show what is not exported, too.
var unexported = []string{"set", "declare", "declare -p"}

// mayDump reports whether a text may show every variable, or one by printenv. It only
// spares most texts a walk: dumps decides.
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
			if (len(before) == 0 || strings.IndexByte(" \t\n;&|({`", before[len(before)-1]) >= 0) && (len(after) == 0 || strings.IndexByte("\r\n;&|)}<>\"'`#\\0123456789", after[0]) >= 0) {
				return true
			}
			rest = rest[i+len(w):]
		}
	})
}

// shows marks a statement that shows the environment, or a secret in it.
func (m *marker) shows(s *syntax.Stmt) {
	if what := m.dumps(s); what != "" {
		m.markHeld(s, what)
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
		if c.Op != syntax.Pipe || len(c.X.Redirs) > 0 {
			return
		}
		what := m.dumps(c.X)
		if what == "" {
			return
		}
		to, ok := c.Y.Cmd.(*syntax.CallExpr)
		if !ok || slices.ContainsFunc(c.Y.Redirs, leaves) {
			return
		}
		switch name := m.Program(to); {
		case passes[name]:
			m.markHeld(s, what)
		case name == "grep" || name == "egrep":
			if m.findsSecrets(to) {
				m.mark(Secret, s, Everything)
			}
		}
	}
}

// passes are programs that show what they are given, all of it.
var passes = map[string]bool{"sort": true, "cat": true, "tee": true, "nl": true, "column": true}

// dumps returns the command of lone by which a statement shows every variable, or "".
func (m *marker) dumps(s *syntax.Stmt) string {
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
				return ""
			}
			words = append(words, m.Literal(a.Value))
		}
	}
	if what := strings.Join(words, " "); slices.Contains(lone, what) {
		return what
	}
	return ""
}

// markHeld marks that everything is said, where a secret is known to be in it.
func (m *marker) markHeld(s *syntax.Stmt, what string) {
	if name := m.held(what); name != "" {
		m.mark(Secret, s, name)
	}
}

// held names a secret that a command of lone shows, as far as the text tells: it asks
// for one, or reads a file of settings. "" where it does neither.
func (m *marker) held(what string) string {
	for _, name := range m.named {
		if !m.written[name] && (slices.Contains(unexported, what) || m.exports(name)) {
			return Everything + name
		}
	}
	return ""
}

// exports reports whether a secret is in the environment of programs, as far as the
// text tells. One that it does not give a value was there before, unless the text reads
// a file of settings: then it may be of that.
func (m *marker) exports(name string) bool {
	return m.allExport || m.exported[name] || !m.private[name] && !slices.Contains(m.named, dotEnvName)
}

// asked returns the first secret whose value printenv is asked for.
func (m *marker) asked(c *syntax.CallExpr) (at syntax.Node, name string) {
	for _, w := range c.Args[1:] {
		if l := m.Literal(w); secretName().MatchString(l) && !m.written[l] && m.exports(l) {
			return w, l
		}
	}
	return nil, ""
}

// dotEnvName stands for what a file of settings holds.
const dotEnvName = ".env"

// gives notes what a command does to variables: . ./.env, set -a, read -r NAME,
// NAME=$(…).
func (m *marker) gives(c *syntax.CallExpr) {
	if len(c.Args) == 0 {
		for _, a := range c.Assigns {
			m.private[a.Name.Value] = true
		}
		return
	}
	switch name := m.Literal(c.Args[0]); name {
	case ".", "source":
		if len(c.Args) == 2 && dotEnv().MatchString(m.Literal(c.Args[1])) {
			m.name(dotEnvName)
		}
	case "set":
		for i, w := range c.Args[1:] {
			l := m.Literal(w)
			if l == "--" {
				break
			}
			m.allExport = m.allExport || l == "allexport" && i > 0 || len(l) > 1 && l[0] == '-' && l[1] != '-' && strings.Contains(l, "a")
		}
	case "read":
		for _, w := range c.Args[1:] {
			m.private[m.Literal(w)] = true
		}
	}
}

// declares notes variables of export, declare, local and the like.
func (m *marker) declares(c *syntax.DeclClause) {
	out := c.Variant.Value == "export"
	for _, a := range c.Args {
		switch {
		case a.Name != nil && out:
			m.exported[a.Name.Value] = true
		case a.Name != nil:
			m.private[a.Name.Value] = true
		case a.Value != nil && strings.HasPrefix(m.Literal(a.Value), "-"):
			out = out || strings.Contains(m.Literal(a.Value), "x")
		}
	}
}

// name remembers a secret that the text asks for, once.
func (m *marker) name(secret string) {
	if len(m.named) < maxNamed && !slices.Contains(m.named, secret) {
		m.named = append(m.named, secret)
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
