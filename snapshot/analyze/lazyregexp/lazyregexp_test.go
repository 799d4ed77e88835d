package lazyregexp

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// Every pattern of the repository compiles: the one of a rare message would
// panic on somebody's machine otherwise.
func TestPatterns(t *testing.T) {
	found := 0
	for _, dir := range []string{"audit", "cmd", "report", "rules", "snapshot"} {
		err := filepath.WalkDir(filepath.Join("../../..", dir), func(p string, _ fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(p, ".go") || strings.HasSuffix(p, "_test.go") {
				return err
			}
			set := token.NewFileSet()
			f, err := parser.ParseFile(set, p, nil, 0)
			if err != nil {
				return err
			}
			named := constants(f)
			ast.Inspect(f, func(n ast.Node) bool {
				call, ok := n.(*ast.CallExpr)
				if !ok {
					return true
				}
				fn, ok := call.Fun.(*ast.SelectorExpr)
				if !ok || fn.Sel.Name != "New" {
					return true
				}
				if pkg, ok := fn.X.(*ast.Ident); !ok || pkg.Name != "lazyregexp" {
					return true
				}
				found++
				pattern, ok := text(call.Args[0], named)
				if _, err := regexp.Compile(pattern); !ok || err != nil {
					t.Errorf("%s: %q: constant %v, %v", set.Position(call.Pos()), pattern, ok, err)
				}
				return true
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if found < 50 {
		t.Errorf("only %d patterns: the search is broken", found)
	}
}

// constants returns those of a file that are texts.
func constants(f *ast.File) map[string]string {
	named := map[string]string{}
	ast.Inspect(f, func(n ast.Node) bool {
		if decl, ok := n.(*ast.GenDecl); ok && decl.Tok != token.CONST {
			return false
		}
		spec, ok := n.(*ast.ValueSpec)
		if ok && len(spec.Names) == 1 && len(spec.Values) == 1 {
			if s, ok := text(spec.Values[0], named); ok {
				named[spec.Names[0].Name] = s
			}
		}
		return true
	})
	return named
}

// text returns the value of a constant string expression.
func text(e ast.Expr, named map[string]string) (string, bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		s, err := strconv.Unquote(e.Value)
		return s, err == nil
	case *ast.BinaryExpr:
		x, okX := text(e.X, named)
		y, okY := text(e.Y, named)
		return x + y, okX && okY && e.Op == token.ADD
	case *ast.Ident:
		s, ok := named[e.Name]
		return s, ok
	}
	return "", false
}

func TestNew(t *testing.T) {
	re := New(`^a+$`)
	first := re()
	if !first.MatchString("aa") || first.MatchString("b") || re() != first {
		t.Error("it does not match, or is made anew")
	}
}
