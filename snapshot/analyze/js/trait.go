package js

import (
	"bytes"
	"strings"

	ast "github.com/tdewolff/parse/v2/js"

	"healthaudit/snapshot/analyze/trait"
)

// A looker notes what a file is like while the walker goes through it.
type looker struct {
	has     hints
	marks   []trait.Mark
	talking int  // calls around that only say something
	some    int  // conditions around
	repeats bool // it calls setInterval
	clears  bool // it ends that again
	signals bool // it looks at the signal that ended a child
	killed  []trait.Mark
	common  *Place // the first use of CommonJS that fails in an ES module
}

// Hints tell what cannot be in a file, by words that it lacks: most files have
// none of them.
type hints struct{ git, children, interval, env, machine bool }

func hintsOf(src []byte) hints {
	has := func(word string) bool { return bytes.Contains(src, []byte(word)) }
	return hints{git: has("git"), children: has("child_process") || has("cross-spawn") || has("execa"), interval: has("setInterval"), env: has("process.env"), machine: trait.MayNameMachine(src)}
}

// A Place is one place in a file, 1-based, its column in bytes.
type Place struct{ Line, Column int }

// maxSeen bounds the marks that are noted of one file.
const maxSeen = 50

func (w *walker) mark(kind trait.Kind, raw []byte, name string) {
	if len(w.look.marks) < maxSeen {
		_, line, col := w.m.at.at(raw)
		w.look.marks = append(w.look.marks, trait.Mark{Kind: kind, Line: line, Column: col, Name: name})
	}
}

// enter looks at one node.
func (w *walker) enter(n ast.INode) {
	l := &w.look
	switch n := n.(type) {
	case *ast.LiteralExpr:
		if l.has.machine && n.TokenType == ast.StringToken && l.talking == 0 {
			w.machine(n.Data)
		}
	case *ast.TemplateExpr:
		w.template(n)
	case *ast.CallExpr:
		if l.has.machine {
			l.talking += boolInt(talks(n))
		}
		w.callTraits(n)
	case *ast.DotExpr:
		l.signals = l.signals || l.has.children && string(memberName(n)) == "signal"
	case *ast.Var:
		l.signals = l.signals || l.has.children && string(n.Name()) == "signal"
	case *ast.IfStmt, *ast.CondExpr:
		l.some++
	case *ast.ReturnStmt:
		w.returned(n.Value)
	case *ast.WhileStmt:
		if lit, ok := ungroup(n.Cond).(*ast.LiteralExpr); ok && (lit.TokenType == ast.TrueToken || string(lit.Data) == "1") && !leaves(n.Body) {
			w.mark(trait.Forever, lit.Data, "")
		}
	case *ast.BinaryExpr:
		w.binaryTraits(n)
	}
}

func (w *walker) exit(n ast.INode) {
	switch n := n.(type) {
	case *ast.CallExpr:
		if w.look.has.machine {
			w.look.talking -= boolInt(talks(n))
		}
	case *ast.IfStmt, *ast.CondExpr:
		w.look.some--
	case *ast.BinaryExpr:
		w.look.some -= boolInt(n.Op == ast.AndToken || n.Op == ast.OrToken)
	}
}

func (w *walker) template(n *ast.TemplateExpr) {
	if w.look.has.machine && w.look.talking == 0 {
		for _, p := range n.List {
			w.machine(p.Value)
		}
		w.machine(n.Tail)
	}
	if w.look.has.git && n.Tag != nil && isRunner(dotted(n.Tag)) {
		w.shell(n, templateText(n))
	}
}

func (w *walker) binaryTraits(n *ast.BinaryExpr) {
	w.look.some += boolInt(n.Op == ast.AndToken || n.Op == ast.OrToken)
	if n.Op != ast.EqToken {
		return
	}
	if w.look.has.children && dotted(n.X) == "process.exitCode" {
		w.returned(n.Y)
	}
	if x := owner(n.X); x != nil && isModuleName(x) && w.funcs == 0 && w.try == 0 && w.look.some == 0 && w.look.common == nil {
		_, line, col := w.m.at.at(x.Data)
		w.look.common = &Place{line, col}
	}
}

