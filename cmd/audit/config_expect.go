package main

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"healthaudit/audit"
	"healthaudit/snapshot"
)

// maxExpect bounds the list of what is expected.
const maxExpect = 1000

// checkExpect makes what is expected of the list of keys.
func (s *settings) checkExpect(path string) error {
	list := s.file.Expect
	if len(list) == 0 {
		return nil
	}
	if len(list) > maxExpect {
		return &usageError{fmt.Sprintf("%s: more than %d keys in expect", path, maxExpect), ""}
	}
	tree, err := parser.ParseBytes(s.source, 0)
	if err != nil {
		return &usageError{path + ": " + err.Error(), ""}
	}
	seen := map[snapshot.Key]bool{}
	for i, text := range list {
		line, column, shown := s.expectAt(tree, i)
		bad := func(what string) error {
			return &usageError{fmt.Sprintf("%s: [%d:%d] expect[%d] is %q: %s", path, line, column, i, text, what), shown}
		}
		key := snapshot.Key(text)
		sys, name, ok := key.Split()
		switch {
		case !ok || name == "" || key.IsPseudo() || snapshot.NewKey(sys, name) != key:
			return bad("want the key of an item such as pm2/api or workflows/ci.yml; audit report --items lists them")
		case seen[key]:
			return bad("it is there twice")
		}
		if _, err := snapshot.ParseSystem(string(sys)); err != nil {
			what := err.Error()
			if near := nearestName(string(sys), systemNames()); near != "" {
				what += ", did you mean " + near + "/" + name + "?"
			}
			return bad(what)
		}
		seen[key] = true
		s.pipeline.Expect = append(s.pipeline.Expect, audit.Expected{Item: key, At: audit.Location{Path: s.shownPath(path), Line: line, Column: column}})
	}
	return nil
}

func systemNames() (names []string) {
	for _, sys := range snapshot.Systems {
		names = append(names, string(sys))
	}
	return names
}

// expectAt returns where an element of the list stands, and the lines around it.
func (s *settings) expectAt(tree *ast.File, i int) (line, column int, shown string) {
	p, err := yaml.PathString(fmt.Sprintf("$.expect[%d]", i))
	if err != nil {
		return 1, 1, ""
	}
	n, err := p.FilterFile(tree)
	if err != nil || n == nil {
		return 1, 1, ""
	}
	if b, err := p.AnnotateSource(s.source, false); err == nil {
		shown = strings.TrimRight(string(b), "\n")
	}
	pos := n.GetToken().Position
	return pos.Line, pos.Column, shown
}

// shownPath is the path of the configuration below the root where it is in there.
func (s *settings) shownPath(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		if rel, err := filepath.Rel(s.root, abs); err == nil && filepath.IsLocal(rel) {
			return filepath.ToSlash(rel)
		}
	}
	return path
}
