package js

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
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
	Starts   []Start
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
	o := Outline{Problems: m.Problems, Unjudged: m.Unjudged, Imports: m.Imports, Needs: m.Needs, Marks: m.Marks, Common: m.Common, Starts: m.starts()}
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
	this     bool            // something depends on whether this is undefined
	module   bool            // outside of functions, esbuild says that it is: there are exports, import.meta, or an await
}

// node looks at one node.
func (r *rewrites) node(n ast.INode, has hints) {
	switch n := n.(type) {
	case *ast.BlockStmt:
		r.scope(&n.Scope)
		if !n.IsGlobalOrFunc {
			r.within(n.List)
		}
	case *ast.SwitchStmt:
		r.scope(&n.Scope)
	case *ast.CaseClause:
		r.within(n.List)
	case *ast.ClassDecl:
		if n.Name != nil && n.Name.Decl == ast.ExprDecl { // in no scope of the tree's
			r.declared[string(n.Name.Data)]++
		}
	case *ast.Var:
		if n.Decl == ast.NoDecl {
			r.free[string(n.Name())] = true
		}
		r.needed = r.needed || escaped(n.Name())
	case *ast.LiteralExpr:
		r.needed = r.needed || escaped(n.Data) && n.TokenType == ast.IdentifierToken || respelt(n.Data)
	case *ast.DotExpr:
		name := memberName(n)
		r.needed = r.needed || escaped(name) || r.missing(n.X, n.Optional) || has.env && !plainName(envName(n))
	case *ast.IndexExpr:
		r.needed = r.needed || r.missing(n.X, n.Optional) || has.env && !plainName(envName(n))
	case *ast.CallExpr:
		r.call(n)
	case *ast.ImportMetaExpr, *ast.ExportStmt:
		r.module = true
	case *ast.ForOfStmt:
		r.module = r.module || n.Await
	case *ast.UnaryExpr:
		r.module = r.module || n.Op == ast.AwaitToken
		r.needed = r.needed || r.folds(n)
	case *ast.BinaryExpr:
		r.needed = r.needed || r.decides(n) || n.Op == ast.AddToken && (has.git || has.env) && text(n.Y, 0) && text(n.X, 0)
	case *ast.WhileStmt:
		_, literal := ungroup(n.Cond).(*ast.LiteralExpr)
		r.needed = r.needed || !literal && !r.open(n.Cond, 0)
	}
}

func (r *rewrites) scope(s *ast.Scope) {
	for _, v := range s.Declared {
		r.declared[string(v.Data)]++
	}
}

// within counts the functions of a block a second time: the tree has them in the
// function around, esbuild in the block.
func (r *rewrites) within(block []ast.IStmt) {
	for _, s := range block {
		if f, ok := s.(*ast.FuncDecl); ok && f.Name != nil {
			r.declared[string(f.Name.Data)]++
		}
	}
}

// call looks for import(), which esbuild drops where it is never reached, and
// for names that are put together or stand in brackets.
func (r *rewrites) call(n *ast.CallExpr) {
	r.needed = r.needed || r.missing(n.X, n.Optional)
	switch x := ungroup(n.X).(type) {
	case *ast.LiteralExpr:
		r.needed = r.needed || x.TokenType == ast.ImportToken
	case *ast.Var:
		if len(n.Args.List) > 0 && bytes.Equal(x.Name(), []byte("require")) {
			_, bracketed := n.X.(*ast.GroupExpr) // the tree does not tell any more whether it is a global name
			r.needed = r.needed || bracketed || joined(n.Args.List[0].Value)
		}
	}
}

// joined reports whether a name may be put together from several.
func joined(e ast.IExpr) bool {
	switch ungroup(e).(type) {
	case *ast.LiteralExpr, *ast.Var, *ast.DotExpr, *ast.IndexExpr, *ast.CallExpr:
		return false
	}
	return stringLiteral(e) == nil
}

// escaped reports whether a name is spelt with an escape.
func escaped(name []byte) bool { return bytes.IndexByte(name, '\\') >= 0 }

// respelt reports whether a literal is a 0 or a 1 that is not written so: 0x1, 0.0.
func respelt(lit []byte) bool {
	if len(lit) < 2 || lit[0] != '.' && (lit[0] < '0' || lit[0] > '9') {
		return false
	}
	f, err := strconv.ParseFloat(string(lit), 64)
	if err != nil {
		n, _ := strconv.ParseInt(string(lit), 0, 64)
		f = float64(n)
	}
	return f == 0 || f == 1
}

// plainName reports whether a name is printed as it stands.
func plainName(name []byte) bool {
	return !bytes.ContainsFunc(name, func(r rune) bool { return r >= utf8.RuneSelf || !wordByte(byte(r)) })
}

// text reports whether an expression is a string, or may become one.
func text(e ast.IExpr, depth int) bool {
	switch e := ungroup(e).(type) {
	case *ast.LiteralExpr, *ast.TemplateExpr:
		return true
	case *ast.BinaryExpr:
		return depth > valueDepth || e.Op == ast.AddToken && text(e.Y, depth+1) && text(e.X, depth+1)
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
	r.needed = r.needed || r.this && r.module
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
	if has.children { // what is started may be put together, renamed or dropped in many ways
		r.needed = r.needed || slices.ContainsFunc(w.calls, func(c pendingCall) bool {
			_, starts := starters[c.callee[strings.LastIndexByte(c.callee, '.')+1:]]
			return starts
		})
	}
	for name := range w.needs.held {
		r.needed = r.needed || hidden(name)
	}
	return r.needed
}
