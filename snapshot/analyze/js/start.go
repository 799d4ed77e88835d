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
	Guarded      bool // somebody catches its failure, or it stands on a condition
	Line, Column int  // of the command, or of the const that holds it
}

// starters are the functions that start a program: with text those that take a
// whole command, without those that take its words.
var starters = map[string]struct{ text bool }{"exec": {true}, "execSync": {true}, "execaCommand": {true}, "execaCommandSync": {true},
	"spawn": {}, "spawnSync": {}, "execFile": {}, "execFileSync": {}, "fork": {}, "execa": {}, "execaSync": {}}

var starterModules = set("child_process", "node:child_process", "execa", "cross-spawn")

// maxCommand bounds a command that is read, in bytes: one const may stand in many.
const maxCommand = 4096

// moves finds what may lead a program into another folder: process.chdir, or the cd of shelljs and zx.
var moves = lazyregexp.New(`\bchdir\b|\bcd\(`)

// starts reads the calls that start programs in the folder in which the script
// itself runs: with another one, or with options that cannot be seen, they are
// left out, and all of them where the script goes to another folder.
func (m *Module) starts() (out []Start) {
	for i, c := range m.Calls {
		if i == 0 && moves().Match(m.src) {
			return nil
		}
		name := m.starter(c.Callee)
		how, ok := starters[name]
		if !ok || len(c.Args) == 0 {
			continue
		}
		program, words, options := c.Args[0], []Value(nil), c.Args[1:]
		if !how.text && len(options) > 0 && options[0].Kind == Array {
			words, options = options[0].List, options[1:]
		}
		if elsewhere(options) {
			continue
		}
		if text := m.startText(name, program, words, shellOf(options)); text != "" {
			out = append(out, Start{Text: text, Guarded: c.Caught || c.Sometimes, Line: program.Line, Column: program.Column})
		}
	}
	return out
}

// startText writes what a call starts as a shell would have it; "" when it cannot
// be told, or is longer than is read.
func (m *Module) startText(name string, program Value, words []Value, shell string) string {
	if shell == otherShell {
		return ""
	}
	if starters[name].text || shell == someShell && name != "fork" { // Node joins the words as they are
		text := ""
		for i, v := range append([]Value{program}, words...) {
			if v = m.literalOf(v); v.Kind != String || len(text)+len(v.Text) >= maxCommand {
				return ""
			}
			if i > 0 {
				text += " "
			}
			text += v.Text
		}
		return text
	}
	if v := m.literalOf(program); v.Kind == String && strings.ContainsAny(v.Text, " \t") {
		return "" // a program of such a name, or a slip for a shell
	}
	text := ""
	if name == "fork" {
		text = "node "
	}
	for i, v := range append([]Value{program}, words...) {
		word := m.shellWord(v)
		if word == "" || len(text)+len(word) >= maxCommand {
			return ""
		}
		if i > 0 {
			text += " "
		}
		text += word
	}
	return text
}

// What options say of a shell.
const (
	noShell    = ""
	someShell  = "sh"
	otherShell = "another" // which reads a text in its own way
)

// shellOf returns the shell that options ask for; one that is only known at run
// time is taken for none.
func shellOf(options []Value) string {
	for _, o := range options {
		f, ok := o.Field("shell")
		switch base := path.Base(f.Value.Text); {
		case !ok:
		case f.Value.Kind == Boolean && f.Value.Text == "true":
			return someShell
		case f.Value.Kind == String && (base == "sh" || base == "bash" || base == "dash" || base == "zsh"):
			return someShell
		case f.Value.Kind == String && f.Value.Text != "":
			return otherShell
		}
	}
	return noShell
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

// literalOf is a value, or what the const of that name is: one of the top level
// that is mentioned once more and nowhere else, so that it is no parameter of
// that name either, and no file that the script itself writes.
func (m *Module) literalOf(v Value) Value {
	if v.Kind != Identifier || !m.constant[v.Text] || m.mentions[v.Text] != 2 {
		return v
	}
	return m.value(m.top[v.Text], 0)
}

var plainTail = lazyregexp.New(`^[\w./-]+$`)

// shellWord writes a value as a word of a shell; "" when it is longer than a
// command that is read.
func (m *Module) shellWord(v Value) string {
	switch v = m.literalOf(v); {
	case v.Kind == String && len(v.Text) > maxCommand:
		return ""
	case v.Kind == String:
		return snapshot.ShellWord(v.Text)
	case v.Kind == Identifier && (v.Text == "process.execPath" || v.Text == "execPath"):
		return "node"
	case v.Kind == Call && (v.Text == "path.join" || v.Text == "path.resolve" || v.Text == "join" || v.Text == "resolve") && len(v.List) > 1:
		dir, tail := v.List[0], ""
		for _, part := range v.List[1:] {
			if part = m.literalOf(part); part.Kind != String || len(tail)+len(part.Text) > maxCommand || !plainTail().MatchString(part.Text) {
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
