package js

import (
	"bytes"
	"slices"
	"unicode/utf8"

	"github.com/evanw/esbuild/pkg/api"
	ast "github.com/tdewolff/parse/v2/js"

	"healthaudit/snapshot/analyze/trait"
)

// An Outline is what a file says about how it is loaded and what it is like. With
// Problems, everything else is empty.
type Outline struct {
	Problems []Problem
	Unjudged string // see Module
	Imports  []Import
	Needs    []Need
	Marks    []trait.Mark
	ESM      *Place // the first thing that only an ES module has, nil without one; the start of the file where that is not known
	Common   *Place // see Module
}

// OutlineOf reads as much of a file as its outline tells. One that is known to be
// sound (see Sound) is read as it stands, which takes a third of the time and
// memory, unless something in it is only what it seems after esbuild has
// rewritten it: the answers are those of Parse.
func OutlineOf(file string, src []byte, sound bool) Outline {
	m := &Module{}
	if !sound || !asItStands(file, src) || !m.plain(file, src) {
		m = Parse(file, src)
	}
	o := Outline{Problems: m.Problems, Unjudged: m.Unjudged, Imports: m.Imports, Needs: m.Needs, Marks: m.Marks, Common: m.Common}
	if m.ESM {
		o.ESM = m.firstOfModule()
	}
	return o
}

func (m *Module) firstOfModule() *Place {
	if i := m.firstImport(); i != nil {
		return &Place{i.Line, i.Column}
	}
	at := Place{1, 1}
	for _, e := range m.Exports {
		if at.Line == 1 && e.Line > 0 {
			at = Place{e.Line, max(e.Column, 1)}
		}
	}
	return &at
}

func (m *Module) firstImport() *Import {
	n := slices.IndexFunc(m.Imports, func(i Import) bool { return i.Kind == "import" })
	if n < 0 {
		return nil
	}
	return &m.Imports[n]
}

// asItStands reports whether a file may be read without esbuild: it is plain
// JavaScript whose text means what its bytes are.
func asItStands(file string, src []byte) bool {
	if loaders(file)[0] != api.LoaderJS || !utf8.Valid(src) {
		return false
	}
	for _, odd := range []string{"\u2028", "\u2029"} {
		if bytes.Contains(src, []byte(odd)) {
			return false
		}
	}
	if bytes.Count(src, []byte("\r")) != bytes.Count(src, []byte("\r\n")) {
		return false
	}
	return !hintsOf(src).machine // such paths are compared as esbuild prints strings
}

// plain reads a file as it stands; false when that does not do.
func (m *Module) plain(file string, src []byte) bool {
	m.src = src
	r := &rewrites{declared: map[string]int{}, free: map[string]bool{}}
	m.read(src, func(buf []byte) *locator { return &locator{code: buf, src: src, starts: lineStarts(src), same: true} }, r)
	m.surface(file)
	if m.ESM && m.firstImport() == nil {
		return false // where its exports stand is told of printed code
	}
	return m.Unjudged == "" && !r.needed
}

// A rewrites looks for what esbuild writes anew in plain JavaScript, as far as
// anything here depends on it (internal/js_parser and internal/renamer of
// esbuild v0.28.2): it renames a variable that hides another, joins literal
// strings, works out constant conditions, and drops what can never be loaded.
type rewrites struct {
	needed   bool
	declared map[string]int  // how many scopes declare a name
	free     map[string]bool // names that no scope declares
}

// node looks at one node.
func (r *rewrites) node(n ast.INode, has hints) {
	switch n := n.(type) {
	case *ast.BlockStmt:
		r.scope(&n.Scope)
	case *ast.Var:
		if n.Decl == ast.NoDecl {
			r.free[string(n.Name())] = true
		}
	case *ast.CallExpr:
		r.call(n)
	case *ast.BinaryExpr:
		r.needed = r.needed || n.Op == ast.AddToken && (has.git || has.env) && text(n.Y) && text(n.X)
	case *ast.WhileStmt:
		r.needed = r.needed || constant(n.Cond)
	}
}

func (r *rewrites) scope(s *ast.Scope) {
	for _, v := range s.Declared {
		r.declared[string(v.Data)]++
	}
}

// call looks for import(), which esbuild drops where it is never reached, and
// for names that are put together.
func (r *rewrites) call(n *ast.CallExpr) {
	switch x := ungroup(n.X).(type) {
	case *ast.LiteralExpr:
		r.needed = r.needed || x.TokenType == ast.ImportToken
	case *ast.Var:
		if len(n.Args.List) > 0 && bytes.Equal(x.Name(), []byte("require")) {
			switch ungroup(n.Args.List[0].Value).(type) {
			case *ast.LiteralExpr, *ast.Var, *ast.DotExpr, *ast.IndexExpr, *ast.CallExpr:
			default:
				r.needed = r.needed || stringLiteral(n.Args.List[0].Value) == nil
			}
		}
	}
}

// text reports whether an expression is a string, or may become one.
func text(e ast.IExpr) bool {
	switch e := ungroup(e).(type) {
	case *ast.LiteralExpr, *ast.TemplateExpr:
		return true
	case *ast.BinaryExpr:
		return e.Op == ast.AddToken && text(e.X) && text(e.Y)
	}
	return false
}

// constant reports whether a condition is more than a literal, but no more than
// made of them: !0.
func constant(e ast.IExpr) bool {
	fixed := func(e ast.IExpr) bool {
		switch ungroup(e).(type) {
		case *ast.Var, *ast.DotExpr, *ast.IndexExpr, *ast.CallExpr, *ast.NewExpr:
			return false
		}
		return true
	}
	switch e := ungroup(e).(type) {
	case *ast.UnaryExpr:
		return fixed(e.X)
	case *ast.BinaryExpr:
		return fixed(e.X) && fixed(e.Y)
	}
	return false
}

// by lists the names that something depends on, by what a file must speak of for it.
var by = struct{ always, children, interval []string }{
	always:   []string{"require", "module", "exports", "process", "console", "Boolean", "Date", "undefined"},
	children: []string{"signal", "status", "exitCode", "code"},
	interval: []string{"setInterval", "clearInterval"},
}

// end reports whether the walk saw anything that esbuild would have rewritten.
func (r *rewrites) end(w *walker) bool {
	has, names := w.look.has, by.always
	hidden := func(name string) bool { return r.declared[name] > 1 || r.declared[name] == 1 && r.free[name] }
	if has.children {
		names = append(names[:len(names):len(names)], by.children...)
	}
	if has.interval {
		names = append(names[:len(names):len(names)], by.interval...)
	}
	for _, name := range names {
		r.needed = r.needed || hidden(name)
	}
	if has.git {
		for name := range runners {
			r.needed = r.needed || hidden(name)
		}
	}
	for name := range w.needs.held {
		r.needed = r.needed || hidden(name)
	}
	return r.needed
}
