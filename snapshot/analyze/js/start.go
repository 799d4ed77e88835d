package js

import (
	"path"
	"strings"

	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/lazyregexp"
)

// A Start is a program that a script starts through child_process or execa, written
// as a shell would have it. What is not literal is $x, a file beside the script
// begins with "$(dirname "$0")". Text may hold secrets: it is not to be kept.
type Start struct {
	Text         string
	Guarded      bool // somebody catches its failure
	Line, Column int  // of the command, or of the const that holds it
}

// starters are the functions that start a program: with text those that take a
// whole command, without those that take its words.
var starters = map[string]struct{ text bool }{"exec": {true}, "execSync": {true}, "execaCommand": {true}, "execaCommandSync": {true},
	"spawn": {}, "spawnSync": {}, "execFile": {}, "execFileSync": {}, "fork": {}, "execa": {}, "execaSync": {}}

var starterModules = set("child_process", "node:child_process", "execa", "cross-spawn")

// maxCommand bounds a command that is read, in bytes: one const may stand in many.
const maxCommand = 4096

// starts reads the calls that start programs in the folder in which the script
// itself runs: with another one, or with options that cannot be seen, they are
// left out.
func (m *Module) starts() (out []Start) {
	for _, c := range m.Calls {
		name := m.starter(c.Callee)
		how, ok := starters[name]
		if !ok || len(c.Args) == 0 {
			continue
		}
		options := c.Args[1:]
		text := m.commandLine(c.Args[0])
		if !how.text {
			text = m.shellWord(c.Args[0])
			if name == "fork" {
				text = "node " + text
			}
			if len(options) > 0 && options[0].Kind == Array {
				for _, w := range options[0].List {
					text += " " + m.shellWord(w)
				}
				options = options[1:]
			}
		}
		if text != "" && len(text) <= maxCommand && !elsewhere(options) {
			out = append(out, Start{Text: text, Guarded: c.Caught, Line: c.Args[0].Line, Column: c.Args[0].Column})
		}
	}
	return out
}

// starter returns which function of a module that starts programs a callee is: "" when none.
func (m *Module) starter(callee string) string {
	name, member, of := strings.Cut(callee, ".")
	b, ok := m.Binding(name)
	switch {
	case !ok || !starterModules[b.From]:
		return ""
	case of && (b.Name == "*" || b.Name == "default"):
		return member
	case of:
		return ""
	case b.From == "cross-spawn":
		return "spawn"
	case b.Name == "default" || b.Name == "*":
		return strings.TrimPrefix(b.From, "node:") // execa(…)
	}
	return b.Name
}

// elsewhere reports whether options may set another folder.
func elsewhere(options []Value) bool {
	for _, o := range options {
		if o.Kind == Function {
			continue
		}
		_, cwd := o.Field("cwd")
		_, spread := o.Field("")
		if o.Kind != Object || cwd || spread {
			return true
		}
	}
	return false
}

// literalOf is a value, or what the const of that name is.
func (m *Module) literalOf(v Value) Value {
	if v.Kind == Identifier {
		if c, ok := m.Local(v.Text); ok {
			return c
		}
	}
	return v
}

func (m *Module) commandLine(v Value) string {
	switch v = m.literalOf(v); v.Kind {
	case String:
		return v.Text
	case Template:
		return v.Text + "$x"
	}
	return ""
}

var plainTail = lazyregexp.New(`^[\w./-]+$`)

// shellWord writes a value as a word of a shell.
func (m *Module) shellWord(v Value) string {
	switch v = m.literalOf(v); {
	case v.Kind == String:
		return snapshot.ShellWord(v.Text)
	case v.Kind == Identifier && (v.Text == "process.execPath" || v.Text == "execPath"):
		return "node"
	case v.Kind == Call && (v.Text == "path.join" || v.Text == "path.resolve" || v.Text == "join" || v.Text == "resolve") && len(v.List) > 1:
		dir, tail := v.List[0], ""
		for _, part := range v.List[1:] {
			if part = m.literalOf(part); part.Kind != String || !plainTail().MatchString(part.Text) {
				return "$x"
			}
			tail = path.Join(tail, part.Text)
		}
		if dir.Kind == Identifier && (dir.Text == "__dirname" || dir.Text == "import.meta.dirname") && !path.IsAbs(tail) {
			return `"$(dirname "$0")"/` + tail
		}
	}
	return "$x"
}
