package js

import (
	"strconv"
	"strings"

	ast "github.com/tdewolff/parse/v2/js"
)

// A ValueKind says what an expression is, as far as it can be told without running it.
type ValueKind string

const (
	String     ValueKind = "string"
	Number     ValueKind = "number"
	Boolean    ValueKind = "boolean"
	Null       ValueKind = "null" // null, or undefined: Text tells them apart
	Array      ValueKind = "array"
	Object     ValueKind = "object"
	Function   ValueKind = "function"
	Class      ValueKind = "class"
	Call       ValueKind = "call"       // f(…), a.b(…), new C(…)
	Identifier ValueKind = "identifier" // a name, or a chain of names: a.b
	Template   ValueKind = "template"   // a template literal, also one without substitutions
	Spread     ValueKind = "spread"     // ...x within an array or object
	Other      ValueKind = "expression"
)

// Undefined is the Text of a value that is undefined rather than null.
const Undefined = "undefined"

// A Value is one expression. Strings of an audited file may be secrets: what is
// kept of a value must be chosen by name.
type Value struct {
	Kind         ValueKind
	Text         string  // content of a string, digits of a number, true or false, a (dotted) name, the callee of a call, what a template begins with
	List         []Value // elements of an array, arguments of a call
	Fields       []Field // of an object
	Line, Column int     // of the expression, as well as it is known; at least 1
	Assertion    string  // TypeScript's "satisfies" or "as" right after it (or before: <T>{…}); empty if none

	expr ast.IExpr
}

// A Field is one property of an object. Name is empty for a spread or a computed name.
type Field struct {
	Name         string
	Value        Value
	Line, Column int // of the name; 0 for the short form { name }
}

// Field returns the last property of that name.
func (v Value) Field(name string) (Field, bool) {
	for i := len(v.Fields) - 1; i >= 0; i-- {
		if v.Fields[i].Name == name {
			return v.Fields[i], true
		}
	}
	return Field{}, false
}

const (
	valueDepth = 8
	valueWidth = 500
)

// value reads an expression.
func (m *Module) value(e ast.IExpr, depth int) Value {
	e = ungroup(e)
	v := Value{Kind: Other, Line: 1, Column: 1, expr: e}
	if depth > valueDepth {
		return v
	}
	at := func(b []byte) { _, v.Line, v.Column = m.at.at(b) }
	switch e := e.(type) {
	case *ast.LiteralExpr:
		at(e.Data)
		m.literal(e, &v)
		v.Assertion = m.assertedLiteral(e.Data)
	case *ast.TemplateExpr:
		v.Kind = Template
		if len(e.List) > 0 {
			at(e.List[0].Value)
			v.Text = strings.TrimSuffix(strings.TrimPrefix(string(e.List[0].Value), "`"), "${")
		} else {
			at(e.Tail)
		}
	case *ast.Var:
		v.Kind, v.Text = Identifier, string(e.Name())
		at(e.Data)
		if v.Text == Undefined {
			v.Kind = Null
		}
	case *ast.DotExpr:
		if name := dotted(e); name != "" {
			v.Kind, v.Text = Identifier, name
		}
		at(memberName(e))
	case *ast.UnaryExpr:
		m.unary(e, &v)
	case *ast.FuncDecl, *ast.ArrowFunc, *ast.MethodDecl:
		v.Kind = Function
	case *ast.ClassDecl:
		v.Kind = Class
	case *ast.CallExpr:
		m.call(e.X, e.Args.List, &v, depth)
	case *ast.NewExpr:
		if e.Args != nil {
			m.call(e.X, e.Args.List, &v, depth)
		}
		v.Kind, v.Text = Call, "new "+v.Text
	case *ast.ArrayExpr:
		v.Kind = Array
		for _, el := range e.List[:min(len(e.List), valueWidth)] {
			x := m.value(el.Value, depth+1)
			if el.Spread {
				x.Kind = Spread
			}
			v.List = append(v.List, x)
		}
	case *ast.ObjectExpr:
		m.object(e, &v, depth)
	}
	return v
}

