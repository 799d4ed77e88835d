package trait

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"healthaudit/snapshot/analyze/shell"
)

// A Kind is one thing that a text may be like.
type Kind string

// The kinds of marks, with what Mark.Name is where they have one.
const (
	Idle        Kind = "idle"         // it only says something
	Masks       Kind = "masks"        // none of its failures shows; Name: the first program whose failure is hidden
	Push        Kind = "push"         // git push
	AddAll      Kind = "add-all"      // git add -A, --all, . or :/, and git commit -a: whatever lies there
	Forever     Kind = "forever"      // a loop that nothing in it ends
	UnguardedCD Kind = "unguarded-cd" // a cd that may fail, before something that destroys; Name: that command
	DangerousRM Kind = "dangerous-rm" // rm -r of "$NAME/…" that is of the whole system while it is empty; Name: the variable
	PipeToShell Kind = "pipe-shell"   // what is downloaded is run at once; Name: "http" without encryption
	Background  Kind = "background"   // a command is left in the background and nobody waits for it
	Machine     Kind = "machine-path" // a path of one machine; Name: mac, windows, termux or home
	NoPackage   Kind = "no-package"   // a program that none of the dependencies brings; Name: the program
	Needs       Kind = "needs"        // it cannot do without an environment variable; Name: the variable
	Killed      Kind = "killed"       // a child that was killed counts as success; Name: the property that is null then
	Secret      Kind = "secret"       // it says the value of a secret to whoever reads its output; Name: the variable; see Everything
)

// A Mark is one trait of a text and where it stands. Line and Column are
// 1-based, Column in bytes.
type Mark struct {
	Kind   Kind   `json:"t"`
	Line   int    `json:"l"`
	Column int    `json:"c"`
	Name   string `json:"n,omitempty"`
}

// String returns the mark as "line:column:kind:name", as facts keep it.
func (m Mark) String() string {
	return fmt.Sprintf("%d:%d:%s:%s", max(m.Line, 1), max(m.Column, 1), m.Kind, m.Name)
}

// read returns the mark that String wrote; ok is false for any other text.
func read(s string) (m Mark, ok bool) {
	parts := strings.SplitN(s, ":", 4)
	if len(parts) != 4 {
		return m, false
	}
	line, err := strconv.Atoi(parts[0])
	column, err2 := strconv.Atoi(parts[1])
	return Mark{Kind(parts[2]), line, column, parts[3]}, err == nil && err2 == nil
}

// maxMarks bounds the marks of one kind: a reader needs the first.
const maxMarks = 3

// maxNested is how deep texts in texts are followed: sh -c '…'.
const maxNested = 2

// Marks returns what a text is like, in order of place; nil for one that does
// not parse. src is what it was parsed from.
func Marks(src []byte, text shell.Text) []Mark { return ordered(marks(src, text, 0)) }

func marks(src []byte, text shell.Text, depth int) []Mark {
	if text.Err != nil {
		return nil
	}
	m := &marker{Script: Script{Text: text}, src: src, depth: depth, has: hintsOf(src)}
	m.whole()
	if m.has.folder || m.has.remove {
		m.learn()
	}
	if m.has.secret {
		m.unsaid(syntax.Walk)
	}
	if m.has.any() {
		m.walk()
	}
	if m.has.folder {
		m.folders()
	}
	return m.out
}

// Hints tell what cannot be in a text, by words that it lacks: most texts have
// few of them, and need no walk.
type hints struct{ git, remove, folder, fetch, loop, code, machine, secret, dump bool }

func hintsOf(src []byte) hints {
	has := func(words ...string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return bytes.Contains(src, []byte(w)) })
	}
	h := hints{git: has("git"), fetch: has("curl", "wget"), loop: has(loopWords...), code: has("sh -"), machine: MayNameMachine(src)}
	removes := has("rm ")
	h.remove = removes && has("$")
	h.dump = mayDump(src)
	h.secret = h.dump || has("echo", "printf") && has("TOKEN", "SECRET", "PASSW", "KEY", "JWT")
	h.folder = has("cd ", "cd\t", "pushd") && (removes || h.git || has("find"))
	return h
}

// loopWords begin a loop that may be endless.
var loopWords = []string{"while true", "while :", "while [ 1", "while [ true", "while [[ 1", "while [[ true", "while test 1", "while /bin/true", "while ((1", "while (( 1",
	"while ((true", "until false", "for ((", "for(("}

func (h hints) any() bool {
	return h.git || h.remove || h.fetch || h.loop || h.code || h.machine || h.secret
}

// walk marks what single nodes of the text are.
func (m *marker) walk() {
	var around []bool // of the nodes around: whether each is a function
	syntax.Walk(&syntax.File{Stmts: m.Text.Stmts}, func(n syntax.Node) bool {
		if n == nil { // the last one ends
			if last := len(around) - 1; around[last] {
				m.funcs--
			}
			around = around[:len(around)-1]
			return true
		}
		_, isFunc := n.(*syntax.FuncDecl)
		if around = append(around, isFunc); isFunc {
			m.funcs++
		}
		m.node(n)
		return true
	})
}

