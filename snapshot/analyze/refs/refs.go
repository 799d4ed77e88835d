// Package refs answers "which script, npm script, file or function does this
// line start?", and whether that target is there.
//
// Invariants: precision before recall (what is not certain is not a Ref); a
// Ref never holds the text of a command or its arguments; nothing is executed
// or expanded; time and memory are bounded; equal input gives equal output.
// It does not judge: Resolve says what is there, checks say what that means.
//
// Two refs say more than their fields do elsewhere: an npm ref with a Path is a
// script of the workspace of that name, and a bin ref with a Dir is a word that
// yarn, pnpm or bun reads as a script first and as a program second.
//
// Left out on purpose: words with expansions, globs or ~, absolute paths and
// paths out of the root, commands in a folder that is only known at run time,
// files that the text itself makes or fetches, shell functions it declares,
// code given to -c or -e of anything but a shell, and commands that run
// elsewhere (ssh, docker, kubectl).
package refs

import (
	"maps"
	"path"
	"slices"
	"strings"
	"sync"

	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/shell"
)

// An Origin says where a command stands and in which folder it runs.
type Origin struct {
	Dir     string // working directory relative to the root, slash-separated; "" and "." are the root
	Self    string // the folder of the script that the text is, relative to the root; "" when it is none
	Action  string // the folder of the action that the text stands in, relative to the root; "" when in none. Self is empty then
	File    string // the file the text stands in, relative to the root
	Line    int    // 1-based line of the text's first line in File; 0 unknown
	Column  int    // 1-based column at which every line of the text begins; 0 unknown
	Where   string // stable place for a discriminator: job and step key, script name
	Guarded bool   // a missing target does no harm, wherever in the text it stands
}

const (
	// maxRefs bounds the refs of one text.
	maxRefs = 2000
	// maxNested bounds commands within arguments of commands.
	maxNested = 4
)

// Command returns what the shell text (an npm script, a run: block, a crontab
// command) starts, in the order of the text and without repetitions. Of text
// that does not parse, what stands before the error counts. GitHub expressions
// are words that cannot be known.
func Command(text string, o Origin) []snapshot.Ref {
	return Parsed(shell.ReadRun([]byte(text)), o)
}

// Parsed is Command for a text that is parsed already.
func Parsed(text shell.Text, o Origin) []snapshot.Ref {
	starts, _, _ := Walk(text, o)
	return starts
}

// Walk is Parsed and Installs at once. fetched are the names of the folders that
// the text fetches from elsewhere, sorted.
func Walk(text shell.Text, o Origin) (starts, installs []snapshot.Ref, fetched []string) {
	w, _ := walkers.Get().(*walker)
	if w == nil {
		w = &walker{}
	}
	*w = walker{o: o, refs: w.refs[:0], words: w.words[:0]}
	w.text(text, o.Line, o.Column, w.start(), 0)
	starts, installs, fetched = w.result(), w.installs, slices.Sorted(maps.Keys(w.fetched))
	clear(w.refs)
	clear(w.words[:cap(w.words)])
	if cap(w.words) <= maxKept && cap(w.refs) <= maxKept {
		walkers.Put(w)
	}
	return starts, installs, fetched
}

// walkers are used again for the room they have: most texts need little of it.
var walkers sync.Pool // of *walker

// maxKept is for how many words, and for how many refs, a walker may have room
// that is used again.
const maxKept = 256

// Argv returns what a program with these arguments starts; argv[0] is the
// program. The words are taken as they are: nothing in them expands.
func Argv(argv []string, o Origin) []snapshot.Ref {
	w := &walker{o: o}
	words := make([]word, len(argv))
	for i, a := range argv {
		words[i] = word{text: a, known: true, line: o.Line, column: o.Column}
	}
	w.call(words, w.start(), 0)
	return w.result()
}

// A walker collects the refs of one text. Its maps are made when something is put
// into them: most texts put nothing.
type walker struct {
	o        Origin
	refs     []snapshot.Ref
	declared map[string]bool   // shell functions of the text
	made     map[string]bool   // base names of files the text makes or fetches
	folders  map[string]string // variables that hold a folder, relative to the script's own; "" one that holds anything
	moves    bool              // the text changes its folder somewhere
	fetches  bool              // the text brings folders about: git clone, tar x
	fetched  map[string]bool   // names of the folders that it clones
	installs []snapshot.Ref    // see Installs
	words    []word            // of the commands under way
}

// put is m[k] = v for a map that may not be made yet.
func put[V any](m *map[string]V, k string, v V) {
	if *m == nil {
		*m = map[string]V{}
	}
	(*m)[k] = v
}

