package script

import (
	"bytes"
	"errors"
	"path"
	"slices"
	"strings"

	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/js"
	"healthaudit/snapshot/analyze/python"
	"healthaudit/snapshot/analyze/refs"
	"healthaudit/snapshot/analyze/shell"
	"healthaudit/snapshot/analyze/trait"
)

const analysisVersion = 16

// maxText is the largest shell, Python or other script, in bytes, that is
// analysed; JavaScript may be as large as what is captured.
const maxText = 1 << 20

// Languages, values of the fact "language".
const (
	langShell  = "shell"
	langJS     = "javascript"
	langTS     = "typescript"
	langPython = "python"
)

// An analysis is what the text of one script says; it is cached by content.
type analysis struct {
	Language    string         `json:"l,omitempty"`
	Interpreter string         `json:"i,omitempty"` // of the #! line: base name, without a version
	CRLF        bool           `json:"r,omitempty"` // the #! line ends in CR: the kernel looks for "bash\r"
	Assessed    bool           `json:"a,omitempty"` // Problems is a verdict
	Problems    []problem      `json:"p,omitempty"`
	Refs        []snapshot.Ref `json:"f,omitempty"` // to be placed
	Imports     []localImport  `json:"m,omitempty"`
	Marks       []trait.Mark   `json:"k,omitempty"` // what the text is like
	Module      *moduleForm    `json:"o,omitempty"` // of JavaScript
	Unknown     string         `json:"u,omitempty"`
	Done        bool           `json:"d"` // false: the bytes could not be read when it was cached
}

// A localImport is a file that a script loads, without its extension resolved.
type localImport struct {
	Path     string `json:"p"` // relative to the root
	Line     int    `json:"l"`
	Column   int    `json:"c,omitempty"`
	Optional bool   `json:"o,omitempty"` // that it is missing may do no harm
	Lazy     bool   `json:"z,omitempty"` // the script begins without it
	Module   bool   `json:"m,omitempty"` // a Python module: it may also be an installed one
}

// analyseBytes reads the text of one file. sound: see js.Sound.
func analyseBytes(p string, b []byte, sound bool) (a analysis) {
	a.Done = true
	a.shebang(b)
	a.Language = languageOf(p, a.Interpreter)
	isJS := a.Language == langJS || a.Language == langTS
	switch {
	case len(b) > maxText && !isJS:
		a.Unknown = "larger than 1 MiB: not read"
		return a
	case bytes.IndexByte(b[:min(len(b), 8192)], 0) >= 0 && !isJS:
		a.Unknown = "it is not text"
		return a
	}
	switch {
	case isJS:
		a.javaScript(p, b, sound)
	case a.Language == langShell:
		a.shellScript(p, b)
	case a.Language == langPython:
		a.pythonModules(p, b)
	}
	if q := unfinished(b); q != nil {
		a.Problems, a.Assessed = append(q, a.Problems...), true
	}
	a.Problems = a.Problems[:min(len(a.Problems), maxProblems)]
	return a
}

// shebang reads the #! line: "#!/usr/bin/env -S node --x" is node.
func (a *analysis) shebang(b []byte) {
	line, ok := bytes.CutPrefix(b[:min(len(b), 512)], []byte("#!"))
	if !ok {
		return
	}
	line, _, _ = bytes.Cut(line, []byte("\n"))
	a.CRLF = bytes.HasSuffix(line, []byte("\r"))
	words := strings.Fields(string(line))
	for len(words) > 0 && (launchers[path.Base(words[0])] || strings.HasPrefix(words[0], "-") || strings.Contains(words[0], "=")) {
		words = words[1:]
	}
	if len(words) > 0 {
		a.Interpreter = path.Base(words[0])
	}
}

// launchers stand before the interpreter on a #! line.
var launchers = map[string]bool{"env": true, "npx": true, "pnpx": true, "bunx": true}

// interpreters by name, without version digits.
var interpreters = map[string]string{"sh": langShell, "bash": langShell, "dash": langShell, "ash": langShell, "zsh": langShell, "ksh": langShell,
	"mksh": langShell, "bats": langShell, "node": langJS, "nodejs": langJS, "bun": langTS, "deno": langTS, "tsx": langTS, "ts-node": langTS,
	"zx": langJS, "python": langPython}

func languageOf(p, interpreter string) string {
	if l := interpreters[strings.TrimRight(interpreter, "0123456789.")]; l != "" && interpreter != "" {
		if ext := languages[path.Ext(p)]; ext == langTS && l == langJS {
			return ext
		}
		return l
	}
	switch ext := path.Ext(p); {
	case interpreter == "" && shell.Hook(p):
		return langShell
	case ext == ".jsx":
		return langJS
	case ext == ".tsx":
		return langTS
	default:
		if l := languages[ext]; l != "" && interpreter == "" {
			return l
		}
	}
	return interpreter
}