// owner returns the variable that a chain of members begins with.
func owner(e ast.IExpr) *ast.Var {
	d, ok := ungroup(e).(*ast.DotExpr)
	for range valueDepth {
		if !ok {
			return nil
		}
		if v, is := ungroup(d.X).(*ast.Var); is {
			return v
		}
		d, ok = ungroup(d.X).(*ast.DotExpr)
	}
	return nil
}

// machine marks a text that names a path of one machine.
func (w *walker) machine(raw []byte) {
	if len(raw) < 4096 {
		if name := trait.MachinePath(string(raw)); name != "" {
			w.mark(trait.Machine, raw, name)
		}
	}
}

// talks reports whether a call only says something.
func talks(n *ast.CallExpr) bool { return strings.HasPrefix(dotted(n.X), "console.") }

func (w *walker) callTraits(n *ast.CallExpr) {
	if h := w.look.has; !h.git && !h.children && !h.interval {
		return
	}
	name := dotted(n.X)
	switch {
	case name == "setInterval":
		w.look.repeats = true
	case name == "clearInterval":
		w.look.clears = true
	case name == "process.exit" && len(n.Args.List) == 1:
		w.returned(n.Args.List[0].Value)
	case isRunner(name) && len(n.Args.List) > 0:
		w.command(n)
	}
}

// outcomes are properties and variables that are null when a child was killed.
var outcomes = map[string]bool{"status": true, "exitCode": true, "code": true}

// returned marks x.status || 0 in what a function gives back or the process ends
// with, itself or as a property.
func (w *walker) returned(e ast.IExpr) {
	if !w.look.has.children {
		return
	}
	switch e := ungroup(e).(type) {
	case *ast.BinaryExpr:
		zero, ok := ungroup(e.Y).(*ast.LiteralExpr)
		if !ok || string(zero.Data) != "0" || e.Op != ast.OrToken && e.Op != ast.NullishToken {
			return
		}
		name := ""
		switch x := ungroup(e.X).(type) {
		case *ast.DotExpr:
			name = string(memberName(x))
		case *ast.Var:
			name = string(x.Name())
		}
		if outcomes[name] && len(w.look.killed) < maxSeen {
			_, line, col := w.m.at.at(zero.Data) // that of a variable is where it is declared
			w.look.killed = append(w.look.killed, trait.Mark{Kind: trait.Killed, Line: line, Column: col, Name: name})
		}
	case *ast.ObjectExpr:
		for _, p := range e.List {
			if p.Name != nil && !p.Name.IsComputed() && outcomes[propertyName(p.Name)] {
				w.returned(p.Value)
			}
		}
	}
}

// leaves reports whether something in a loop may end it.
func leaves(body ast.INode) bool {
	f := &leaver{}
	ast.Walk(f, body)
	return f.found
}

type leaver struct {
	found bool
	depth int
}

func (f *leaver) Enter(n ast.INode) ast.IVisitor {
	switch n := n.(type) {
	case *ast.BranchStmt:
		f.found = f.found || n.Type == ast.BreakToken
	case *ast.ReturnStmt, *ast.ThrowStmt:
		f.found = true
	case *ast.CallExpr:
		f.found = f.found || dotted(n.X) == "process.exit"
	}
	if f.depth++; f.found || f.depth > maxDepth {
		f.depth--
		return nil
	}
	return f
}

func (f *leaver) Exit(ast.INode) { f.depth-- }

// end brings together what the file as a whole says.
func (w *walker) end(tree *ast.AST) {
	l, m := &w.look, w.m
	m.Marks, m.Common = l.marks, l.common
	for _, i := range m.Imports {
		if name := strings.TrimPrefix(i.Path, "node:"); (name == "child_process" || name == "cross-spawn" || name == "execa") && !l.signals {
			m.Marks = append(m.Marks, l.killed...)
			break
		}
	}
	for _, i := range m.Imports {
		if i.Kind == "require" && !i.Lazy && !i.Optional && (m.Common == nil || i.Line < m.Common.Line) {
			m.Common = &Place{i.Line, i.Column}
		}
	}
	if l.repeats && !l.clears {
		m.Marks = append(m.Marks, trait.Mark{Kind: trait.Forever, Line: 1, Column: 1})
	}
	if len(m.Imports) == 0 && !m.ESM {
		if at := saysOnly(tree.List); at != nil {
			w.mark(trait.Idle, at, "")
			m.Marks = l.marks[len(l.marks)-1:]
		}
	}
}
