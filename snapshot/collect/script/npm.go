package script

import (
	"context"
	"path"

	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/pkgjson"
	"healthaudit/snapshot/analyze/refs"
	"healthaudit/snapshot/analyze/shell"
	"healthaudit/snapshot/analyze/trait"
	"healthaudit/snapshot/collect"
)

const npmVersion = 10

// A packageModel is what is cached of one package.json: no command in clear.
type packageModel struct {
	Type       string            `json:"t,omitempty"`
	Engines    map[string]string `json:"e,omitempty"`
	Workspaces []string          `json:"w,omitempty"`
	Scripts    []scriptModel     `json:"s,omitempty"`
	Problems   []problem         `json:"p,omitempty"`
	Broken     bool              `json:"b,omitempty"`
	Done       bool              `json:"d"` // false: the bytes could not be read when it was cached
}

type scriptModel struct {
	Name   string         `json:"n"`
	Hash   string         `json:"h"` // keyed hash of the command
	Line   int            `json:"l"`
	Column int            `json:"c"`
	Refs   []snapshot.Ref `json:"r,omitempty"`
	Marks  []trait.Mark   `json:"k,omitempty"` // what the command is like
}

func npmItems(ctx context.Context, s *collect.Session, res *collect.Result) {
	res.Sources = append(res.Sources, snapshot.Source{Name: sourceNPM, OK: true})
	for _, p := range packages(s) {
		if ctx.Err() != nil {
			return
		}
		packageItems(s, p, res)
	}
}

// packageItems adds the item of one package.json and those of its scripts. A
// file that cannot be read to its end makes its scripts unknown, not gone.
func packageItems(s *collect.Session, p string, res *collect.Result) {
	source := sourceNPM + ":" + p
	it := &snapshot.Item{Key: snapshot.NewKey(snapshot.Scripts, "file:"+snapshot.Escape(p)), Name: p, Kind: "file", Path: p, Source: sourceNPM}
	res.Items = append(res.Items, it)
	f, err := s.Files.File(p, snapshot.Own)
	it.Files = []snapshot.File{f}
	fail := func(why string) {
		it.Unknown = why
		res.Sources = append(res.Sources, snapshot.Source{Name: source, Message: p + ": " + why, Hint: "make the file readable for the user that runs audit"})
	}
	if err != nil {
		fail(unreadable(err))
		return
	}
	if f.Link != "" {
		if known(s, it.Key, source) {
			fail(linked)
			return
		}
		it.Add(snapshot.Semantic, "link", snapshot.Text(f.Link))
		it.Unknown = astray(s, f)
		return
	}
	m := snapshot.Derive(s.Derived, "script.npm", npmVersion, []string{f.SHA256, p, s.Secret("")}, func() packageModel { return parsePackage(s, f) })
	if !m.Done {
		if m = parsePackage(s, f); !m.Done {
			fail(changed)
			return
		}
	}
	m.describe(it)
	if m.Broken {
		res.Sources = append(res.Sources, snapshot.Source{Name: source, Message: p + ": not valid JSON, its scripts are not known", Hint: "repair the file"})
		return
	}
	res.Items = append(res.Items, m.items(f, source)...)
}

func (m packageModel) describe(it *snapshot.Item) {
	it.Add(snapshot.Set, "scripts", snapshot.SetOf(m.names()...))
	if m.Type != "" {
		it.Add(snapshot.Semantic, "type", snapshot.Text(m.Type))
	}
	for engine, version := range m.Engines {
		it.Add(snapshot.Semantic, "engines."+engine, snapshot.Text(version))
	}
	if len(m.Workspaces) > 0 {
		it.Add(snapshot.Set, "workspaces", snapshot.SetOf(m.Workspaces...))
	}
	addSyntax(it, m.Problems)
}

func (m packageModel) items(f snapshot.File, source string) (out []*snapshot.Item) {
	dir := path.Dir(f.Path)
	f.Role = snapshot.Shared
	for _, sc := range m.Scripts {
		n := &snapshot.Item{
			Key:  snapshot.NewKey(snapshot.Scripts, snapshot.EscapeDir(dir)+"npm:"+snapshot.Escape(sc.Name)),
			Name: "npm run " + sc.Name, Kind: "npm", Path: f.Path, Line: sc.Line, Source: source, Files: []snapshot.File{f},
		}
		if dir != "." {
			n.Name += " in " + dir
		}
		n.Add(snapshot.Secret, "command", snapshot.Text(sc.Hash))
		trait.Keep(n, sc.Marks)
		addRefs(n, sc.Refs)
		out = append(out, n)
	}
	return out
}

func (m packageModel) names() (out []string) {
	for _, s := range m.Scripts {
		out = append(out, s.Name)
	}
	return out
}

func parsePackage(s *collect.Session, f snapshot.File) (m packageModel) {
	b, err := s.Files.Bytes(f)
	if err != nil {
		return packageModel{}
	}
	pkg := pkgjson.Parse(b)
	m = packageModel{Done: true, Type: pkg.Type, Engines: pkg.Engines, Workspaces: pkg.Workspaces, Broken: pkg.Broken() != nil}
	for _, q := range pkg.Problems {
		weight := ""
		switch q.Kind {
		case pkgjson.Syntax, pkgjson.Shape:
			weight = weightSure
		case pkgjson.Duplicate:
			weight = weightLost
		default:
			continue // a byte order mark does no harm here: npm and node drop it
		}
		m.Problems = append(m.Problems, problem{q.Line, q.Column, weight, q.Message})
	}
	m.Problems = append(unfinished(b), m.Problems...)
	for _, sc := range pkg.Scripts {
		m.Scripts = append(m.Scripts, parseScript(s, &pkg, sc, refs.Origin{Dir: path.Dir(f.Path), Line: sc.Line, Column: sc.Column, Where: sc.Name}))
	}
	return m
}

func parseScript(s *collect.Session, pkg *pkgjson.Package, sc pkgjson.Script, o refs.Origin) scriptModel {
	src := []byte(sc.Command)
	text := shell.ReadRun(src)
	found := refs.Parsed(text, o)
	for i := range found { // a command stands on one line; behind an escape its columns are not those of the file
		found[i].Line = sc.Line
		if sc.Escaped {
			found[i].Column = sc.Column
		}
	}
	marks := trait.Marks(src, text)
	if m := trait.InBackground(src, text); m != nil {
		marks = append(marks, *m)
	}
	for _, m := range trait.Calls(text) {
		if pkg.Lacks(m.Name) {
			marks = append(marks, m)
		}
	}
	return scriptModel{sc.Name, s.Secret(sc.Command), sc.Line, sc.Column, found, commandMarks(marks, o, !sc.Escaped)}
}
