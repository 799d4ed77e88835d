package trait

import (
	"bytes"
	"path"
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"healthaudit/snapshot/analyze/lazyregexp"
)

// Settings are what holds for a text as a whole: what it sets, makes, asks for
// and gives a value.
type settings struct {
	errexit, nounset bool            // it ends at a failure, at a variable without value
	sourced          bool            // it reads another text, which may give values too
	counted          bool            // it asks how many arguments there are
	waits            bool            // it waits for, keeps or ends what runs in the background
	assigned         map[string]bool // variables that it gives a value
	argument         map[string]bool // variables whose only value is an argument, which may be missing
	asked            map[string]bool // variables that it looks at before it uses them
	there            map[string]bool // words of folders that it makes or looks for
	own              map[string]bool // variables that hold the folder of the script or of its project
}

// found matches text that tells a folder which is there: that of the script, of
// the project, a new one.
var found = lazyregexp.New(`dirname|BASH_SOURCE|\$\{?0\b|\bpwd\b|\$\{?PWD\b|rev-parse|mktemp|readlink|realpath|__dirname`)

func base(word string) string {
	if word == "" {
		return ""
	}
	return path.Base(word)
}

// learn reads the settings of the text.
func (m *marker) learn() {
	s := &m.set
	s.assigned, s.argument, s.asked = map[string]bool{}, map[string]bool{}, map[string]bool{}
	s.there, s.own = map[string]bool{}, map[string]bool{}
	if line, _, _ := bytes.Cut(m.src, []byte("\n")); bytes.HasPrefix(line, []byte("#!")) {
		for _, w := range strings.Fields(string(line[2:])) {
			if len(w) > 1 && w[0] == '-' && w[1] != '-' {
				m.option(w)
			}
		}
	}
	syntax.Walk(&syntax.File{Stmts: m.Text.Stmts}, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.Assign:
			m.assign(n)
		case *syntax.WordIter:
			s.assigned[n.Name.Value] = true
		case *syntax.ParamExp:
			switch n.Param.Value {
			case "#":
				s.counted = true
			case "!":
				s.waits = true
			case "?":
				s.asked["?"] = true
			}
			if n.Exp != nil && n.Exp.Op != syntax.AlternateUnset && n.Exp.Op != syntax.AlternateUnsetOrNull {
				s.asked[n.Param.Value] = true // ${X:?}, ${X:-y}, ${X:=y}: somewhere it is thought of
			}
		case *syntax.TestClause:
			m.asks(n)
		case *syntax.CaseClause:
			m.asks(n.Word)
		case *syntax.CallExpr:
			m.setting(n)
		}
		return true
	})
}

// option reads letters of set: -eu, -euo.
func (m *marker) option(word string) {
	if strings.HasPrefix(word, "-") && !strings.HasPrefix(word, "--") {
		m.set.errexit = m.set.errexit || strings.Contains(word, "e")
		m.set.nounset = m.set.nounset || strings.Contains(word, "u")
	}
}

func (m *marker) assign(a *syntax.Assign) {
	if a.Name == nil {
		return
	}
	name, value := a.Name.Value, ""
	if a.Value != nil {
		value = strings.Trim(m.source(a.Value), `"`)
	}
	switch {
	case len(value) == 2 && value[0] == '$' && value[1] >= '1' && value[1] <= '9':
		m.set.argument[name] = true
	case a.Value != nil || a.Array != nil:
		m.set.assigned[name] = true
	}
	if m.has.folder && (found().MatchString(value) || m.ownFolder(value)) {
		m.set.own[name] = true
	}
}

func (m *marker) setting(c *syntax.CallExpr) {
	args := m.Unwrapped(c.Args)
	if len(args) == 0 {
		return
	}
	switch name := base(m.Literal(args[0])); name {
	case "set":
		for i, a := range args[1:] {
			switch l := m.Literal(a); {
			case l == "errexit" && i > 0:
				m.set.errexit = true
			case l == "nounset" && i > 0:
				m.set.nounset = true
			default:
				m.option(l)
			}
		}
	case ".", "source":
		m.set.sourced = true
	case "wait", "trap", "kill", "pkill":
		m.set.waits = true
	case "read", "mapfile", "readarray", "getopts":
		for _, a := range args[1:] {
			m.set.assigned[m.Literal(a)] = true
		}
	case "mkdir":
		for _, a := range args[1:] {
			m.set.there[strings.Trim(m.source(a), `"`)] = true
		}
	case "[", "test":
		m.asks(c)
	}
}

// asks notes what a test looks at.
func (m *marker) asks(n syntax.Node) {
	syntax.Walk(n, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.ParamExp:
			m.set.asked[n.Param.Value] = true
			m.set.counted = m.set.counted || n.Param.Value == "#"
		case *syntax.Word:
			m.set.there[strings.Trim(m.source(n), `"`)] = true
		}
		return true
	})
}

var ownName = lazyregexp.New(`^\$\{?([A-Za-z_]\w*)\}?((?:/\.{1,2})*)/?$`)

// ownFolder reports whether a word is a variable with a folder that is there, or
// one above it.
func (m *marker) ownFolder(word string) bool {
	f := ownName().FindStringSubmatch(strings.Trim(word, `"`))
	return f != nil && (m.set.own[f[1]] || f[1] == "HOME" || f[1] == "PWD" || f[1] == "OLDPWD")
}
