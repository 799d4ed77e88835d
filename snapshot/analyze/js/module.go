package js

import (
	"bytes"
	"errors"
	"path"
	"slices"
	"strings"

	"github.com/tdewolff/parse/v2"
	ast "github.com/tdewolff/parse/v2/js"

	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/trait"
)

// A Module is what one file says about itself. The zero value is an empty file.
type Module struct {
	Problems []Problem // why it cannot be loaded; with any, everything below is empty
	Unjudged string    // why it was not parsed although it may be fine; empty when it was
	Empty    bool      // there is no statement in it
	JSX      bool      // it holds JSX
	ESM      bool      // it has an import or export statement, if only of types
	Odd      string    // syntax that ECMAScript does not have and only some tools read: "decorators", "import assertions"; empty if none
	Dynamic  bool      // it calls import()
	Imports  []Import
	Bindings []Binding // names that imports bind, in order
	Exports  []Export  // in order
	Calls    []CallSite
	Needs    []Need       // environment variables that it cannot do without, in order
	Env      []string     // names of environment variables that it reads, in order
	Composed *[2]int      // line and column of the first require() of a template with parts in it, nil: none
	Masked   [][2]int     // lines and columns of answers with status 200 whose body tells of a failure
	Digest   string       // sha256 of the code without comments, types and formatting; of the bytes when it was not parsed
	Marks    []trait.Mark // what the code is like
	Common   *Place       // the first use of CommonJS that an ES module cannot do, nil without one
	Complete bool         // Exports is all there is: nothing is exported in a way that cannot be followed

	src      []byte
	at       *locator
	top      map[string]ast.IExpr // last values of top-level const, let and var, functions, classes
	constant map[string]bool
	mentions map[string]int       // how often a name stands in a file that may start programs, its declaration with it
	local    map[string]ast.IExpr // initialisers of consts in any scope; nil when there are several of a name
}

// A Binding is one name that an import or a top-level require binds.
type Binding struct {
	Local string
	Name  string // what it is called in From: a name, "default", or "*" for the whole module
	From  string
}

// Parse reads a whole file. The dialect follows from the extension, as for Syntax.
func Parse(file string, src []byte) *Module {
	m, r := transform(file, src)
	if r == nil {
		m.Digest = snapshot.Sum(src)
		return m
	}
	m.Digest = snapshot.Sum(r.Code)
	m.read(r.Code, func(buf []byte) *locator { return newLocator(buf, m.src, r.Map) }, nil)
	m.surface(file)
	return m
}

// surface notes what the printed code does not show any more.
func (m *Module) surface(file string) {
	typed := !m.ESM && strings.Contains(path.Ext(file), "ts")
	if !typed && !bytes.Contains(m.src, []byte("@")) && !bytes.Contains(m.src, []byte("assert")) {
		return
	}
	t := tokens{src: m.src}
	for prev, k := (token{}), t.next(); k.kind != tokEnd; prev, k = k, t.next() {
		switch {
		case typed && len(t.braces) == 0 && (k.text == "export" || k.text == "import") && k.kind == tokWord && prev.text != ".":
			m.ESM = true
		case k.text == "assert" && prev.kind == tokString && len(t.braces) == 0:
			m.Odd = "import assertions"
		case k.text == "@" && k.kind == tokPunct:
			m.Odd = "decorators"
		}
	}
}

// read fills the module from code, the printed or the original: locate leads from
// its bytes back to the file. Code that the tree reader does not understand
// leaves the module without imports and not Complete. r is nil for printed code.
func (m *Module) read(code []byte, locate func(buf []byte) *locator, r *rewrites) {
	defer func() {
		if recover() != nil { // the tree reader is not ours and the code is anybody's
			m.Unjudged = "its syntax tree could not be read"
			m.Imports, m.Bindings, m.Exports, m.Marks, m.Common, m.Complete = nil, nil, nil, nil, nil, false
			m.Calls, m.Env, m.Needs, m.Composed, m.Masked = nil, nil, nil, nil, nil
		}
	}()
	var tree *ast.AST
	err := errors.New("not read yet")
	for _, inline := range []bool{false, true} { // inline: a return outside of functions, which CommonJS allows
		if err == nil {
			break
		}
		in := parse.NewInputBytes(append(make([]byte, 0, len(code)+1), code...))
		m.at = locate(in.Bytes())
		tree, err = ast.Parse(in, ast.Options{Inline: inline})
	}
	if err != nil {
		m.Unjudged = "its syntax tree could not be read"
		return
	}
	m.Complete, m.Empty = true, true
	m.top, m.constant, m.local, m.mentions = map[string]ast.IExpr{}, map[string]bool{}, map[string]ast.IExpr{}, map[string]int{}
	for _, s := range tree.List {
		m.declare(s)
	}
	x := &exporter{m: m}
	for _, s := range tree.List {
		x.stmt(s)
	}
	w := &walker{m: m, look: looker{has: hintsOf(m.src)}, rewrites: r}
	ast.Walk(w, tree)
	if r != nil && r.end(w) {
		return
	}
	m.calls(w.calls)
	m.Needs = w.needed()
	w.end(tree)
	if w.modules > x.seen {
		m.Complete = false
	}
	slices.SortStableFunc(m.Imports, func(a, b Import) int {
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		return a.Column - b.Column
	})
}

