// Package healthaudit_test holds the tests of the repository itself: who may
// import whom, which calls are forbidden where, which dependencies are pinned,
// and that the documents at the top level say what is true.
package healthaudit_test

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "healthaudit"

// The import table of docs/architecture.md. A row names packages and the
// packages of ours that they may import directly; "x/..." is x and everything
// below it. The first row that fits a package counts.
var layers = []struct {
	packages string
	may      []string
}{
	{"snapshot", nil},
	{"snapshot/host", nil},
	{"snapshot/cron", nil},
	{"snapshot/analyze/...", []string{"snapshot", "snapshot/cron", "snapshot/analyze/..."}},
	{"snapshot/collect", []string{"snapshot", "snapshot/host", "snapshot/cron", "snapshot/analyze/..."}},
	{"snapshot/collect/all", []string{"snapshot/collect/..."}},
	{"snapshot/collect/...", []string{"snapshot", "snapshot/host", "snapshot/cron", "snapshot/analyze/...", "snapshot/collect"}},
	{"snapshot/store", []string{"snapshot", "snapshot/host"}},
	{"snapshot/archive", []string{"snapshot", "snapshot/host", "snapshot/store"}},
	{"audit", []string{"snapshot", "snapshot/cron", "audit/trend"}},
	{"audit/trend", nil},
	{"audit/condition", []string{"audit", "snapshot"}},
	{"audit/check/custom", []string{"audit", "audit/condition", "snapshot"}},
	{"audit/check", []string{"audit", "audit/check/..."}},
	{"audit/check/...", []string{"audit", "snapshot", "snapshot/cron", "audit/trend", "snapshot/analyze/..."}},
	{"audit/pipeline", []string{"snapshot/...", "audit/...", "rules/...", "report"}},
	{"rules", []string{"audit", "audit/condition", "snapshot", "snapshot/host"}},
	{"rules/action", []string{"rules", "snapshot", "snapshot/host", "snapshot/analyze/...", "snapshot/collect", "snapshot/archive"}},
	{"report", []string{"snapshot", "audit", "rules"}},
	{"cmd/...", []string{"..."}},
}

// Calls that would make a run depend on the ambient clock, end the process
// deep inside, or write past the streams that main was given. "*" ends a prefix.
var forbidden = map[string][]string{
	"fmt": {"Print*"},
	"log": {"Print*", "Fatal*", "Panic*"},
	"os":  {"Exit", "StartProcess"},
	// time.Since and time.Until read the clock as well.
	"time": {"Now", "Since", "Until"},
}

// Packages that may only be imported where those calls are allowed.
var forbiddenImports = []string{"os/exec"}

type goPackage struct {
	Dir, ImportPath         string
	GoFiles, IgnoredGoFiles []string
}

// packages lists our packages that are no test support, with the files of every
// operating system.
func packages(t *testing.T) []goPackage {
	t.Helper()
	out, err := exec.Command("go", "list", "-e", "-find", "-json=Dir,ImportPath,GoFiles,IgnoredGoFiles", "./...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []goPackage
	for dec := json.NewDecoder(strings.NewReader(string(out))); dec.More(); {
		var p goPackage
		if err := dec.Decode(&p); err != nil {
			t.Fatal(err)
		}
		p.GoFiles = append(p.GoFiles, p.IgnoredGoFiles...)
		p.GoFiles = slices.DeleteFunc(p.GoFiles, func(f string) bool { return strings.HasSuffix(f, "_test.go") })
		if len(p.GoFiles) > 0 && !strings.HasSuffix(p.ImportPath, "test") {
			all = append(all, p)
		}
	}
	if len(all) < 5 {
		t.Fatalf("go list found %d packages: the test looks at nothing", len(all))
	}
	return all
}

func TestLayers(t *testing.T) {
	for _, p := range packages(t) {
		for _, f := range p.GoFiles {
			file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(p.Dir, f), nil, parser.ParseComments)
			if err != nil {
				t.Error(err)
				continue
			}
			name := inModule(p.ImportPath)
			for _, why := range append(importViolations(name, file), callViolations(name, file)...) {
				t.Errorf("%s/%s: %s", name, f, why)
			}
		}
	}
}

func inModule(importPath string) string {
	return strings.TrimPrefix(strings.TrimPrefix(importPath, module), "/")
}

// fits reports whether a pattern of the table covers a package of ours.
func fits(pattern, name string) bool {
	if pattern == "..." {
		return true
	}
	if dir, ok := strings.CutSuffix(pattern, "/..."); ok {
		return name == dir || strings.HasPrefix(name, dir+"/")
	}
	return pattern == name
}