// result returns the refs but those to what the text makes or fetches itself.
func (w *walker) result() []snapshot.Ref {
	var out []snapshot.Ref
	for _, r := range w.refs {
		if (r.Kind != snapshot.RefFile || !w.made[path.Base(r.Path)]) && !Within(r, w.fetched) {
			if out == nil {
				out = make([]snapshot.Ref, 0, len(w.refs))
			}
			out = append(out, r)
		}
	}
	return out
}

// Within reports whether what a ref leads to lies in a folder of one of these names.
func Within(r snapshot.Ref, folders map[string]bool) bool {
	if len(folders) == 0 {
		return false
	}
	dir := path.Dir(r.Path)
	switch r.Kind {
	case snapshot.RefNPM, snapshot.RefBin:
		dir = r.Dir
	case snapshot.RefAction:
		dir = r.Path
	}
	for part := range strings.SplitSeq(dir, "/") {
		if folders[part] {
			return true
		}
	}
	return false
}

// A place is where and how a command runs.
type place struct {
	dir     string // relative to the root
	known   bool   // dir is certain
	guarded bool
	stack   []place // of pushd
}

func (w *walker) start() place {
	dir := path.Clean(strings.TrimSuffix(w.o.Dir, "/"))
	return place{dir: dir, known: !outside(dir), guarded: w.o.Guarded}
}

// outside reports whether a cleaned path leads out of the root.
func outside(p string) bool {
	return p == ".." || strings.HasPrefix(p, "../") || strings.HasPrefix(p, "/")
}

// maxPath is the longest path of Linux, in bytes.
const maxPath = 4096

// in returns the place after a change to the folder of that word.
func (p place) in(to word) place {
	if to.rooted {
		p.dir, p.known = to.text, true
		return p
	}
	if p.known = p.known && to.plain(); p.known {
		p.dir = path.Join(p.dir, to.text)
		p.known = !outside(p.dir) && len(p.dir) <= maxPath
	}
	return p
}

// join returns the path of a word in the place.
func (p place) join(f word) string {
	if f.rooted {
		return f.text
	}
	return path.Join(p.dir, f.text)
}

// text walks shell text that begins at that line and column.
func (w *walker) text(text shell.Text, line, column int, at place, depth int) {
	t := &source{w: w, src: text.Source(), spans: text.Exprs, line: line, column: column, depth: depth}
	t.scan(text.Stmts) // what stands before a syntax error is certain
	t.stmts(text.Stmts, &at)
}

// add notes a ref at a word.
func (w *walker) add(r snapshot.Ref, at word, p place) {
	if len(w.refs) >= maxRefs {
		return
	}
	r.Guarded = r.Guarded || p.guarded
	r.Args = at.args
	r.File, r.Where, r.Line, r.Column = w.o.File, w.o.Where, at.line, at.column
	if !slices.Contains(w.refs, r) {
		w.refs = append(w.refs, r)
	}
}

// file notes a ref to a project file. direct: it is executed, not read by an
// interpreter.
func (w *walker) file(f word, p place, direct bool) {
	if !p.known && !f.rooted || !f.plain() || !direct && !scriptExtension(f.text) {
		return
	}
	to := p.join(f)
	if outside(to) || to == "." || strings.HasSuffix(f.text, "/") || built(to) {
		return
	}
	w.add(snapshot.Ref{Kind: snapshot.RefFile, Path: to, Direct: direct}, f, p)
}

var scriptExtensions = map[string]bool{".js": true, ".mjs": true, ".cjs": true, ".jsx": true, ".ts": true, ".mts": true, ".cts": true,
	".tsx": true, ".py": true, ".sh": true, ".bash": true, ".zsh": true, ".ksh": true, ".rb": true, ".php": true, ".pl": true}

func scriptExtension(p string) bool { return scriptExtensions[path.Ext(p)] }

// buildDirs are folders whose content is made by a build, as a rule; measured
// over 59 repositories, all 11 wrong findings lay in them or had no extension.
var buildDirs = map[string]bool{"dist": true, "build": true, "target": true, "bin": true, "node_modules": true, ".next": true,
	"out": true, "coverage": true}

// built reports whether a file is rather a build's output than a source.
func built(p string) bool {
	dir := path.Dir(p)
	if path.Base(dir) == "_" && strings.HasSuffix(dir, ".husky/_") { // husky makes it when it is installed
		return true
	}
	for part := range strings.SplitSeq(dir, "/") {
		if buildDirs[part] {
			return true
		}
	}
	return false
}
