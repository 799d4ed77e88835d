// Package pkgjson reads package.json files and keeps the positions of what it
// finds, so that a script can be named with its line.
//
// Invariants: no panic and bounded time on any bytes; positions lie inside the
// text; equal bytes give equal results; what was read before an error stays.
// It runs nothing and looks up nothing, and it judges only the form of the file.
package pkgjson

import (
	"fmt"
	"slices"
	"sort"

	"healthaudit/snapshot/analyze/jsontext"
)

// MaxSize is the largest text, in bytes, that is parsed.
const MaxSize = 1 << 20

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

// What may be wrong with a package.json: npm drops a byte order mark, and of a
// name that stands twice it takes the last.
const (
	Syntax    = jsontext.Syntax // npm and node refuse the file
	Shape     = jsontext.Shape
	Duplicate = jsontext.Duplicate
	BOM       = jsontext.BOM
)

// A Problem is one thing wrong with the file.
type Problem = jsontext.Problem

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

type reader struct{ *jsontext.Reader }

// Parse reads a package.json. It never fails: what is wrong stands in Problems.
func Parse(src []byte) Package {
	r := reader{jsontext.NewReader(src)}
	var p Package
	switch {
	case len(src) > MaxSize:
		r.Problem(Syntax, "", 0, fmt.Sprintf("larger than %d bytes: not read", MaxSize))
	case r.Empty():
		r.Problem(Syntax, "", 0, "the file is empty")
	default:
		r.document(&p)
	}
	sort.Strings(p.Deps)
	p.Deps = slices.Compact(p.Deps)
	p.Problems = r.Problems()
	return p
}

func (r reader) document(p *Package) {
	r.Object("", func(key string) {
		switch key {
		case "name":
			p.Name, _ = r.Text(key)
		case "type":
			p.Type, _ = r.Text(key)
		case "main":
			p.Main, _ = r.Text(key)
		case "scripts":
			p.Scripts = nil
			r.Object(key, func(name string) { r.script(p, name) })
		case "workspaces":
			p.Workspaces = r.workspaces()
		case "dependencies", "devDependencies", "optionalDependencies", "peerDependencies":
			r.Object(key, func(name string) {
				p.Deps = append(p.Deps, name)
				r.Skip()
			})
		case "engines":
			p.Engines = r.texts(key)
		case "bin":
			p.Bin = r.bin()
		default:
			r.Skip()
		}
	})
	if cmd, ok := p.Bin[""]; ok { // "bin": "cli.js" is named after the package, which may stand below it
		delete(p.Bin, "")
		if p.Name != "" {
			p.Bin[p.Name] = cmd
		}
	}
	r.End()
}

func (r reader) script(p *Package, name string) {
	start := r.Next()
	cmd, ok := r.Text("scripts." + name)
	if !ok {
		return
	}
	line, col := r.Position(start + 1)
	s := Script{Name: name, Command: cmd, Line: line, Column: col, Escaped: string(r.Since(start)) != `"`+cmd+`"`}
	for i := range p.Scripts {
		if p.Scripts[i].Name == name {
			p.Scripts[i] = s
			return
		}
	}
	p.Scripts = append(p.Scripts, s)
}

// workspaces reads the list, or the object with a list "packages" of Yarn.
func (r reader) workspaces() (out []string) {
	switch r.Peek() {
	case '[':
		out = r.List("workspaces")
	case '{':
		r.Object("workspaces", func(key string) {
			if key == "packages" && r.Peek() == '[' {
				out = r.List("workspaces.packages")
				return
			}
			r.Skip()
		})
	default:
		r.Skip()
	}
	return out
}

func (r reader) bin() map[string]string {
	if r.Peek() == '{' {
		return r.texts("bin")
	}
	if s, ok := r.Text("bin"); ok {
		return map[string]string{"": s}
	}
	return nil
}

// texts reads the texts of an object and passes over the rest: package managers
// keep objects of their own in engines (engines.runtime of pnpm).
func (r reader) texts(path string) map[string]string {
	out := map[string]string{}
	r.Object(path, func(key string) {
		if r.Peek() != '"' {
			r.Skip()
		} else if s, ok := r.Text(path + "." + key); ok {
			out[key] = s
		}
	})
	if len(out) == 0 {
		return nil
	}
	return out
}
