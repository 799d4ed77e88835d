package netlify

import (
	"path"
	"slices"
	"strings"

	"healthaudit/snapshot/analyze/js"
)

// Kinds of deeds.
const (
	DeedWrite   = "write"   // a file outside of the temporary folder
	DeedRead    = "read"    // a file of the project
	DeedRun     = "run"     // a script of the project, as another program
	DeedGit     = "git"     // git, with a verb that changes something or needs a working copy
	DeedCompose = "compose" // require() of a template literal with parts in it
	DeedMasked  = "masked"  // an answer with status 200 that tells of a failure
)

// A Deed is something that the code does and that may not work, or not be seen,
// where Netlify runs it.
type Deed struct {
	Kind string `json:"kind"`
	// What is the path as it stands, relative to From; of git the verb. Nothing
	// else of a command is kept: there may be a secret in it.
	What string `json:"what,omitempty"`
	From string `json:"from,omitempty"` // "cwd", "dir" (the folder of the file) or "abs"
	At   Place  `json:"at"`
}

// verbs of git that need what a function does not have: a repository.
var verbs = []string{"push", "commit", "add", "pull", "checkout", "clone", "fetch", "merge", "rebase", "reset", "tag", "stash"}

// deeds reads what the code of a file does to the world around it.
func deeds(m *js.Module) (out []Deed) {
	for _, c := range m.Calls {
		module, name := origin(m, c.Callee)
		at := Place{c.Line, c.Column}
		switch {
		case len(c.Args) == 0:
		case strings.HasPrefix(module, "fs") && (strings.HasPrefix(name, "read") || name == "createReadStream"):
			if from, p := location(m, c.Args[0], 0); from != "" && from != tmp {
				out = append(out, Deed{DeedRead, p, from, at})
			}
		case strings.HasPrefix(module, "fs"):
			if from, p := location(m, c.Args[0], 0); from != "" && from != tmp {
				out = append(out, Deed{DeedWrite, p, from, at})
			}
		case module == "child_process":
			out = append(out, runs(m, name, c, at)...)
		}
	}
	if p := m.Composed; p != nil {
		out = append(out, Deed{Kind: DeedCompose, At: Place{p[0], p[1]}})
	}
	for _, p := range m.Masked {
		out = append(out, Deed{Kind: DeedMasked, At: Place{p[0], p[1]}})
	}
	return out
}

// origin returns the module of Node's that a callee is of, and its name there.
func origin(m *js.Module, callee string) (module, name string) {
	first, rest, dotted := strings.Cut(callee, ".")
	b, ok := m.Binding(first)
	if !ok {
		return "", ""
	}
	module = strings.TrimPrefix(b.From, "node:")
	if module != "fs" && module != "fs/promises" && module != "fs-extra" && module != "child_process" {
		return "", ""
	}
	if dotted {
		return module, strings.TrimPrefix(rest, "promises.")
	}
	return module, b.Name
}

// runs reads the start of another program.
func runs(m *js.Module, name string, c js.CallSite, at Place) []Deed {
	var words []string
	first := follow(m, c.Args[0])
	switch {
	case name == "fork":
		if from, p := location(m, first, 0); from != "" {
			return []Deed{{DeedRun, p, from, at}}
		}
		return nil
	case first.Kind != js.String && first.Kind != js.Template:
		return nil
	case name == "exec" || name == "execSync":
		words = strings.Fields(first.Text)
	default:
		words = []string{first.Text}
		if len(c.Args) > 1 {
			for i, a := range follow(m, c.Args[1]).List {
				if from, p := location(m, a, 0); i == 0 && from != "" && script(p) && program(first.Text) {
					return []Deed{{DeedRun, p, from, at}}
				}
				words = append(words, a.Text)
			}
		}
	}
	if len(words) == 0 {
		return nil
	}
	if words[0] == "git" {
		for _, w := range words[1:] {
			if slices.Contains(verbs, w) {
				return []Deed{{DeedGit, w, "", at}}
			}
		}
		return nil
	}
	if len(words) > 1 && program(words[0]) && script(words[1]) {
		return []Deed{{DeedRun, clip(words[1]), "cwd", at}}
	}
	if script(words[0]) && strings.HasPrefix(words[0], ".") {
		return []Deed{{DeedRun, clip(words[0]), "cwd", at}}
	}
	return nil
}

