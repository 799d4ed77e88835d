// Package pkgjson reads package.json files and keeps the positions of what it
// finds, so that a script can be named with its line.
//
// Invariants: no panic and bounded time on any bytes; positions lie inside the
// text; equal bytes give equal results; what was read before an error stays.
// It runs nothing and looks up nothing, and it judges only the form of the file.
package pkgjson

import (
	"bytes"
	"fmt"
	"slices"
	"sort"
)

// MaxSize is the largest text, in bytes, that is parsed.
const MaxSize = 1 << 20

// MaxProblems is how many problems of one file are told.
const MaxProblems = 20

// A Package is what a package.json says. Missing parts are zero.
type Package struct {
	Name       string            `json:"name,omitempty"`
	Type       string            `json:"type,omitempty"` // module or commonjs; empty is commonjs
	Main       string            `json:"main,omitempty"`
	Scripts    []Script          `json:"scripts,omitempty"`    // in the order of the file, one per name: of two definitions the last stands, as in npm
	Workspaces []string          `json:"workspaces,omitempty"` // globs, in order
	Deps       []string          `json:"deps,omitempty"`       // names of all kinds of dependencies, sorted
	Engines    map[string]string `json:"engines,omitempty"`
	Bin        map[string]string `json:"bin,omitempty"` // command → path; a bare string stands under the package's name
	Problems   []Problem         `json:"problems,omitempty"`
}

// A Script is one npm script. Line and Column (1-based, in bytes) are those of
// the first byte of its command.
type Script struct {
	Name    string `json:"name"`
	Command string `json:"-"` // may hold secrets: never cached
	Line    int    `json:"line"`
	Column  int    `json:"column"`
	Escaped bool   `json:"escaped,omitempty"` // the command is written with escapes: offsets in Command are not offsets in the file
}

// A Kind says what is wrong with a package.json.
type Kind string

const (
	Syntax    Kind = "syntax"    // no JSON: npm and node refuse the file
	Shape     Kind = "shape"     // JSON, but not of the form that npm expects there
	Duplicate Kind = "duplicate" // a name stands twice: the earlier definition is silently lost
	BOM       Kind = "bom"       // byte order mark: npm drops it, strict JSON readers refuse it
)

// A Problem is one thing wrong with the file. Line and Column are 1-based,
// Column in bytes. The message holds names, never values.
type Problem struct {
	Kind    Kind   `json:"kind"`
	Name    string `json:"name,omitempty"` // path of the key it is about: "scripts.build"
	Line    int    `json:"line"`
	Column  int    `json:"column"`
	Message string `json:"message"`
}

// Script returns the script of that name.
func (p *Package) Script(name string) (Script, bool) {
	for _, s := range p.Scripts {
		if s.Name == name {
			return s, true
		}
	}
	return Script{}, false
}

// Broken returns the first problem that makes npm refuse the file, or nil.
func (p *Package) Broken() *Problem {
	for i := range p.Problems {
		if p.Problems[i].Kind == Syntax {
			return &p.Problems[i]
		}
	}
	return nil
}

// Parse reads a package.json. It never fails: what is wrong stands in Problems.
func Parse(src []byte) Package {
	r := newReader(src)
	var p Package
	switch {
	case len(src) > MaxSize:
		r.problem(Syntax, "", 0, fmt.Sprintf("larger than %d bytes: not read", MaxSize))
	case len(bytes.TrimSpace(r.src)) == 0:
		r.problem(Syntax, "", 0, "the file is empty")
	default:
		r.document(&p)
	}
	sort.Strings(p.Deps)
	p.Deps = slices.Compact(p.Deps)
	p.Problems = r.problems
	return p
}

func (r *reader) document(p *Package) {
	r.object("", func(key string) {
		switch key {
		case "name":
			p.Name, _ = r.text(key)
		case "type":
			p.Type, _ = r.text(key)
		case "main":
			p.Main, _ = r.text(key)
		case "scripts":
			p.Scripts = nil
			r.object(key, func(name string) { r.script(p, name) })
		case "workspaces":
			p.Workspaces = r.workspaces()
		case "dependencies", "devDependencies", "optionalDependencies", "peerDependencies":
			r.object(key, func(name string) {
				p.Deps = append(p.Deps, name)
				r.skip()
			})
		case "engines":
			p.Engines = r.texts(key)
		case "bin":
			p.Bin = r.bin()
		default:
			r.skip()
		}
	})
	if cmd, ok := p.Bin[""]; ok { // "bin": "cli.js" is named after the package, which may stand below it
		delete(p.Bin, "")
		if p.Name != "" {
			p.Bin[p.Name] = cmd
		}
	}
	r.end()
}

func (r *reader) script(p *Package, name string) {
	start := r.next()
	cmd, ok := r.text("scripts." + name)
	if !ok {
		return
	}
	line, col := r.position(start + 1)
	s := Script{Name: name, Command: cmd, Line: line, Column: col, Escaped: string(r.src[start+1:r.offset()-1]) != cmd}
	for i := range p.Scripts {
		if p.Scripts[i].Name == name {
			p.Scripts[i] = s
			return
		}
	}
	p.Scripts = append(p.Scripts, s)
}

// workspaces reads the list, or the object with a list "packages" of Yarn.
func (r *reader) workspaces() (out []string) {
	switch r.peek() {
	case '[':
		out = r.list("workspaces")
	case '{':
		r.object("workspaces", func(key string) {
			if key == "packages" && r.peek() == '[' {
				out = r.list("workspaces.packages")
				return
			}
			r.skip()
		})
	default:
		r.skip()
	}
	return out
}

func (r *reader) bin() map[string]string {
	if r.peek() == '{' {
		return r.texts("bin")
	}
	if s, ok := r.text("bin"); ok {
		return map[string]string{"": s}
	}
	return nil
}

// texts reads the texts of an object and passes over the rest: package managers
// keep objects of their own in engines (engines.runtime of pnpm).
func (r *reader) texts(path string) map[string]string {
	out := map[string]string{}
	r.object(path, func(key string) {
		if r.peek() != '"' {
			r.skip()
		} else if s, ok := r.text(path + "." + key); ok {
			out[key] = s
		}
	})
	if len(out) == 0 {
		return nil
	}
	return out
}
