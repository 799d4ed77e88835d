package js

import (
	ast "github.com/tdewolff/parse/v2/js"
)

// decides reports whether esbuild may know which side of && || ?? counts, and then
// drops the other one or the operator.
func (r *rewrites) decides(n *ast.BinaryExpr) bool {
	switch n.Op {
	case ast.AndToken, ast.OrToken:
		return !r.open(n.X, 0)
	case ast.NullishToken:
		return !r.openNullish(n.X)
	}
	return false
}

// missing reports whether esbuild may know that there is nothing for ?. to look
// into. Of a chain it is the first link that tells.
func (r *rewrites) missing(x ast.IExpr, optional bool) bool {
	return optional && !r.open(x, 0)
}

// folds reports whether esbuild may make another literal of an operator and its
// operand: !function() {}, +0.
func (r *rewrites) folds(n *ast.UnaryExpr) bool {
	switch n.Op {
	case ast.PosToken:
		return !r.open(n.X, 0)
	case ast.NotToken, ast.TypeofToken:
		switch ungroup(n.X).(type) {
		case *ast.FuncDecl, *ast.ArrowFunc:
			return true
		}
	}
	return false
}

// open reports whether esbuild cannot know if a condition holds
// (ToBooleanWithSideEffects in internal/js_ast of esbuild v0.28.2): it depends on
// something that only runs. Of what is rare, and of what lies deep, it says false,
// which is always safe. Operators and chains within are looked at when the walk
// comes to them.
func (r *rewrites) open(e ast.IExpr, depth int) bool {
	if depth > valueDepth {
		return false
	}
	switch e := ungroup(e).(type) {
	case *ast.Var:
		name := string(e.Name())
		return name != "undefined" && name != "NaN" && name != "Infinity"
	case *ast.LiteralExpr:
		r.this = r.this || e.TokenType == ast.ThisToken
		return e.TokenType == ast.ThisToken
	case *ast.DotExpr, *ast.IndexExpr, *ast.CallExpr:
		return true
	case *ast.UnaryExpr:
		return e.Op != ast.TypeofToken && e.Op != ast.VoidToken && r.open(e.X, depth+1)
	case *ast.BinaryExpr:
		switch e.Op {
		case ast.EqToken, ast.NullishToken:
			return true
		case ast.AndToken, ast.OrToken:
			return r.open(e.Y, depth+1)
		}
		return r.runs(e.Y, depth+1) || r.runs(e.X, depth+1)
	}
	return false
}

// openNullish is open for the question whether something is null or undefined,
// which no comparison and no sum ever is.
func (r *rewrites) openNullish(e ast.IExpr) bool {
	switch e := ungroup(e).(type) {
	case *ast.Var, *ast.DotExpr, *ast.IndexExpr, *ast.CallExpr:
		return r.open(e, 0)
	case *ast.UnaryExpr:
		return e.Op == ast.AwaitToken && r.open(e.X, 0)
	case *ast.BinaryExpr:
		return e.Op == ast.AndToken || e.Op == ast.OrToken || e.Op == ast.NullishToken
	}
	return false
}

// runs reports whether esbuild cannot make a literal of an operand.
func (r *rewrites) runs(e ast.IExpr, depth int) bool {
	if u, ok := ungroup(e).(*ast.UnaryExpr); ok && u.Op == ast.TypeofToken {
		e = u.X
	}
	return r.open(e, depth)
}
