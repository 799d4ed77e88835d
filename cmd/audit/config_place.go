package main

import (
	"fmt"
	"strings"

	"github.com/goccy/go-yaml/parser"

	"healthaudit/snapshot/analyze/lazyregexp"
)

// keyPath is the key that a complaint begins with.
var keyPath = lazyregexp.New(`^[a-z_0-9]+(?:\.[a-z_0-9]+)*`)

// complain returns the errors of a configuration whose text begins with a key: they
// name the line and show it.
func (s *settings) complain(path string) func(format string, args ...any) error {
	return func(format string, args ...any) error {
		what := fmt.Sprintf(format, args...)
		tree, err := parser.ParseBytes(s.source, 0)
		if err != nil {
			return &usageError{path + ": " + what, ""}
		}
		top, below, _ := strings.Cut(keyPath().FindString(what), ".")
		line, column, shown := listEntry{s, path, tree, "$." + top}.place(below)
		return &usageError{fmt.Sprintf("%s: [%d:%d] %s", path, line, column, what), strings.TrimRight(shown, "\n")}
	}
}