func (m *Module) literal(e *ast.LiteralExpr, v *Value) {
	switch {
	case e.TokenType == ast.StringToken:
		v.Kind, v.Text = String, unquote(e.Data)
	case e.TokenType == ast.TrueToken, e.TokenType == ast.FalseToken:
		v.Kind, v.Text = Boolean, string(e.Data)
	case e.TokenType == ast.NullToken:
		v.Kind = Null
	case ast.IsNumeric(e.TokenType):
		v.Kind, v.Text = Number, string(e.Data)
	}
}

// unary reads !0 and !1, the short forms of true and false, and negative numbers.
func (m *Module) unary(e *ast.UnaryExpr, v *Value) {
	x := m.value(e.X, valueDepth)
	v.Line, v.Column = x.Line, x.Column
	switch {
	case e.Op == ast.NotToken && x.Kind == Number && (x.Text == "0" || x.Text == "1"):
		v.Kind, v.Text = Boolean, strconv.FormatBool(x.Text == "0")
	case e.Op == ast.NegToken && x.Kind == Number:
		v.Kind, v.Text = Number, "-"+x.Text
	case e.Op == ast.VoidToken:
		v.Kind, v.Text = Null, Undefined
	}
}

func (m *Module) call(callee ast.IExpr, args []ast.Arg, v *Value, depth int) {
	c := m.value(callee, depth+1)
	v.Kind, v.Line, v.Column = Call, c.Line, c.Column
	if c.Kind == Identifier {
		v.Text = c.Text
	}
	for _, a := range args[:min(len(args), valueWidth)] {
		x := m.value(a.Value, depth+1)
		if a.Rest {
			x.Kind = Spread
		}
		v.List = append(v.List, x)
	}
}

func (m *Module) object(e *ast.ObjectExpr, v *Value, depth int) {
	v.Kind = Object
	for i, p := range e.List[:min(len(e.List), valueWidth)] {
		f := Field{Line: 1, Column: 1}
		method, isMethod := p.Value.(*ast.MethodDecl)
		switch {
		case p.Spread:
			f.Value = m.value(p.Value, depth+1)
			f.Value.Kind = Spread
		case isMethod:
			f.Name = propertyName(&method.Name.PropertyName)
			f.Value = m.value(method, depth+1)
			if method.Get || method.Set {
				f.Value.Kind = Other
			}
			_, f.Line, f.Column = m.at.at(method.Name.Literal.Data)
		default:
			f.Value = m.value(p.Value, depth+1)
			if p.Name != nil && !p.Name.IsComputed() {
				f.Name = propertyName(p.Name)
				_, f.Line, f.Column = m.at.at(p.Name.Literal.Data)
				if m.at.offset(p.Name.Literal.Data) < 0 {
					f.Line, f.Column = 0, 0 // { name }: the tree holds a copy, which has no place
				}
			}
		}
		if i == 0 && f.Line > 0 {
			v.Line, v.Column = f.Line, f.Column
		}
		v.Fields = append(v.Fields, f)
	}
}

// propertyName returns the text of a name that is not computed.
func propertyName(p *ast.PropertyName) string {
	if p.Literal.TokenType == ast.StringToken {
		return unquote(p.Literal.Data)
	}
	return string(p.Literal.Data)
}

// exportName returns a name of an import or export clause, which may be quoted.
func exportName(s string) string {
	if len(s) > 1 && (s[0] == '"' || s[0] == '\'') {
		return unquote([]byte(s))
	}
	return s
}

// dotted returns a chain of plain names as text, or "".
func dotted(e ast.IExpr) string {
	var parts []string
	for len(parts) < valueDepth {
		switch x := ungroup(e).(type) {
		case *ast.Var:
			return strings.Join(append([]string{string(x.Name())}, parts...), ".")
		case *ast.DotExpr:
			name := memberName(x)
			if name == nil {
				return ""
			}
			parts = append([]string{string(name)}, parts...)
			e = x.X
		default:
			return ""
		}
	}
	return ""
}
