package trait

import (
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// folders marks every cd that may fail and is followed by something that would
// then destroy what lies in the folder where the text began.
func (m *marker) folders() {
	if m.set.errexit || m.set.asked["?"] {
		return
	}
	f := folder{m: m, told: map[*syntax.CallExpr]bool{}}
	f.list(m.Text.Stmts)
}

// A folder follows a text from cd to cd.
type folder struct {
	m    *marker
	open *syntax.CallExpr // the last cd, where it may have failed
	told map[*syntax.CallExpr]bool
	flat bool // in a chain that is known to hold no cd
}

func (f *folder) list(stmts []*syntax.Stmt) {
	for _, s := range stmts {
		f.stmt(s)
	}
}

// apart follows what has a folder of its own, or may not run.
func (f *folder) apart(stmts []*syntax.Stmt) {
	before := f.open
	f.list(stmts)
	f.open = before
}

func (f *folder) stmt(s *syntax.Stmt) {
	switch c := s.Cmd.(type) {
	case *syntax.CallExpr:
		f.call(c, !s.Negated)
	case *syntax.BinaryCmd:
		f.binary(c)
	case *syntax.Block:
		f.list(c.Stmts)
	case *syntax.Subshell:
		f.apart(c.Stmts)
	case *syntax.IfClause:
		for ; c != nil; c = c.Else {
			f.apart(c.Then)
		}
	case *syntax.WhileClause:
		f.apart(c.Do)
	case *syntax.ForClause:
		f.apart(c.Do)
	case *syntax.CaseClause:
		for _, i := range c.Items {
			f.apart(i.Stmts)
		}
	case *syntax.FuncDecl:
		before := f.open
		f.open = nil
		f.stmt(c.Body)
		f.open = before
	}
}

// binary follows a chain. Where a cd stands in one, what follows it asks whether
// it came about.
func (f *folder) binary(c *syntax.BinaryCmd) {
	moves := false
	if f.flat {
		f.stmt(c.X)
		f.stmt(c.Y)
		return
	}
	syntax.Walk(c, func(n syntax.Node) bool {
		if call, ok := n.(*syntax.CallExpr); ok && f.moves(call) {
			moves = true
		}
		return !moves
	})
	switch {
	case moves && (c.Op == syntax.AndStmt || c.Op == syntax.OrStmt):
		f.open = nil
	case moves: // a pipe: each side is a shell of its own
	default: // asked once for the whole chain, which may be long
		f.flat = true
		f.stmt(c.X)
		f.stmt(c.Y)
		f.flat = false
	}
}

func (f *folder) moves(c *syntax.CallExpr) bool {
	name := ""
	if len(c.Args) > 0 {
		name = f.m.Literal(c.Args[0])
	}
	return name == "cd" || name == "pushd"
}

func (f *folder) call(c *syntax.CallExpr, counts bool) {
	if f.moves(c) {
		switch word := f.target(c); {
		case word == "..", word == "-", strings.HasPrefix(word, "../"): // wherever that leads, the last cd decides
		case !counts || f.m.there(word):
			f.open = nil
		default:
			f.open = c
		}
		return
	}
	if f.open == nil || f.told[f.open] {
		return
	}
	if name := f.m.destroys(c); name != "" {
		f.told[f.open] = true
		f.m.mark(UnguardedCD, f.open, name)
	}
}

// target returns the folder of a cd as it stands, without quotes.
func (f *folder) target(c *syntax.CallExpr) string {
	for _, a := range c.Args[1:] {
		if w := strings.Trim(f.m.source(a), `"'`); !strings.HasPrefix(w, "-") || w == "-" {
			return w
		}
	}
	return ""
}

// there reports whether a cd into a folder cannot fail, or the text made sure.
func (m *marker) there(word string) bool {
	switch word {
	case "", ".", "./", "/", "~", "/tmp":
		return true
	}
	return m.set.there[word] || found().MatchString(word) || m.ownFolder(word)
}

// products are folders that are made again: to lose those costs time only.
var products = map[string]bool{"node_modules": true, "dist": true, "build": true, "out": true, ".next": true, "coverage": true, "target": true,
	"tmp": true, ".cache": true, "__pycache__": true, ".turbo": true, ".nuxt": true, ".output": true, "package-lock.json": true, "bin": true, "obj": true}

// RemoveProducts is the Name of an UnguardedCD before an rm -r of products alone.
const RemoveProducts = "rm -r of build products"

// destroys names a command that destroys, or takes along, what lies in the
// folder it runs in; "" for any other.
func (m *marker) destroys(c *syntax.CallExpr) string {
	args := m.Unwrapped(c.Args)
	if len(args) == 0 {
		return ""
	}
	switch base(m.Literal(args[0])) {
	case "rm":
		if recursive, _ := m.removal(args); recursive {
			return m.relative(args[1:])
		}
	case "git":
		return m.gitDestroys(args)
	case "find":
		if len(args) > 2 && m.isRelative(args[1]) && slices.ContainsFunc(args, func(w *syntax.Word) bool { return m.Literal(w) == "-delete" }) {
			return "find -delete"
		}
	}
	return ""
}

// relative names an rm -r of what lies in the folder it runs in.
func (m *marker) relative(operands []*syntax.Word) string {
	name := ""
	for _, w := range operands {
		l := m.Literal(w)
		switch {
		case strings.HasPrefix(l, "-") || !m.isRelative(w):
		case products[strings.TrimSuffix(strings.TrimPrefix(l, "./"), "/")]:
			if name == "" {
				name = RemoveProducts
			}
		default:
			return "rm -r"
		}
	}
	return name
}

// isRelative reports whether a word names something below the current folder,
// whatever its expansions are.
func (m *marker) isRelative(w *syntax.Word) bool {
	s := strings.TrimLeft(m.source(w), `"'`)
	return s != "" && !strings.ContainsAny(s[:1], "/~$`<")
}
