package trait

import (
	"bytes"
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"healthaudit/snapshot/analyze/lazyregexp"
	"healthaudit/snapshot/analyze/shell"
)

// Names of Machine marks: whose paths they are.
const (
	Mac     = "mac"     // /Users/NAME/…
	Windows = "windows" // C:\Users\NAME\…
	Termux  = "termux"  // /data/data/com.termux/…
	Home    = "home"    // /home/NAME/…: of a machine that may well be the one it is meant for
)

var (
	machinePath = lazyregexp.New(`(?:^|[\s"'=:,;(\[])(?:(/Users/)|([A-Za-z]:[\\/]+Users[\\/]+)|(/home/))([A-Za-z][\w.-]*)[\\/]`)
	termuxPath  = lazyregexp.New(`(?:^|[\s"'=:,;(\[])/data/data/com\.termux/`)
)

// nobody are names that stand for anybody, or belong to a machine of many.
var nobody = map[string]bool{"shared": true, "public": true, "runner": true, "runneradmin": true, "user": true, "username": true, "you": true, "yourname": true,
	"your-name": true, "your_name": true, "name": true, "me": true, "default": true, "example": true, "node": true, "vscode": true, "linuxbrew": true, "app": true,
	"ubuntu": true, "circleci": true, "travis": true, "vsts": true, "gitpod": true, "codespace": true, "pwuser": true, "deno": true, "bun": true, "foo": true, "youruser": true}

// MachinePath returns whose machine a literal text names a path of, "" for none.
// Names that stand for anybody are none, nor are URLs.
func MachinePath(text string) string {
	if !MayNameMachine([]byte(text)) {
		return ""
	}
	for _, f := range machinePath().FindAllStringSubmatch(text, 8) {
		switch {
		case nobody[strings.ToLower(f[4])]:
		case f[1] != "":
			return Mac
		case f[2] != "":
			return Windows
		default:
			return Home
		}
	}
	if termuxPath().MatchString(text) {
		return Termux
	}
	return ""
}

// MayNameMachine reports whether there is anything in a text for MachinePath to find.
func MayNameMachine(text []byte) bool {
	return bytes.Contains(text, []byte("Users")) || bytes.Contains(text, []byte("/home/")) || bytes.Contains(text, []byte("com.termux"))
}

// Machines returns the Machine marks of a text alone.
func Machines(text shell.Text) []Mark {
	src := text.Source()
	if text.Err != nil || !MayNameMachine(src) {
		return nil
	}
	m := &marker{Script: Script{Text: text}, src: src}
	syntax.Walk(&syntax.File{Stmts: text.Stmts}, func(n syntax.Node) bool { m.machineNode(n); return true })
	return ordered(m.out)
}

func (m *marker) machineNode(n syntax.Node) {
	switch n := n.(type) {
	case *syntax.CallExpr:
		if args := m.Unwrapped(n.Args); len(args) > 0 {
			m.machine(n, args)
		}
	case *syntax.Assign:
		if n.Value != nil {
			m.machineWord(n.Value)
		}
	case *syntax.Redirect:
		if n.Hdoc == nil && n.Word != nil {
			m.machineWord(n.Word)
		}
	}
}

// tellers say their words, and askers look whether there is such a path: both
// are no use of it.
var tellers = map[string]bool{"echo": true, "printf": true, "[": true, "test": true, "grep": true, "sed": true, "git": true}

// machine marks the paths of one machine among the words of a command.
func (m *marker) machine(c *syntax.CallExpr, args []*syntax.Word) {
	if tellers[base(m.Literal(args[0]))] {
		return
	}
	for _, w := range c.Args {
		m.machineWord(w)
	}
}

func (m *marker) machineWord(w *syntax.Word) {
	if name := MachinePath(m.source(w)); name != "" {
		m.mark(Machine, w, name)
	}
}
