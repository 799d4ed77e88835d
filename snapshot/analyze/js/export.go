package js

import (
	"bytes"

	ast "github.com/tdewolff/parse/v2/js"
)

// How an Export is written.
const (
	DeclConst    = "const"    // export const a = …
	DeclLet      = "let"      // export let a, export var a
	DeclFunction = "function" // export function a
	DeclClass    = "class"    // export class a
	DeclClause   = "clause"   // export { a as b }, with or without from
	DeclDefault  = "default"  // export default …
	DeclMember   = "member"   // exports.a = …, module.exports.a = …
	DeclIndex    = "index"    // exports["a"] = …
	DeclObject   = "object"   // module.exports = { a }
	DeclAssign   = "assign"   // module.exports = …, of anything but an object; its Name is "module.exports"
)

// An Export is one name that a file exports.
type Export struct {
	Name         string // "default" for the default export, "*" for export * from, "module.exports" for the whole
	Decl         string // how it is written: a Decl… constant
	From         string // the module it is passed on from; empty for its own
	Value        Value  // of the file's own, after following one top-level name
	Local        string // the top-level name it was found under, for a clause or a plain name
	Line, Column int
}

// CommonJS reports whether the export is an assignment rather than an export statement.
func (e Export) CommonJS() bool {
	switch e.Decl {
	case DeclMember, DeclIndex, DeclObject, DeclAssign:
		return true
	}
	return false
}

// Export returns the last export of that name.
func (m *Module) Export(name string) (Export, bool) {
	for i := len(m.Exports) - 1; i >= 0; i-- {
		if m.Exports[i].Name == name {
			return m.Exports[i], true
		}
	}
	return Export{}, false
}

// Const returns the value of a top-level const that is initialised with
// anything but another name.
func (m *Module) Const(name string) (Value, bool) {
	e, ok := m.top[name]
	if !ok || !m.constant[name] {
		return Value{}, false
	}
	return m.value(e, 0), true
}

// Top returns what a top-level name was last given at the top level: a const, let
// or var, a function or a class.
func (m *Module) Top(name string) (Value, bool) {
	e, ok := m.top[name]
	if !ok {
		return Value{}, false
	}
	return m.value(e, 0), true
}

// Varies reports whether a top-level name is a let or var, which may hold
// something else later.
func (m *Module) Varies(name string) bool {
	constant, isVariable := m.constant[name]
	return isVariable && !constant
}

// Binding returns what an import binds to a local name.
func (m *Module) Binding(local string) (Binding, bool) {
	for _, b := range m.Bindings {
		if b.Local == local {
			return b, true
		}
	}
	return Binding{}, false
}

// An exporter reads the top-level statements that export.
type exporter struct {
	m    *Module
	seen int // uses of exports and module that it understood
}

func (x *exporter) add(e Export, value ast.IExpr, place []byte) {
	if len(x.m.Exports) >= maxNames {
		x.m.Complete = false
		return
	}
	if value != nil {
		e.Value = x.m.value(value, 0)
		if e.Value.Kind == Identifier && e.Local == "" {
			e.Local = e.Value.Text
		}
	}
	if init, ok := x.m.top[e.Local]; ok && e.Local != "" {
		e.Value = x.m.value(init, 0)
	}
	x.m.assertion(&e)
	if e.Decl == DeclDefault {
		e.Line, e.Column = x.m.defaultAt()
	} else {
		_, e.Line, e.Column = x.m.at.at(place)
	}
	x.m.Exports = append(x.m.Exports, e)
}

func (x *exporter) stmt(s ast.IStmt) {
	switch s := s.(type) {
	case *ast.ExportStmt:
		x.esm(s)
	case *ast.ExprStmt:
		x.expr(s.Value)
	}
}

