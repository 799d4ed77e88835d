package js

import (
	"bytes"

	ast "github.com/tdewolff/parse/v2/js"
)

// A walker finds every import of a file, wherever it stands, and counts the
// uses of the CommonJS names.
type walker struct {
	needs    needs
	m        *Module
	depth    int
	try      int
	funcs    int // functions around
	modules  int // uses of exports and module
	catching int // catch clauses around
	calls    []pendingCall
	caught   map[ast.INode]bool // dynamic imports with a .catch
	look     looker
	rewrites *rewrites // nil while printed code is read
}

// maxNames bounds the imports, and the exports, of one file; what is beyond is
// not looked at.
const maxNames = 5_000

// maxDepth bounds the walk; what lies deeper is not looked at.
const maxDepth = 10_000

func (w *walker) Enter(n ast.INode) ast.IVisitor {
	if w.depth++; w.depth > maxDepth {
		w.depth--
		w.m.Complete = false
		return nil
	}
	if w.rewrites != nil {
		w.rewrites.node(n, w.look.has)
		if w.rewrites.needed {
			w.depth--
			return nil
		}
	}
	w.deed(n)
	if w.look.has.env {
		w.env(n)
	}
	w.enter(n)
	switch n := n.(type) {
	case *ast.FuncDecl, *ast.ArrowFunc, *ast.MethodDecl:
		w.funcs++
	case *ast.ImportStmt:
		w.add(n.Module, "import")
	case *ast.ExportStmt:
		w.add(n.Module, "import")
	case *ast.TryStmt:
		w.tryStmt(n)
		w.depth--
		return nil
	case *ast.DotExpr:
		if string(memberName(n)) == "catch" {
			if w.caught == nil {
				w.caught = map[ast.INode]bool{}
			}
			w.caught[n.X] = true
		}
	case *ast.CallExpr:
		w.call(n)
	case *ast.BinaryExpr:
		if isMainTest(n) {
			w.modules--
		}
	case *ast.UnaryExpr:
		if v, ok := n.X.(*ast.Var); ok && n.Op == ast.TypeofToken && isModuleName(v) {
			w.modules--
		}
	case *ast.Var:
		if isModuleName(n) {
			w.modules++
		}
	}
	return w
}

func (w *walker) Exit(n ast.INode) {
	w.depth--
	w.exit(n)
	switch n.(type) {
	case *ast.FuncDecl, *ast.ArrowFunc, *ast.MethodDecl:
		w.funcs--
	}
}

// tryStmt walks a try statement: what its block imports is optional when
// somebody catches.
func (w *walker) tryStmt(n *ast.TryStmt) {
	guarded := 0
	if n.Catch != nil {
		guarded = 1
	}
	w.try += guarded
	if n.Body != nil {
		ast.Walk(w, n.Body)
	}
	w.try -= guarded
	if n.Catch != nil {
		w.catching++
		ast.Walk(w, n.Catch)
		w.catching--
	}
	if n.Finally != nil {
		ast.Walk(w, n.Finally)
	}
}

func (w *walker) call(n *ast.CallExpr) {
	if x, ok := ungroup(n.X).(*ast.LiteralExpr); ok && x.TokenType == ast.ImportToken {
		w.m.Dynamic = true
	}
	if len(n.Args.List) == 0 || n.Args.List[0].Rest {
		return
	}
	arg := stringLiteral(n.Args.List[0].Value)
	if arg == nil {
		if x, ok := ungroup(n.X).(*ast.Var); ok && string(x.Name()) == "require" && x.Decl == ast.NoDecl && w.m.Composed == nil {
			if t, ok := ungroup(n.Args.List[0].Value).(*ast.TemplateExpr); ok && len(t.List) > 0 {
				v := w.m.value(t, 0)
				w.m.Composed = &[2]int{v.Line, v.Column}
			}
		}
		return
	}
	switch x := ungroup(n.X).(type) {
	case *ast.Var:
		if string(x.Name()) == "require" && x.Decl == ast.NoDecl {
			w.add(arg, "require")
		}
	case *ast.LiteralExpr:
		if x.TokenType == ast.ImportToken {
			w.try += boolInt(w.caught[n])
			w.add(arg, "dynamic")
			w.try -= boolInt(w.caught[n])
		}
	}
}

func (w *walker) add(raw []byte, kind string) {
	if raw == nil {
		return
	}
	p := unquote(raw)
	if p == "" {
		return
	}
	if len(w.m.Imports) >= maxNames {
		w.m.Complete = false
		return
	}
	_, line, col := w.m.at.at(raw)
	w.m.Imports = append(w.m.Imports, Import{Path: p, Line: line, Column: col, Kind: kind, Lazy: w.funcs > 0, Optional: w.try > 0})
}

func isModuleName(v *ast.Var) bool {
	n := v.Name()
	return v.Decl == ast.NoDecl && (bytes.Equal(n, []byte("exports")) || bytes.Equal(n, []byte("module")))
}

// isMainTest recognises require.main === module, which exports nothing.
func isMainTest(n *ast.BinaryExpr) bool {
	if n.Op != ast.EqEqEqToken && n.Op != ast.EqEqToken && n.Op != ast.NotEqEqToken && n.Op != ast.NotEqToken {
		return false
	}
	for _, side := range []ast.IExpr{n.X, n.Y} {
		if v, ok := side.(*ast.Var); ok && isModuleName(v) && string(v.Name()) == "module" {
			return true
		}
	}
	return false
}
