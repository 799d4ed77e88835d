package js

import (
	"bytes"
	"strings"

	ast "github.com/tdewolff/parse/v2/js"

	"healthaudit/snapshot/analyze/shell"
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
type hints struct{ git, children, interval, machine bool }

func hintsOf(src []byte) hints {
	has := func(word string) bool { return bytes.Contains(src, []byte(word)) }
	return hints{git: has("git"), children: has("child_process") || has("cross-spawn") || has("execa"), interval: has("setInterval"), machine: trait.MayNameMachine(src)}
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

// runners are functions that run a command: those of child_process, execa and
// zx, and what people call their own.
var runners = map[string]bool{"exec": true, "execSync": true, "execFile": true, "execFileSync": true, "spawn": true, "spawnSync": true, "execa": true,
	"execaSync": true, "execaCommand": true, "execaCommandSync": true, "$": true, "run": true, "runCommand": true, "sh": true, "shell": true, "execAsync": true,
	"execPromise": true, "runCmd": true, "execCommand": true, "safeExec": true}

func isRunner(name string) bool { return runners[name[strings.LastIndexByte(name, '.')+1:]] }

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

// command marks what a literal command does with git.
func (w *walker) command(n *ast.CallExpr) {
	first := n.Args.List[0].Value
	text, ok := commandText(first)
	if !ok {
		return
	}
	if text != "git" || len(n.Args.List) < 2 {
		w.shell(first, text)
		return
	}
	list, ok := ungroup(n.Args.List[1].Value).(*ast.ArrayExpr)
	if !ok {
		return
	}
	var words []string
	for _, e := range list.List {
		word, _ := commandText(e.Value)
		words = append(words, word)
	}
	push, all := trait.GitCommand(words)
	if raw := stringLiteral(first); push {
		w.mark(trait.Push, raw, "")
	} else if all {
		w.mark(trait.AddAll, raw, "")
	}
}

// commandText returns the text of a literal command; what a template puts in is
// a word that is not known.
func commandText(e ast.IExpr) (string, bool) {
	if raw := stringLiteral(e); raw != nil {
		return unquote(raw), true
	}
	if t, ok := ungroup(e).(*ast.TemplateExpr); ok && t.Tag == nil {
		return templateText(t), true
	}
	return "", false
}

func templateText(t *ast.TemplateExpr) string {
	var b strings.Builder
	for _, p := range t.List {
		b.WriteString(strings.TrimSuffix(strings.TrimPrefix(string(p.Value), "`"), "${"))
		b.WriteByte('x')
	}
	b.WriteString(strings.Trim(string(t.Tail), "`}"))
	return strings.ReplaceAll(b.String(), "x}", "x")
}

// shell marks what the text of a command does with git.
func (w *walker) shell(at ast.IExpr, text string) {
	if !strings.Contains(text, "git ") || len(text) > 4096 {
		return
	}
	raw := stringLiteral(at)
	if t, ok := ungroup(at).(*ast.TemplateExpr); raw == nil && ok {
		raw = t.Tail
		if len(t.List) > 0 {
			raw = t.List[0].Value
		}
	}
	for _, m := range trait.Marks([]byte(text), shell.ReadRun([]byte(text))) {
		if m.Kind == trait.Push || m.Kind == trait.AddAll {
			w.mark(m.Kind, raw, "")
		}
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

// saysOnly returns the first word of a file that does nothing but say something,
// or nil.
func saysOnly(list []ast.IStmt) (first []byte) {
	for _, s := range list {
		switch s := s.(type) {
		case *ast.Comment, *ast.EmptyStmt, *ast.DirectivePrologueStmt:
		case *ast.ExprStmt:
			c, ok := s.Value.(*ast.CallExpr)
			if !ok {
				return nil
			}
			d, ok := c.X.(*ast.DotExpr)
			name := dotted(c.X)
			if !ok || !literals(c.Args.List, 0) || !strings.HasPrefix(name, "console.") && name != "process.exit" {
				return nil
			}
			if name == "process.exit" && len(c.Args.List) == 1 {
				if lit, ok := ungroup(c.Args.List[0].Value).(*ast.LiteralExpr); !ok || string(lit.Data) != "0" {
					return nil
				}
			}
			if first == nil && name != "process.exit" {
				first = memberName(d)
			}
		default:
			return nil
		}
	}
	return first
}

// literals reports whether arguments tell nothing but what stands there, and the time.
func literals(args []ast.Arg, depth int) bool {
	for _, a := range args {
		if !isLiteral(a.Value, depth) {
			return false
		}
	}
	return true
}

func isLiteral(e ast.IExpr, depth int) bool {
	if depth > valueDepth {
		return false
	}
	switch e := ungroup(e).(type) {
	case *ast.LiteralExpr:
		return true
	case *ast.TemplateExpr:
		for _, p := range e.List {
			if !isLiteral(p.Expr, depth+1) {
				return false
			}
		}
		return e.Tag == nil
	case *ast.BinaryExpr:
		return e.Op == ast.AddToken && isLiteral(e.X, depth+1) && isLiteral(e.Y, depth+1)
	case *ast.DotExpr:
		return isLiteral(e.X, depth+1)
	case *ast.CallExpr:
		return literals(e.Args.List, depth+1) && (dotted(e.X) == "Date.now" || isLiteral(e.X, depth+1))
	case *ast.NewExpr:
		return dotted(e.X) == "Date" && (e.Args == nil || literals(e.Args.List, depth+1))
	}
	return false
}
