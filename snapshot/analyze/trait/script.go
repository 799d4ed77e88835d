// Package trait says what shell text is like: which programs it runs, whether
// it does any work, and what in it is dangerous or hides what goes wrong.
//
// Invariants: nothing is executed, expanded or looked up; time and memory are
// bounded by those of the parsed text; equal bytes give equal answers; no mark
// holds a value, an argument or a path of the text. What is true of GitHub's
// runners alone is not here, but in snapshot/analyze/workflow.
package trait

import (
	"path"
	"slices"
	"sort"
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"healthaudit/snapshot/analyze/shell"
)

// A Script is what is known of a text. With its Text alone it answers what is
// asked of single commands; Of fills in the rest.
type Script struct {
	Text   shell.Text
	Names  []string // programs it runs, sorted
	First  string   // the first of them
	Masked int      // commands that swallow their failure
	Writes []string // base names of files it may create; they come from arguments: never to be kept
}

// Computed stands for a program whose name is known only when the text runs.
const Computed = "(computed)"

// Of reads a parsed text. One that does not parse runs nothing known.
func Of(text shell.Text) *Script {
	s := &Script{Text: text}
	if s.Text.Err != nil {
		return s
	}
	var own map[string]bool
	var found []string
	var visit func(n syntax.Node) bool
	visit = func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.FuncDecl:
			if own == nil {
				own = map[string]bool{}
			}
			own[n.Name.Value] = true
		case *syntax.BinaryCmd:
			if n.Op == syntax.OrStmt && swallows(n.Y) {
				s.Masked++
				syntax.Walk(n.X, visit)
				return false
			}
		case *syntax.Redirect:
			switch n.Op {
			case syntax.RdrOut, syntax.AppOut, syntax.RdrClob, syntax.RdrAll, syntax.AppAll:
				s.write(n.Word)
			}
		case *syntax.CallExpr:
			if name := s.Program(n); name != "" {
				if writers[name] {
					s.write(n.Args[1:]...)
				}
				found = append(found, name)
				if s.First == "" && !plumbing[name] {
					s.First = name
				}
			}
			return !shell.Bare(n)
		case *syntax.Word:
			return !shell.BareWord(n)
		}
		return true
	}
	for _, stmt := range s.Text.Stmts {
		syntax.Walk(stmt, visit)
	}
	found = slices.DeleteFunc(found, func(name string) bool { return own[name] || plumbing[name] })
	slices.Sort(found)
	if found = slices.Compact(found); len(found) > 0 {
		s.Names = slices.Clone(found)
	}
	return s
}

// writers are programs whose arguments may be files they create, so that a
// later command that starts one of them is not taken for a broken one.
var writers = map[string]bool{
	"cp": true, "mv": true, "touch": true, "tee": true, "install": true, "curl": true, "wget": true, "ln": true,
	"tar": true, "unzip": true, "gh": true, "aws": true,
}

func (s *Script) write(words ...*syntax.Word) {
	for _, w := range words {
		if l := s.Literal(w); l != "" && !strings.HasPrefix(l, "-") {
			s.Writes = append(s.Writes, path.Base(l))
		}
	}
}

// Program returns the name of what a simple command runs, without folders
// and wrappers; "" when it only assigns.
func (s *Script) Program(c *syntax.CallExpr) string {
	args := s.Unwrapped(c.Args)
	if len(args) == 0 {
		return ""
	}
	word := s.Literal(args[0])
	name := path.Base(word)
	if word == "" {
		return Computed
	}
	if !Named(name) {
		return Computed
	}
	if subs := installs[name]; subs != nil {
		sub := ""
		if len(args) > 1 {
			sub = s.Literal(args[1])
		}
		if subs[sub] {
			if sub == "" || sub == "i" {
				sub = "install"
			}
			return name + " " + sub
		}
	}
	return name
}

// Unwrapped returns the words of a command without the wrappers before it.
func (s *Script) Unwrapped(args []*syntax.Word) []*syntax.Word {
	for len(args) > 1 {
		takes, ok := wrappers[s.Literal(args[0])]
		if !ok {
			break
		}
		args = args[1:]
		for len(args) > 1 && strings.HasPrefix(s.Literal(args[0]), "-") {
			valued := strings.Contains(takes, " "+s.Literal(args[0])+" ")
			if args = args[1:]; valued && len(args) > 1 {
				args = args[1:]
			}
		}
	}
	return args
}

// wrappers are programs that run the command behind their options, with those
// options whose value is the next word: it is an argument, and no program's name.
// Sources: sudo(8), env(1), time(1) and the manual of bash.
var wrappers = map[string]string{
	"sudo": " -u -g -h -p -C -T -r -t -U -D -R --user --group --host --prompt --close-from --command-timeout --role --type --other-user --chdir --chroot ",
	"exec": " -a ", "time": " -f -o --format --output ", "env": " -u -C --unset --chdir ", "nohup": "", "command": "", "builtin": "",
}

// Literal returns the text of a word without expansions, "" for any other.
func (s *Script) Literal(w *syntax.Word) string {
	exprs := s.Text.Exprs
	i := sort.Search(len(exprs), func(i int) bool { return int(w.Pos().Offset()) < exprs[i][1] })
	if i < len(exprs) && exprs[i][0] < int(w.End().Offset()) {
		return ""
	}
	if len(w.Parts) == 1 {
		switch p := w.Parts[0].(type) {
		case *syntax.Lit:
			return p.Value
		case *syntax.SglQuoted:
			return p.Value
		}
	}
	var b strings.Builder
	for _, p := range w.Parts {
		switch p := p.(type) {
		case *syntax.Lit:
			b.WriteString(p.Value)
		case *syntax.SglQuoted:
			b.WriteString(p.Value)
		case *syntax.DblQuoted:
			for _, q := range p.Parts {
				l, ok := q.(*syntax.Lit)
				if !ok {
					return ""
				}
				b.WriteString(l.Value)
			}
		default:
			return ""
		}
	}
	return b.String()
}