func importViolations(name string, file *ast.File) []string {
	row := slices.IndexFunc(layers, func(l struct {
		packages string
		may      []string
	}) bool {
		return fits(l.packages, name)
	})
	if row < 0 {
		return []string{"package has no row in the import table"}
	}
	var out []string
	for _, imp := range file.Imports {
		p, _ := strconv.Unquote(imp.Path.Value)
		if p != module && !strings.HasPrefix(p, module+"/") {
			continue
		}
		if other := inModule(p); !slices.ContainsFunc(layers[row].may, func(m string) bool { return fits(m, other) }) {
			out = append(out, "may not import "+other)
		}
	}
	return out
}

func callViolations(name string, file *ast.File) []string {
	if fits("snapshot/host", name) || fits("cmd/...", name) {
		return nil
	}
	var out []string
	local := map[string]string{} // name in this file → import path
	for _, imp := range file.Imports {
		p, _ := strconv.Unquote(imp.Path.Value)
		if slices.Contains(forbiddenImports, p) {
			out = append(out, "may not import "+p)
		}
		if forbidden[p] == nil {
			continue
		}
		as := path.Base(p)
		if imp.Name != nil {
			as = imp.Name.Name
		}
		if as == "." {
			out = append(out, fmt.Sprintf("dot import of %s hides forbidden calls", p))
		}
		local[as] = p
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			if n.Recv == nil && n.Name.Name == "init" {
				out = append(out, "func init: register in a literal list instead")
			}
		case *ast.CallExpr:
			if id, ok := n.Fun.(*ast.Ident); ok && (id.Name == "print" || id.Name == "println") {
				out = append(out, "builtin "+id.Name)
			}
		case *ast.SelectorExpr: // as a value too: `now = time.Now` is the same clock
			if x, ok := n.X.(*ast.Ident); ok && x.Obj == nil && isForbidden(local[x.Name], n.Sel.Name) {
				out = append(out, local[x.Name]+"."+n.Sel.Name)
			}
		}
		return true
	})
	return out
}

func isForbidden(pkg, name string) bool {
	return slices.ContainsFunc(forbidden[pkg], func(f string) bool {
		prefix, any := strings.CutSuffix(f, "*")
		return name == prefix || any && strings.HasPrefix(name, prefix)
	})
}

// The rules above are only worth something if they can fail.
func TestLayersNotice(t *testing.T) {
	for _, c := range []struct{ title, pkg, src, want string }{
		{"import upwards", "snapshot", `import "healthaudit/audit"`, "may not import audit"},
		{"collectors apart from each other", "snapshot/collect/pm2", `import "healthaudit/snapshot/collect/script"`, "may not import snapshot/collect/script"},
		{"check without host", "audit/check/pm2", `import "healthaudit/snapshot/host"`, "may not import snapshot/host"},
		{"analyzers among themselves", "snapshot/analyze/refs", `import "healthaudit/snapshot/analyze/shell"`, ""},
		{"unknown package", "util", ``, "package has no row in the import table"},
		{"clock", "audit", `import "time"; var x = time.Now()`, "time.Now"},
		{"clock as a value", "audit", `import "time"; var now = time.Now`, "time.Now"},
		{"clock by another name", "audit", `import clock "time"; var x = clock.Since(y)`, "time.Since"},
		{"dot import", "audit", `import . "os"; func f() { Exit(1) }`, "dot import of os hides forbidden calls"},
		{"exit", "rules", `import "os"; func f() { os.Exit(1) }`, "os.Exit"},
		{"print", "report", `import "fmt"; func f() { fmt.Printf("") }`, "fmt.Printf"},
		{"write to a given stream", "report", `import "fmt"; func f() { fmt.Fprintf(w, "") }`, ""},
		{"log", "report", `import "log"; func f() { log.Fatalln() }`, "log.Fatalln"},
		{"builtin", "report", `func f() { println() }`, "builtin println"},
		{"processes", "rules", `import "os/exec"`, "may not import os/exec"},
		{"init", "report", `func init() {}`, "func init: register in a literal list instead"},
		{"a variable called time", "audit", `import "time"; func f(time x) { time.Now() }`, ""},
		{"host may", "snapshot/host", `import ("os/exec"; "time"); var x = time.Now`, ""},
		{"main may", "cmd/audit", `import ("os"; "healthaudit/audit/pipeline"); func f() { os.Exit(1) }`, ""},
	} {
		t.Run(c.title, func(t *testing.T) {
			file, err := parser.ParseFile(token.NewFileSet(), "x.go", "package x;"+c.src, 0)
			if err != nil {
				t.Fatal(err)
			}
			got := strings.Join(append(importViolations(c.pkg, file), callViolations(c.pkg, file)...), "; ")
			if got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