func (x *exporter) esm(s *ast.ExportStmt) {
	from := ""
	if s.Module != nil {
		from = unquote(s.Module)
	}
	switch d := s.Decl.(type) {
	case *ast.VarDecl:
		decl := DeclLet
		if d.TokenType == ast.ConstToken {
			decl = DeclConst
		}
		for _, b := range d.List {
			v, ok := b.Binding.(*ast.Var)
			if !ok {
				x.m.Complete = false // export const { a } = …
				continue
			}
			x.add(Export{Name: string(v.Name()), Decl: decl}, b.Default, v.Data)
		}
		return
	case *ast.FuncDecl:
		x.named(s, d, d.Name, DeclFunction)
		return
	case *ast.ClassDecl:
		x.named(s, d, d.Name, DeclClass)
		return
	}
	if s.Default {
		x.add(Export{Name: "default", Decl: DeclDefault}, s.Decl, nil)
	}
	for _, a := range s.List {
		local, name := string(a.Name), string(a.Binding)
		if a.Name == nil {
			local = name
		}
		if local == "*" || name == "*" {
			x.m.Complete = false
		}
		e := Export{Name: exportName(name), Decl: DeclClause, From: from}
		if from == "" {
			e.Local = local
		}
		x.add(e, nil, a.Binding)
	}
}

func (x *exporter) named(s *ast.ExportStmt, value ast.IExpr, name *ast.Var, decl string) {
	e := Export{Name: "default", Decl: DeclDefault}
	place := []byte(nil)
	if name != nil {
		place = name.Data
	}
	if !s.Default {
		e = Export{Name: string(name.Name()), Decl: decl}
	}
	x.add(e, value, place)
}

// expr reads an assignment to exports, also a chain of them: exports.a = exports.b = ….
func (x *exporter) expr(e ast.IExpr) {
	if list, ok := e.(*ast.CommaExpr); ok {
		for _, e := range list.List {
			x.expr(e)
		}
		return
	}
	var targets []ast.IExpr
	for {
		b, ok := ungroup(e).(*ast.BinaryExpr)
		if !ok || b.Op != ast.EqToken || len(targets) > valueDepth {
			break
		}
		targets, e = append(targets, b.X), b.Y
	}
	for _, t := range targets {
		x.assign(t, e)
	}
}

func (x *exporter) assign(target, value ast.IExpr) {
	switch t := ungroup(target).(type) {
	case *ast.Var:
		if isModuleName(t) && string(t.Name()) == "exports" {
			x.seen++ // exports = … alone changes only the local name
		}
	case *ast.DotExpr:
		name := memberName(t)
		switch {
		case name == nil:
		case isExports(t.X):
			x.seen++
			x.add(Export{Name: string(name), Decl: DeclMember}, value, name)
		case isExports(t):
			x.seen++
			x.whole(value, name)
		}
	case *ast.IndexExpr:
		if raw := stringLiteral(t.Y); raw != nil && isExports(t.X) {
			x.seen++
			x.add(Export{Name: unquote(raw), Decl: DeclIndex}, value, raw)
		}
	}
}

// whole reads module.exports = ….
func (x *exporter) whole(value ast.IExpr, place []byte) {
	v := ungroup(value)
	if name, ok := v.(*ast.Var); ok {
		if isModuleName(name) {
			return
		}
		if init, ok := x.m.top[string(name.Name())]; ok {
			v = ungroup(init)
		}
	}
	o, ok := v.(*ast.ObjectExpr)
	if !ok {
		from, _ := requireArg(v)
		x.add(Export{Name: "module.exports", Decl: DeclAssign, From: from}, value, place)
		switch x.m.value(v, 0).Kind {
		case Function, String, Number, Boolean, Null, Array:
		default:
			x.m.Complete = false
		}
		return
	}
	if len(o.List) > valueWidth {
		x.m.Complete = false
	}
	for _, f := range x.m.value(o, 0).Fields {
		if f.Name == "" {
			x.m.Complete = false // a spread or a computed name
			continue
		}
		e := Export{Name: f.Name, Decl: DeclObject, Value: f.Value, Line: f.Line, Column: f.Column}
		if f.Line == 0 {
			_, e.Line, e.Column = x.m.at.at(place)
		}
		if f.Value.Kind == Identifier {
			e.Local = f.Value.Text
			if init, ok := x.m.top[e.Local]; ok {
				e.Value = x.m.value(init, 0)
			}
		}
		x.m.Exports = append(x.m.Exports, e)
	}
}

// isExports recognises exports and module.exports.
func isExports(e ast.IExpr) bool {
	switch e := ungroup(e).(type) {
	case *ast.Var:
		return isModuleName(e) && bytes.Equal(e.Name(), []byte("exports"))
	case *ast.DotExpr:
		v, ok := ungroup(e.X).(*ast.Var)
		return ok && isModuleName(v) && string(v.Name()) == "module" && string(memberName(e)) == "exports"
	}
	return false
}