// declare notes what a top-level statement binds.
func (m *Module) declare(s ast.IStmt) {
	switch s := s.(type) {
	case *ast.Comment, *ast.EmptyStmt, *ast.DirectivePrologueStmt:
		return
	case *ast.ImportStmt:
		m.ESM = true
		from := unquote(s.Module)
		if s.Default != nil {
			m.Bindings = append(m.Bindings, Binding{string(s.Default), "default", from})
		}
		for _, a := range s.List {
			name := string(a.Name)
			if a.Name == nil {
				name = string(a.Binding)
			}
			m.Bindings = append(m.Bindings, Binding{string(a.Binding), exportName(name), from})
		}
	case *ast.ExportStmt:
		m.ESM = true
		m.declareExpr(s.Decl)
	case *ast.VarDecl:
		m.declareExpr(s)
	case *ast.FuncDecl:
		m.declareExpr(s)
	case *ast.ClassDecl:
		m.declareExpr(s)
	case *ast.ExprStmt:
		if b, ok := s.Value.(*ast.BinaryExpr); ok && b.Op == ast.EqToken {
			if v, ok := b.X.(*ast.Var); ok && v.Decl != ast.NoDecl {
				name := string(v.Name())
				m.top[name], m.constant[name] = b.Y, false
			}
		}
	}
	m.Empty = false
}

func (m *Module) declareExpr(e ast.IExpr) {
	switch d := e.(type) {
	case *ast.VarDecl:
		for _, b := range d.List {
			m.bind(b, d.TokenType == ast.ConstToken)
		}
	case *ast.FuncDecl:
		if d.Name != nil {
			m.top[string(d.Name.Name())] = d
		}
	case *ast.ClassDecl:
		if d.Name != nil {
			m.top[string(d.Name.Name())] = d
		}
	}
}

func (m *Module) bind(b ast.BindingElement, constant bool) {
	from, required := requireArg(b.Default)
	switch l := b.Binding.(type) {
	case *ast.Var:
		name := string(l.Name())
		if required {
			m.Bindings = append(m.Bindings, Binding{name, "*", from})
		}
		if b.Default != nil {
			m.top[name], m.constant[name] = b.Default, constant
		}
	case *ast.BindingObject:
		for _, item := range l.List {
			v, ok := item.Value.Binding.(*ast.Var)
			if !ok || !required {
				continue
			}
			name := string(v.Name())
			if item.Key != nil && !item.Key.IsComputed() {
				name = propertyName(item.Key)
			}
			m.Bindings = append(m.Bindings, Binding{string(v.Name()), name, from})
		}
	}
}

// requireArg returns the specifier of require("…").
func requireArg(e ast.IExpr) (string, bool) {
	c, ok := ungroup(e).(*ast.CallExpr)
	if !ok {
		return "", false
	}
	if v, ok := c.X.(*ast.Var); !ok || !bytes.Equal(v.Name(), []byte("require")) || len(c.Args.List) != 1 {
		return "", false
	}
	lit := stringLiteral(c.Args.List[0].Value)
	return unquote(lit), lit != nil
}

// stringLiteral returns the raw text of a string or of a template without
// substitutions, or nil.
func stringLiteral(e ast.IExpr) []byte {
	switch l := ungroup(e).(type) {
	case *ast.LiteralExpr:
		if l.TokenType == ast.StringToken {
			return l.Data
		}
	case *ast.TemplateExpr:
		if l.Tag == nil && len(l.List) == 0 {
			return l.Tail
		}
	}
	return nil
}

// memberName returns the name after the dot.
func memberName(d *ast.DotExpr) []byte {
	switch y := d.Y.(type) {
	case ast.LiteralExpr:
		return y.Data
	case *ast.LiteralExpr:
		return y.Data
	}
	return nil
}

func ungroup(e ast.IExpr) ast.IExpr {
	for {
		g, ok := e.(*ast.GroupExpr)
		if !ok {
			return e
		}
		e = g.X
	}
}
