package ecosystem

import (
	"fmt"
	"path"
	"sort"
	"strings"

	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/lazyregexp"
	"healthaudit/snapshot/analyze/refs"
	"healthaudit/snapshot/analyze/trait"
)

// maxApps bounds the apps of one file.
const maxApps = 500

// normalise turns the raw apps of a file into Apps, hashes what may be secret,
// and notes what PM2's own validation refuses.
func (f *File) normalise(in Input, raw []any) {
	if len(raw) > maxApps {
		f.fail(Invalid, 0, fmt.Sprintf("declares more than %d apps", maxApps))
		return
	}
	nth := map[string]int{}
	for i, r := range raw {
		m, ok := r.(map[string]any)
		if !ok {
			f.Problems = append(f.Problems, Problem{Key: "apps", Message: "an entry of the list of apps is no object"})
			continue
		}
		b := builder{in: in, raw: m, file: f}
		if i < len(f.varies) {
			b.app.Varies = schemaKeys(f.varies[i])
		}
		b.build(nth)
	}
}

// A builder makes one App.
type builder struct {
	in   Input
	raw  map[string]any
	file *File
	app  App
}

func (b *builder) build(nth map[string]int) {
	script, late := b.scriptText()
	a := &b.app
	a.Name, a.Namespace = b.text("name"), b.text("namespace")
	if late && a.Name == "" {
		b.problem("name", "has exec and no name: PM2 names an app by its script, cmd or command only, and starts none without a name")
		return
	}
	if script == "" && a.Name == "" { // PM2 would call it "undefined": no app that anybody knows
		b.problem("script", noScript)
		return
	}
	if a.Name == "" {
		a.Name = ShownName(defaultName(unrootAll(script)), unrootAll(script))
	}
	if a.Namespace == "" {
		a.Namespace = "default"
	}
	a.Cwd, a.CwdRooted = unroot(b.text("cwd"))
	id := a.Namespace + "\x00" + a.Name
	a.Line = line(b.in.Src, "name", a.Name, nth[id])
	if a.Line == 0 {
		a.Line = line(b.in.Src, "script|exec|cmd|command", script, nth[id])
	}
	nth[id]++
	if script == "" {
		b.problem("script", noScript)
	}
	b.script(script, !late && strings.Contains(script, " "))
	b.settings()
	b.env()
	sort.Slice(a.Secrets, func(i, j int) bool { return a.Secrets[i].Name < a.Secrets[j].Name })
	sort.Slice(a.Settings, func(i, j int) bool { return a.Settings[i].Key < a.Settings[j].Key })
	b.file.Apps = append(b.file.Apps, *a)
}

func (b *builder) problem(key, message string) {
	b.file.Problems = append(b.file.Problems, Problem{App: b.app.Name, Key: key, Line: b.app.Line, Message: message})
}

// scriptText returns what an app is to start. An exec is late: PM2 takes it for
// the script only after it made names and command lines of scripts
// (lib/Common.js verifyConfs).
func (b *builder) scriptText() (script string, late bool) {
	for _, key := range []string{"script", "cmd", "command"} {
		if s, ok := b.raw[key].(string); ok && s != "" {
			return s, false
		}
	}
	s := b.text("script")
	return s, s != ""
}

// value returns what PM2 takes for a key: the first of its spellings that
// JavaScript takes for true, else what stands under the last one. So a
// max_restarts of 0 is none, and a maxRestarts of 0 is 0.
func (b *builder) value(r rule) any {
	names := r.names()
	for _, n := range names {
		if v := truthy(b.raw[n]); v != nil {
			return v
		}
	}
	return b.raw[names[len(names)-1]]
}

func (b *builder) text(key string) string {
	for _, r := range schema {
		if r.key == key {
			s, _ := b.value(r).(string)
			return s
		}
	}
	return ""
}

// noScript is what is wrong with an entry that starts nothing.
const noScript = "has no script: PM2 aborts with \"No script path\""

// unroot makes a path below the project relative to its root; rooted tells that
// it was absolute.
func unroot(p string) (rel string, rooted bool) {
	switch {
	case p == virtualRoot:
		return ".", true
	case strings.HasPrefix(p, virtualRoot+"/"):
		return path.Clean(strings.TrimPrefix(p, virtualRoot+"/")), true
	}
	return p, false
}

// unrootAll does so for every mention of the root within a text.
func unrootAll(s string) string { return Placeless(s, virtualRoot) }