// ordered sorts marks by place, and leaves maxMarks of each kind.
func ordered(list []Mark) []Mark {
	slices.SortStableFunc(list, func(a, b Mark) int { return cmp.Or(a.Line-b.Line, a.Column-b.Column, cmp.Compare(a.Kind, b.Kind)) })
	count := map[Kind]int{}
	return slices.DeleteFunc(list, func(m Mark) bool {
		count[m.Kind]++
		return count[m.Kind] > maxMarks && m.Kind != Needs
	})
}

// A marker collects the marks of one text.
type marker struct {
	Script
	src   []byte
	out   []Mark
	has   hints
	set   settings
	depth int // texts around this one
	funcs int // functions around the node that is looked at

	inner   map[*syntax.Stmt]bool // statements whose output nobody sees
	written map[string]bool       // variables whose value stands in the text
	named   []string              // secrets that it asks for, or ".env"
	talks   bool                  // it says something to a person

	private, exported map[string]bool // variables that it gives a value, and those that it exports
	allExport         bool            // it exports every one: set -a
}

func (m *marker) mark(kind Kind, at syntax.Node, name string) {
	m.out = append(m.out, Mark{kind, int(at.Pos().Line()), int(at.Pos().Col()), name})
}

// source returns the text of a node as it stands, "" where its place is not one
// of src.
func (m *marker) source(n syntax.Node) string {
	from, to := int(n.Pos().Offset()), int(n.End().Offset())
	if from >= to || to > len(m.src) {
		return ""
	}
	return string(m.src[from:to])
}

// whole marks what the text is like as a whole.
func (m *marker) whole() {
	if len(m.Text.Stmts) == 0 {
		return
	}
	first := m.Text.Stmts[0]
	if idle, said := m.Idle(); idle && said && !slices.ContainsFunc(Of(m.Text).Names, func(n string) bool { return !hollow[n] }) {
		m.mark(Idle, first, "")
		return
	}
	q := quiet{r: &m.Script}
	if q.all(m.Text.Stmts, q.safe) && q.hidden != nil {
		m.mark(Masks, q.hidden, m.Program(q.hidden))
	}
}

func (m *marker) node(n syntax.Node) {
	if m.has.machine {
		m.machineNode(n)
	}
	switch n := n.(type) {
	case *syntax.Stmt:
		if m.has.loop && m.endless(n) {
			m.mark(Forever, n, "")
		}
		if m.has.secret && !m.inner[n] {
			m.prints(n)
			if m.has.dump {
				m.shows(n)
			}
		}
	case *syntax.BinaryCmd:
		if m.has.fetch {
			m.pipe(n)
		}
	case *syntax.CallExpr:
		m.call(n)
	}
}

func (m *marker) call(n *syntax.CallExpr) {
	args := m.Unwrapped(n.Args)
	if len(args) == 0 {
		return
	}
	switch name := base(m.Literal(args[0])); {
	case name == "git":
		m.git(n, args)
	case name == "rm":
		m.remove(n, args)
	case shells[name], name == "eval", name == "source", name == ".":
		if m.has.fetch {
			m.runsDownload(n, args)
		}
		if code := m.shellCode(args); code != nil && m.depth < maxNested {
			m.nested(code, m.depth+1)
		}
	}
}

// nested adds the marks of a command that stands in one word of this text, at
// the place of the word.
func (m *marker) nested(w *syntax.Word, depth int) {
	src := []byte(m.Literal(w))
	if len(src) == 0 {
		return
	}
	for _, in := range marks(src, shell.ReadRun(src), depth) {
		if in.Kind != Idle && in.Kind != Masks && in.Kind != Machine {
			m.mark(in.Kind, w, in.Name)
		}
	}
}

// shells are programs that run text.
var shells = map[string]bool{"sh": true, "bash": true, "zsh": true, "dash": true, "ksh": true, "ash": true}

// shellCode returns the word that a shell is given to run: bash -lc '…'.
func (m *marker) shellCode(args []*syntax.Word) *syntax.Word {
	words := make([]string, len(args))
	for i, a := range args {
		words[i] = m.Literal(a)
	}
	if i := codeIn(words); i > 0 {
		return args[i]
	}
	return nil
}

// codeIn returns the index of the word that a shell is given to run, 0 when the
// words are no such call.
func codeIn(words []string) int {
	if len(words) == 0 || !shells[base(words[0])] {
		return 0
	}
	for i, w := range words[1:] {
		switch {
		case len(w) < 2 || w[0] != '-' || w[1] == '-':
			return 0
		case strings.Contains(w, "c") && i+2 < len(words):
			return i + 2
		}
	}
	return 0
}

// Argv returns what a program with these arguments is like, where it is a shell
// that is given its text: [bash -lc 'while true; …']. The marks are at the first
// place of their text.
func Argv(words []string) []Mark {
	i := codeIn(words)
	if i == 0 {
		return nil
	}
	return Command(words[i])
}

// Command returns what the text of a shell command is like, all of it marked at
// its first place.
func Command(text string) []Mark {
	src := []byte(text)
	out := Marks(src, shell.ReadRun(src))
	for i := range out {
		out[i].Line, out[i].Column = 1, 1
	}
	return out
}
