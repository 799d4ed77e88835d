package workflow

import (
	"path"
	"sort"
	"strings"
	"sync"

	"mvdan.cc/sh/v3/syntax"

	"healthaudit/snapshot/analyze/lazyregexp"
	"healthaudit/snapshot/analyze/shell"
)

// plumbing are builtins that neither work nor say anything.
var plumbing = map[string]bool{
	"cd": true, "set": true, "export": true, "[": true, "test": true, "local": true, "shift": true, "read": true, "return": true,
	"break": true, "continue": true, "unset": true, "trap": true, "wait": true, "shopt": true, "ulimit": true, "umask": true,
	".": true, "source": true, "pushd": true, "popd": true, "alias": true, "let": true, "type": true, "hash": true, "declare": true, "readonly": true,
}

// hollow are commands that do no work of their own.
var hollow = map[string]bool{"echo": true, "printf": true, "true": true, ":": true, "exit": true, "sleep": true, "date": true, "pwd": true, "false": true}

// installs only prepare work; their subcommand is part of the program's name.
var installs = map[string]map[string]bool{
	"npm":  {"ci": true, "install": true, "i": true},
	"yarn": {"install": true, "": true},
	"pnpm": {"install": true, "i": true},
	"bun":  {"install": true},
	"pip":  {"install": true}, "pip3": {"install": true},
	"bundle": {"install": true}, "composer": {"install": true},
}

// Hollow reports whether a name of Job.Runs or Step.Programs does no work.
func Hollow(program string) bool { return hollow[program] }

// Works reports whether a name of Job.Runs does work of its own: not a command
// that only says something, nor one that only prepares.
func Works(program string) bool {
	if hollow[program] || setup(program) {
		return false
	}
	name, sub, two := strings.Cut(program, " ")
	if two {
		return !installs[name][sub]
	}
	return program != "yarn install"
}

// setup reports whether an action only prepares a job.
func setup(action string) bool {
	if !strings.HasPrefix(action, "uses:") {
		return false
	}
	a := strings.TrimPrefix(action, "uses:")
	base := path.Base(a)
	return strings.HasPrefix(base, "setup-") || strings.HasPrefix(base, "install-") || a == "actions/checkout" || strings.HasPrefix(a, "actions/cache")
}

var programName = lazyregexp.New(`^[A-Za-z0-9_.+:\[-]{1,40}$`)

// script is what is known of a run text.
type script struct {
	names  []string // programs it runs, sorted
	first  string   // the first of them
	masked int      // commands that swallow their failure
	text   shell.Text
	writes []string // base names of files it may create; they come from arguments: never to be kept
}

// computed stands for a program whose name is known only when the step runs.
const computed = "(computed)"

// known are the short scripts that were read first: a project says `npm ci` in
// hundreds of steps. What is in it does not change any more.
var known struct {
	sync.RWMutex
	of map[string]*script
}

// Of known: the longest text, in bytes, and how many.
const (
	maxKnown = 120
	allKnown = 512
)

// readScript reads a run text; the result is shared, and not to be changed. A
// text that is no shell runs nothing known.
func readScript(src string) *script {
	if len(src) > maxKnown {
		return newScript(src)
	}
	known.RLock()
	s := known.of[src]
	known.RUnlock()
	if s != nil {
		return s
	}
	s = newScript(src)
	known.Lock()
	defer known.Unlock()
	if known.of == nil {
		known.of = map[string]*script{}
	}
	if len(known.of) < allKnown {
		known.of[strings.Clone(src)] = s
	}
	return s
}

func newScript(src string) *script {
	s := &script{text: parseShell(src)}
	if s.text.Err != nil {
		return s
	}
	own, found := map[string]bool{}, map[string]bool{}
	var visit func(n syntax.Node) bool
	visit = func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.FuncDecl:
			own[n.Name.Value] = true
		case *syntax.BinaryCmd:
			if n.Op == syntax.OrStmt && swallows(n.Y) {
				s.masked++
				syntax.Walk(n.X, visit)
				return false
			}
		case *syntax.Redirect:
			switch n.Op {
			case syntax.RdrOut, syntax.AppOut, syntax.RdrClob, syntax.RdrAll, syntax.AppAll:
				s.write(n.Word)
			}
		case *syntax.CallExpr:
			if name := s.programOf(n); name != "" {
				if writers[name] {
					s.write(n.Args[1:]...)
				}
				found[name] = true
				if s.first == "" && !plumbing[name] {
					s.first = name
				}
			}
		}
		return true
	}
	syntax.Walk(&syntax.File{Stmts: s.text.Stmts}, visit)
	for name := range found {
		if !own[name] && !plumbing[name] {
			s.names = append(s.names, name)
		}
	}
	sort.Strings(s.names)
	return s
}

// writers are programs whose arguments may be files they create, so that a
// later command that starts one of them is not taken for a broken one.
var writers = map[string]bool{
	"cp": true, "mv": true, "touch": true, "tee": true, "install": true, "curl": true, "wget": true, "ln": true,
	"tar": true, "unzip": true, "gh": true, "aws": true,
}

func (s *script) write(words ...*syntax.Word) {
	for _, w := range words {
		if l := s.literal(w); l != "" && !strings.HasPrefix(l, "-") {
			s.writes = append(s.writes, path.Base(l))
		}
	}
}

func parseShell(src string) (text shell.Text) {
	err := guarded(func() error { text = shell.ReadRun([]byte(src)); return nil })
	if err != nil {
		text.Err = err
	}
	return text
}

// programOf returns the name of what a simple command runs, without folders
// and wrappers; "" when it only assigns.
func (s *script) programOf(c *syntax.CallExpr) string {
	args := s.unwrapped(c.Args)
	if len(args) == 0 {
		return ""
	}
	word := s.literal(args[0])
	name := path.Base(word)
	if word == "" {
		return computed
	}
	if !programName().MatchString(name) {
		return computed
	}
	if subs := installs[name]; subs != nil {
		sub := ""
		if len(args) > 1 {
			sub = s.literal(args[1])
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

// unwrapped returns the words of a command without the wrappers before it.
func (s *script) unwrapped(args []*syntax.Word) []*syntax.Word {
	for len(args) > 1 {
		takes, ok := wrappers[s.literal(args[0])]
		if !ok {
			break
		}
		args = args[1:]
		for len(args) > 1 && strings.HasPrefix(s.literal(args[0]), "-") {
			valued := strings.Contains(takes, " "+s.literal(args[0])+" ")
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

// literal returns the text of a word without expansions, "" for any other.
func (s *script) literal(w *syntax.Word) string {
	for _, e := range s.text.Exprs {
		if int(w.Pos().Offset()) < e[1] && e[0] < int(w.End().Offset()) {
			return ""
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

// swallows reports whether a command can only succeed and does nothing.
func swallows(s *syntax.Stmt) bool {
	c, ok := s.Cmd.(*syntax.CallExpr)
	if !ok || len(c.Args) == 0 {
		return false
	}
	switch c.Args[0].Lit() {
	case "true", ":", "echo", "printf":
		return true
	case "exit":
		return len(c.Args) == 2 && c.Args[1].Lit() == "0"
	}
	return false
}
