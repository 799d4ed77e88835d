package trait

import (
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// removal reads the options of rm.
func (m *marker) removal(args []*syntax.Word) (recursive, preserved bool) {
	for _, a := range args[1:] {
		switch l := m.Literal(a); {
		case l == "--recursive":
			recursive = true
		case l == "--preserve-root=all":
			preserved = true
		case len(l) > 1 && l[0] == '-' && l[1] != '-':
			recursive = recursive || strings.ContainsAny(l, "rR")
		}
	}
	return recursive, preserved
}

// system are the folders of a machine that nobody wants to lose.
var system = map[string]bool{"bin": true, "boot": true, "data": true, "etc": true, "home": true, "lib": true, "lib64": true, "opt": true, "root": true,
	"sbin": true, "srv": true, "usr": true, "var": true, "Users": true, "Library": true, "Applications": true}

// remove marks rm -r "$NAME"/* and the like, where NAME may be empty: the
// command is then about the whole machine.
func (m *marker) remove(c *syntax.CallExpr, args []*syntax.Word) {
	if m.set.nounset {
		return
	}
	if recursive, preserved := m.removal(args); !recursive || preserved {
		return
	}
	for _, w := range args[1:] {
		if name, rest := leading(w); name != "" && m.mayBeEmpty(name) && wide(rest) {
			m.mark(DangerousRM, w, name)
		}
	}
}

// wide reports whether the text behind an empty variable is everything, or a
// folder of the system. rm itself refuses "/".
func wide(rest string) bool {
	first, _, _ := strings.Cut(strings.TrimLeft(rest, "/"), "/")
	return strings.HasPrefix(rest, "/") && (first == "*" || first == ".*" || system[first])
}

// leading returns the variable that a word begins with, and the text behind it
// as far as it is known; name is "" where it begins otherwise. A * in quotes is
// no pattern and is left out.
func leading(w *syntax.Word) (name, rest string) {
	var b strings.Builder
	first, open := true, true
	var part func(p syntax.WordPart, quoted bool)
	part = func(p syntax.WordPart, quoted bool) {
		switch p := p.(type) {
		case *syntax.DblQuoted:
			for _, q := range p.Parts {
				part(q, true)
			}
			return
		case *syntax.ParamExp:
			if first && p.Exp == nil && p.Repl == nil && p.Slice == nil && p.Index == nil && !p.Length && !p.Excl {
				name = p.Param.Value
			} else {
				open = false
			}
		case *syntax.Lit:
			if open && quoted {
				b.WriteString(strings.ReplaceAll(p.Value, "*", "\x00"))
			} else if open {
				b.WriteString(p.Value)
			}
		case *syntax.SglQuoted:
			open = false
		default:
			open = false
		}
		first = false
	}
	for _, p := range w.Parts {
		part(p, false)
	}
	return name, b.String()
}

// always are variables that a login, a shell or a CI system gives a value.
var always = map[string]bool{"HOME": true, "PWD": true, "OLDPWD": true, "USER": true, "SHELL": true, "PATH": true, "0": true, "$": true, "RANDOM": true,
	"HOSTNAME": true, "INIT_CWD": true, "PREFIX": true}

// mayBeEmpty reports whether nothing in the text sees to it that a variable has
// a value.
func (m *marker) mayBeEmpty(name string) bool {
	if len(name) == 1 && name[0] >= '1' && name[0] <= '9' { // that of a function, or behind sh -c '…', is given by the text itself
		return m.funcs == 0 && m.depth == 0 && !m.set.counted && !m.set.asked[name]
	}
	switch {
	case always[name], m.set.asked[name], m.set.assigned[name], m.set.sourced, strings.HasPrefix(name, "GITHUB_"), strings.HasPrefix(name, "RUNNER_"),
		strings.HasPrefix(name, "npm_"), strings.HasPrefix(name, "CI_"), name == "" || name[0] < 'A':
		return false
	}
	return !m.set.argument[name] || !m.set.counted
}