func program(s string) bool {
	return slices.Contains([]string{"node", "python", "python3", "bash", "sh", "npx", "tsx", "process.execPath"}, s)
}

func script(s string) bool {
	switch path.Ext(s) {
	case ".js", ".cjs", ".mjs", ".ts", ".sh", ".py":
		return !strings.ContainsAny(s, "$`*\"'|;&<>")
	}
	return false
}

// tmp is the only folder in which a function may write.
const tmp = "tmp"

// follow resolves a name to what its only const holds.
func follow(m *js.Module, v js.Value) js.Value {
	for range 4 {
		if v.Kind != js.Identifier {
			break
		}
		next, ok := m.Local(v.Text)
		if !ok {
			break
		}
		v = next
	}
	return v
}

// location reads a path: what it is relative to, and the rest as far as it is
// literal. "" when nothing is known.
func location(m *js.Module, v js.Value, depth int) (from, rest string) {
	if depth > 4 {
		return "", ""
	}
	v = follow(m, v)
	switch {
	case v.Kind == js.String:
		return rooted(v.Text)
	case v.Kind == js.Template && v.Text != "":
		return rooted(v.Text)
	case v.Kind == js.Identifier && v.Text == "__dirname":
		return "dir", ""
	case v.Kind == js.Call && v.Text == "process.cwd":
		return "cwd", ""
	case v.Kind == js.Call && (v.Text == "os.tmpdir" || v.Text == "tmpdir"):
		return tmp, ""
	case v.Kind == js.Call && (strings.HasSuffix(v.Text, ".join") || strings.HasSuffix(v.Text, ".resolve") || v.Text == "join" || v.Text == "resolve") && len(v.List) > 0:
		return joined(m, v.List, depth)
	}
	return "", ""
}

func joined(m *js.Module, parts []js.Value, depth int) (from, rest string) {
	from, rest = location(m, parts[0], depth+1)
	if from == "" || from == tmp {
		return from, rest
	}
	for _, p := range parts[1:] {
		p = follow(m, p)
		if p.Kind != js.String {
			return from, path.Join(rest, "*") // the rest is known at run time only
		}
		if strings.HasPrefix(p.Text, "/tmp") {
			return tmp, ""
		}
		rest = path.Join(rest, p.Text)
	}
	return from, clip(rest)
}

func rooted(s string) (from, rest string) {
	switch {
	case s == "/tmp" || strings.HasPrefix(s, "/tmp/"), strings.HasPrefix(s, "/dev/"):
		return tmp, ""
	case strings.HasPrefix(s, "/"):
		return "abs", clip(s)
	case strings.Contains(s, "://"):
		return "", ""
	}
	return "cwd", clip(s)
}

// isBuiltin reports whether a module is part of Node.
// Source: require('module').builtinModules of Node 24.
func isBuiltin(spec string) bool {
	if strings.HasPrefix(spec, "node:") {
		return true
	}
	name, _, _ := strings.Cut(spec, "/")
	_, ok := builtins[name]
	return ok
}

var builtins = func() map[string]struct{} {
	out := map[string]struct{}{}
	for name := range strings.FieldsSeq("assert async_hooks buffer child_process cluster console constants crypto dgram diagnostics_channel dns domain " +
		"events fs http http2 https inspector module net os path perf_hooks process punycode querystring readline repl stream string_decoder sys " +
		"timers tls trace_events tty url util v8 vm wasi worker_threads zlib") {
		out[name] = struct{}{}
	}
	return out
}()

// Package returns the npm package that a specifier asks for: "a" of "a/b", "@s/a"
// of "@s/a/b"; false for files, modules of Node, URLs, and what a project maps
// itself: #x, ~/x, @/x.
func Package(spec string) (string, bool) {
	if spec == "" || strings.ContainsAny(spec[:1], "./#~$\\") || strings.HasPrefix(spec, "@/") || strings.Contains(spec, ":") || strings.ContainsAny(spec, "?! ") || isBuiltin(spec) {
		return "", false
	}
	parts := strings.SplitN(spec, "/", 3)
	if spec[0] == '@' {
		if len(parts) < 2 || len(parts[0]) < 2 {
			return "", false
		}
		return parts[0] + "/" + parts[1], true
	}
	return parts[0], true
}