// Placeless writes a text that names the project's root, an absolute path, as
// what it declares is written here: relative to it. Of what runs and what is
// declared only such texts can be compared.
func Placeless(s, root string) string {
	if root == "" || !strings.Contains(s, root) {
		return s
	}
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(s, root)
		b.WriteString(before)
		switch {
		case !found:
			return b.String()
		case strings.HasPrefix(rest, "/"):
			rest = rest[1:]
		case rest == "" || !pathLetter().MatchString(rest[:1]):
			b.WriteByte('.')
		default: // another folder, whose name begins like that of the root
			b.WriteString(root)
		}
		s = rest
	}
}

var pathLetter = lazyregexp.New(`[\w.@+-]|[^\x00-\x7f]`)

func (b *builder) hash(name, clear string) {
	b.app.Secrets = append(b.app.Secrets, Hashed{name, b.in.Hash(clear)})
}

func (b *builder) set(key string, v snapshot.Value) {
	b.app.Settings = append(b.app.Settings, Setting{key, v})
}

// script notes what the app starts, with its arguments.
func (b *builder) script(script string, command bool) {
	a := &b.app
	whole, absolute := unrootAll(script), b.mentionsRoot(script)
	if script, a.Rooted = unroot(script); !a.Rooted {
		script = whole
	}
	args, nodeArgs := b.args("args"), b.args("node_args")
	a.Script = MaskText(script)
	if command { // PM2 runs it with bash -c
		script, a.Rooted = whole, false
		a.Command, a.Script = true, program(script)
		b.hash("script", script)
	}
	for key, list := range map[string][]string{"args": args, "node_args": nodeArgs} {
		if len(list) > 0 {
			b.set(key, snapshot.List(MaskArgs(list)...))
			b.hash(key, strings.Join(list, "\x00"))
		}
	}
	if a.Marks = trait.Argv(append([]string{script}, args...)); a.Command {
		a.Marks = trait.Command(script)
	}
	for i := range a.Marks {
		a.Marks[i].Line = max(a.Line, 1)
	}
	o := refs.Origin{Dir: workDir(a.Cwd), File: b.in.Path, Line: a.Line, Where: a.Name}
	if absolute { // what it names is named from the root, wherever it runs
		o.Dir = "."
	}
	switch {
	case a.Rooted && isFile(script):
		a.Refs = []snapshot.Ref{{Kind: snapshot.RefFile, Path: script, File: b.in.Path, Line: a.Line, Where: a.Name}}
	case script == "" || path.IsAbs(a.Cwd):
	case a.Command:
		a.Refs = refs.Command(script, o)
	case isFile(script):
		o.Dir = "."
		if p := path.Join(workDir(a.Cwd), script); !strings.HasPrefix(p, "../") {
			a.Refs = []snapshot.Ref{{Kind: snapshot.RefFile, Path: p, File: b.in.Path, Line: a.Line, Where: a.Name}}
		}
	default:
		a.Refs = refs.Argv(append([]string{script}, args...), o)
	}
}

// mentionsRoot reports whether the script or an argument of the app is an
// absolute path of the project. A package manager takes its folder from where
// it runs all the same.
func (b *builder) mentionsRoot(script string) bool {
	if managers().MatchString(script) {
		return false
	}
	text := script
	for _, r := range schema {
		if r.key == "args" {
			text += " " + scalar(b.value(r))
		}
	}
	return strings.Contains(text, virtualRoot)
}

var managers = lazyregexp.New(`(^|[/\s;&|])(npm|npx|pnpm|pnpx|yarn|bun|bunx)(\s|$)`)

func workDir(cwd string) string {
	if cwd == "" {
		return "."
	}
	return path.Clean(cwd)
}

// isFile reports whether PM2 can only mean a project file by a script: bare
// words are looked up on PATH.
func isFile(script string) bool {
	return !path.IsAbs(script) && (strings.Contains(script, "/") || path.Ext(script) != "")
}

var word = lazyregexp.New(`[^\s"'=]+="[^"]*"|[^\s"'=]+='[^']*'|"[^"]*"|'[^']*'|\S+`)

// words splits a text as PM2 splits it into a list (lib/tools/Config.js _valid).
func words(s string) (out []string) {
	for _, w := range word().FindAllString(s, -1) {
		if n := len(w); n >= 2 && (w[0] == '"' || w[0] == '\'') && w[n-1] == w[0] {
			w = w[1 : n-1]
		}
		if strings.TrimSpace(w) != "" {
			out = append(out, w)
		}
	}
	return out
}

// args returns a list of arguments; a text is split as PM2 splits it.
func (b *builder) args(key string) []string {
	var v any
	for _, r := range schema {
		if r.key == key {
			v = b.value(r)
		}
	}
	var out []string
	switch v := v.(type) {
	case string:
		for _, w := range words(v) {
			out = append(out, unrootAll(w))
		}
	case []any:
		for _, e := range v {
			out = append(out, unrootAll(scalar(e)))
		}
	}
	return out
}
