package js

import (
	"slices"

	ast "github.com/tdewolff/parse/v2/js"
)

// A CallSite is one call of a function of Node's that reaches out of the program:
// to files or to other programs.
type CallSite struct {
	Callee       string // as it stands: fs.writeFileSync, execSync
	Args         []Value
	Caught       bool // in a try block that somebody catches
	Sometimes    bool // on a condition
	Line, Column int
}

// watched are the last parts of the names of calls that are kept.
var watched = set("writeFile", "writeFileSync", "appendFile", "appendFileSync", "mkdir", "mkdirSync", "createWriteStream", "outputFile", "outputFileSync",
	"readFile", "readFileSync", "createReadStream", "readdir", "readdirSync", "exec", "execSync", "execFile", "execFileSync", "spawn", "spawnSync", "fork",
	"execa", "execaSync", "execaCommand", "execaCommandSync")

// maxDeeds bounds what is kept of one kind.
const maxDeeds = 200

// Local returns what a const of that name is initialised with, if the file
// declares only one, in whatever scope.
func (m *Module) Local(name string) (Value, bool) {
	e := m.local[name]
	if e == nil {
		return Value{}, false
	}
	return m.value(e, 0), true
}

// deed notes what a node does to the world around the program.
func (w *walker) deed(n ast.INode) {
	switch n := n.(type) {
	case *ast.VarDecl:
		w.locals(n)
	case *ast.CallExpr:
		w.reaches(n)
	case *ast.DotExpr:
		if name := memberName(n); name != nil && isEnv(n.X) && len(w.m.Env) < maxDeeds && !slices.Contains(w.m.Env, string(name)) {
			w.m.Env = append(w.m.Env, string(name))
		}
	case *ast.Var:
		if w.look.has.children {
			w.m.mentions[string(n.Name())]++
		}
	case *ast.ReturnStmt:
		w.returns(n.Value)
	}
}

func (w *walker) locals(d *ast.VarDecl) {
	for _, b := range d.List {
		v, ok := b.Binding.(*ast.Var)
		if !ok {
			continue
		}
		name := string(v.Name())
		if _, twice := w.m.local[name]; twice || d.TokenType != ast.ConstToken {
			w.m.local[name] = nil
		} else {
			w.m.local[name] = b.Default
		}
	}
}

func (w *walker) reaches(n *ast.CallExpr) {
	var last string
	switch x := ungroup(n.X).(type) {
	case *ast.Var:
		last = string(x.Name())
		if init, ok := w.m.local[last].(*ast.CallExpr); ok && len(init.Args.List) > 0 { // promisify(exec)
			if inner, ok := init.Args.List[0].Value.(*ast.Var); ok {
				w.keep(string(inner.Name()), n)
				return
			}
		}
	case *ast.DotExpr:
		last = string(memberName(x))
	}
	if watched[last] {
		w.keep(dotted(n.X), n)
	}
}

func (w *walker) keep(callee string, n *ast.CallExpr) {
	if callee != "" && len(w.calls) < maxDeeds {
		w.calls = append(w.calls, pendingCall{callee, n, w.try > 0, w.look.some > 0})
	}
}

// A pendingCall is read when all names of the file are known.
type pendingCall struct {
	callee    string
	call      *ast.CallExpr
	caught    bool
	sometimes bool
}

func (m *Module) calls(pending []pendingCall) {
	for _, p := range pending {
		v := m.value(p.call, 0)
		m.Calls = append(m.Calls, CallSite{Callee: p.callee, Args: v.List, Caught: p.caught, Sometimes: p.sometimes, Line: v.Line, Column: v.Column})
	}
}

// returns notes a returned object that says status 200 while its body says that
// it failed: ok: false, success: false, or an error within a catch.
func (w *walker) returns(e ast.IExpr) {
	o, ok := ungroup(e).(*ast.ObjectExpr)
	if !ok || len(w.m.Masked) >= maxDeeds {
		return
	}
	v := w.m.value(o, 0)
	status, _ := v.Field("statusCode")
	body, _ := v.Field("body")
	if status.Value.Text != "200" || body.Value.Kind != Call || body.Value.Text != "JSON.stringify" || len(body.Value.List) == 0 {
		return
	}
	said := body.Value.List[0]
	for _, name := range []string{"ok", "success", "error"} {
		f, ok := said.Field(name)
		failed := f.Value.Kind == Boolean && f.Value.Text == "false" && name != "error" || name == "error" && w.catching > 0 && f.Value.Kind != Null
		if ok && failed {
			w.m.Masked = append(w.m.Masked, [2]int{v.Line, v.Column})
			return
		}
	}
}
