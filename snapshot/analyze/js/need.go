package js

import (
	"slices"
	"strings"

	ast "github.com/tdewolff/parse/v2/js"
)

// A Need is one environment variable that a file reads and for which it has
// nothing else: no default, no question whether it is there. Line and Column are
// 1-based, of the first place.
type Need struct {
	Name   string `json:"n"`
	Line   int    `json:"l"`
	Column int    `json:"c"`
}

// needs are the environment variables of a file while it is walked.
type needs struct {
	read  []Need
	given map[string]bool   // it has a default, is asked for, or gets its value in the file
	held  map[string]string // variables of the file that hold one: its name
}

// spare notes that the file goes on without the variable that an expression is.
func (w *walker) spare(e ast.IExpr) {
	name := string(envName(e))
	if v, ok := ungroup(e).(*ast.Var); ok {
		name = w.needs.held[string(v.Name())]
	}
	if name != "" {
		if w.needs.given == nil {
			w.needs.given = map[string]bool{}
		}
		w.needs.given[name] = true
	}
}

// holds notes that a variable of the file holds one of the environment.
func (w *walker) holds(d *ast.VarDecl) {
	for _, b := range d.List {
		name := envName(b.Default)
		if v, ok := b.Binding.(*ast.Var); ok && name != nil {
			if w.needs.held == nil {
				w.needs.held = map[string]string{}
			}
			w.needs.held[string(v.Name())] = string(name)
		}
	}
}

// env notes what a node does with the environment.
func (w *walker) env(n ast.INode) {
	switch n := n.(type) {
	case *ast.VarDecl:
		w.holds(n)
	case *ast.BinaryExpr:
		if n.Op != ast.AddToken {
			w.spare(n.X)
		}
		if n.Op != ast.AddToken && n.Op != ast.EqToken {
			w.spare(n.Y)
		}
	case *ast.CondExpr:
		w.spare(n.Cond)
		w.spare(n.X)
		w.spare(n.Y)
	case *ast.IfStmt:
		w.spare(n.Cond)
	case *ast.UnaryExpr:
		if envName(n.X) != nil { // !held, as a rule, is where it gives up
			w.spare(n.X)
		}
	case *ast.CallExpr:
		if name := dotted(n.X); name == "Boolean" || strings.HasPrefix(name, "console.") {
			for _, a := range n.Args.List {
				w.spare(a.Value)
			}
		}
	case *ast.DotExpr:
		if n.Optional {
			w.spare(n.X)
		}
		w.reads(n)
	case *ast.IndexExpr:
		w.reads(n)
	}
}

func (w *walker) reads(e ast.IExpr) {
	name := envName(e)
	if name == nil || len(w.needs.read) >= maxDeeds || slices.ContainsFunc(w.needs.read, func(n Need) bool { return n.Name == string(name) }) {
		return
	}
	at := name
	if i, ok := e.(*ast.IndexExpr); ok {
		at = stringLiteral(i.Y) // printed code has a place for the literal only
	}
	_, line, col := w.m.at.at(at)
	w.needs.read = append(w.needs.read, Need{string(name), line, col})
}

// envName returns the name of the environment variable that an expression is:
// process.env.NAME, process.env["NAME"]; nil for any other.
func envName(e ast.IExpr) []byte {
	switch e := ungroup(e).(type) {
	case *ast.DotExpr:
		if isEnv(e.X) {
			return memberName(e)
		}
	case *ast.IndexExpr:
		if raw := stringLiteral(e.Y); raw != nil && isEnv(e.X) && len(raw) > 2 {
			return raw[1 : len(raw)-1]
		}
	}
	return nil
}

// isEnv reports whether an expression is process.env.
func isEnv(e ast.IExpr) bool {
	d, ok := ungroup(e).(*ast.DotExpr)
	if !ok || string(memberName(d)) != "env" {
		return false
	}
	v, ok := ungroup(d.X).(*ast.Var)
	return ok && string(v.Name()) == "process"
}

// needed returns the variables that the file cannot do without.
func (w *walker) needed() []Need {
	return slices.DeleteFunc(w.needs.read, func(n Need) bool { return w.needs.given[n.Name] })
}