func (a *analysis) javaScript(p string, b []byte, sound bool) {
	name := p
	if path.Ext(p) == "" {
		name += ".js"
		if a.Language == langTS {
			name = p + ".ts"
		}
	}
	m := js.OutlineOf(name, b, sound)
	a.Unknown = m.Unjudged
	a.Assessed = m.Unjudged == ""
	for _, q := range m.Problems {
		a.Problems = append(a.Problems, problem{q.Line, q.Column, weightSure, q.Message})
	}
	a.Marks = m.Marks
	for _, n := range m.Needs[:min(len(m.Needs), maxNeeds)] {
		a.Marks = append(a.Marks, trait.Mark{Kind: trait.Needs, Line: n.Line, Column: n.Column, Name: n.Name})
	}
	if a.Language == langJS {
		a.Module = formOf(m)
	}
	a.children(p, b, m.Starts)
	for _, i := range m.Imports {
		if strings.HasPrefix(i.Path, "./") || strings.HasPrefix(i.Path, "../") {
			spec, _, _ := strings.Cut(i.Path, "?")
			to := path.Join(path.Dir(p), spec)
			if strings.HasSuffix(spec, "/") || strings.HasSuffix(spec, "..") || spec == "./." {
				to += "/" // a folder: never a file of that name
			}
			a.Imports = append(a.Imports, localImport{Path: to, Line: i.Line, Column: i.Column, Optional: i.Optional || i.Kind == "dynamic", Lazy: i.Lazy})
		}
	}
}

// children notes what a script of JavaScript starts. What the script names a
// second time it may make, fetch or look for itself, and provides for.
func (a *analysis) children(p string, b []byte, starts []js.Start) {
	o := refs.Origin{Dir: anywhere, Self: path.Join(atRoot, path.Dir(p)), Where: snapshot.Child}
	uses := map[string]int{}
	for _, s := range starts {
		uses[s.Text]++
	}
	for _, s := range starts {
		o.Guarded = s.Guarded
		for _, r := range refs.Command(s.Text, o) {
			if r.Kind != snapshot.RefBin && len(a.Refs) < maxNeeds {
				name := r.Name
				if r.Kind == snapshot.RefFile {
					name = path.Base(r.Path)
				}
				r.Guarded = r.Guarded || mentions(b, name) > uses[s.Text]*mentions([]byte(s.Text), name)
				r.Line, r.Column = s.Line, s.Column
				a.Refs = append(a.Refs, r)
			}
		}
	}
}

// mentions counts how often a text has a name as a word.
func mentions(text []byte, name string) (n int) {
	for name != "" {
		i := bytes.Index(text, []byte(name))
		if i < 0 {
			break
		}
		end := i + len(name)
		if (i == 0 || !wordByte(text[i-1])) && (end == len(text) || !wordByte(text[end])) {
			n++
		}
		text = text[end:]
	}
	return n
}

func wordByte(c byte) bool {
	return c == '_' || c == '-' || c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z'
}

func (a *analysis) shellScript(p string, b []byte) {
	dialect, ok := shell.DialectOf(p, b)
	if !ok {
		return
	}
	text := shell.Read(b, dialect)
	if errors.Is(text.Err, shell.ErrBound) {
		a.Unknown = text.Err.Error()
		return
	}
	a.Assessed = true
	for _, q := range text.Problems() {
		a.Problems = append(a.Problems, problem{q.Line, q.Column, weightOf(q.Sure), q.Message})
	}
	if a.CRLF {
		a.Problems = append([]problem{{1, 1, weightSure, "the #! line ends in a carriage return (CRLF): no system finds that interpreter"}}, a.Problems...)
	}
	if len(a.Problems) > 0 {
		return
	}
	a.Marks = trait.Marks(b, text)
	for _, r := range refs.Parsed(text, refs.Origin{Dir: anywhere, Self: path.Join(atRoot, path.Dir(p)), Line: 1, Column: 1}) {
		if r.Kind != snapshot.RefBin {
			a.Refs = append(a.Refs, r)
		}
	}
}

// maxNeeds bounds the environment variables that one script cannot do without, and
// what a script of JavaScript starts.
const maxNeeds = 50

func (a *analysis) pythonModules(p string, b []byte) {
	for _, n := range python.Needs(b) {
		a.Marks = append(a.Marks, trait.Mark{Kind: trait.Needs, Line: n.Line, Column: n.Column, Name: n.Name})
	}
	for _, i := range python.Imports(b) {
		if !strings.HasPrefix(i.Module, ".") {
			a.Imports = append(a.Imports, localImport{Path: path.Join(path.Dir(p), strings.ReplaceAll(i.Module, ".", "/")), Line: i.Line, Column: 1, Module: true})
		}
	}
}

// unfinished returns the problem of a text with a merge conflict in it, nil for
// one without.
func unfinished(b []byte) []problem {
	if line := conflict(b); line > 0 {
		return []problem{{line, 1, weightConflict, "merge conflict markers"}}
	}
	return nil
}

// conflict returns the line of the first merge conflict: its three markers at
// the beginnings of lines, in order. 0 when there is none.
func conflict(b []byte) int {
	if !bytes.Contains(b, []byte("<<<<<<<")) {
		return 0
	}
	stages := []string{"<<<<<<< ", "=======", ">>>>>>> "}
	stage, start, number := 0, 0, 0
	for line := range bytes.Lines(b) {
		number++
		text := strings.TrimRight(string(line[:min(len(line), 100)]), "\r\n")
		switch i := slices.IndexFunc(stages, func(m string) bool {
			return strings.HasPrefix(text, m) && (m != "=======" || text == m)
		}); {
		case i == 0:
			stage, start = 1, number
		case i == stage && i > 0:
			stage++
			if stage == len(stages) {
				return start
			}
		}
	}
	return 0
}
