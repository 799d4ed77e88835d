package function

import (
	"fmt"
	"path"
	"slices"
	"sort"
	"strings"

	"healthaudit/audit"
	"healthaudit/snapshot"
)

// Syntax finds functions, helpers and configuration that cannot be loaded.
var Syntax = &audit.Check{
	ID:       "function-syntax",
	System:   snapshot.Functions,
	Title:    "cannot be loaded",
	Severity: audit.High,
	Doc: "The function's file, a file it imports, or the configuration that decides about functions cannot be loaded: a syntax error, " +
		"a merge conflict marker, an empty file, or a file that cannot be read. Netlify's build often ships such a function without an error " +
		"(it falls back to another bundler), and every call then answers 500.",
	Hint:          "Repair the line. Where an earlier run saw it whole, `audit restore latest ITEM --last-good` brings that version back.",
	Discriminator: "path of the file that cannot be loaded",
	Source:        "Node.js module loader; @netlify/zip-it-and-ship-it ships what it cannot parse; @netlify/config refuses a netlify.toml it cannot parse",
	Still:         true,
	Judge: func(p *audit.Pass) {
		helpers := brokenHelpers{}
		for _, it := range p.Items() {
			switch {
			case syntaxUnreadable(p, it):
			case it.Kind == kindFile:
				syntaxConfig(p, it)
			default:
				syntaxSource(p, it, helpers)
			}
		}
		helpers.report(p)
	},
}

func syntaxUnreadable(p *audit.Pass, it *snapshot.Item) bool {
	why, ok := it.Fact("unreadable")
	if ok {
		p.Report(audit.Report{Item: it.Key, Discriminator: it.Path, At: audit.Location{Path: it.Path},
			Message: fmt.Sprintf("%s cannot be read: %s", path.Base(it.Path), why.Str()),
			Hint:    "Make the file readable for the account that builds, or replace it."})
	}
	return ok
}

func syntaxConfig(p *audit.Pass, it *snapshot.Item) {
	c, ok := config(p, it)
	if !ok || len(c.Problems) == 0 {
		return
	}
	first := c.Problems[0]
	msg := it.Path + ": " + first.Message
	if c.Broken {
		msg = it.Path + " is not valid TOML, so Netlify's build fails: " + first.Message
	}
	if n := len(c.Problems) - 1; n > 0 {
		msg += fmt.Sprintf(" (and %d more)", n)
	}
	p.Report(audit.Report{Item: it.Key, Discriminator: it.Path, Message: msg, Hint: "Correct the line; no deploy succeeds before.",
		At: audit.Location{Path: it.Path, Line: first.Line, Column: first.Column}})
}

func syntaxSource(p *audit.Pass, it *snapshot.Item, helpers brokenHelpers) {
	fn, ok := analysis(p, it)
	if !ok {
		return
	}
	main, _ := mainFile(it)
	switch {
	case len(fn.Problems) > 0:
		first := fn.Problems[0]
		p.Report(audit.Report{Item: it.Key, Discriminator: main.Path, Message: fmt.Sprintf("%s cannot be loaded: %s", it.Name, first.Message),
			At: audit.Location{Path: main.Path, Line: first.Line, Column: first.Column}})
		return
	case fn.Empty && it.Kind == kindFunction && !isDeclaration(main.Path):
		p.Report(audit.Report{Item: it.Key, Discriminator: main.Path, Message: it.Name + " is empty: its main file holds no code",
			At: audit.Location{Path: main.Path}, Hint: "Restore the file, or delete it if the function is gone: every call answers an error."})
		return
	}
	if path.Ext(main.Path) == ".cjs" && fn.Format == "esm" && it.Kind == kindFunction {
		p.Report(audit.Report{Item: it.Key, Discriminator: main.Path, At: audit.Location{Path: main.Path, Line: max(fn.HandlerAt.Line, 1), Column: max(fn.HandlerAt.Column, 1)},
			Message: it.Name + " cannot be loaded: it uses import or export, and Node reads a .cjs file as CommonJS",
			Hint:    "Call the file .mjs, or write require and exports."})
		return
	}
	said, _ := closure(p, it)
	for file, src := range said {
		if file != main.Path && len(src.Problems) > 0 {
			helpers[file] = append(helpers[file], it)
		}
	}
}

// brokenHelpers are files that cannot be loaded, and the functions that import them.
type brokenHelpers map[string][]*snapshot.Item

// report tells of each broken helper once, on the first function that imports it.
func (b brokenHelpers) report(p *audit.Pass) {
	files := make([]string, 0, len(b))
	for f := range b {
		files = append(files, f)
	}
	sort.Strings(files)
	for _, file := range files {
		it := b[file][0]
		said, _ := closure(p, it)
		first := said[file].Problems[0]
		p.Report(audit.Report{Item: it.Key, Discriminator: file,
			Message:  fmt.Sprintf("%s imports %s, which cannot be loaded: %s", names(b[file]), file, first.Message),
			At:       audit.Location{Path: file, Line: first.Line, Column: first.Column},
			Evidence: []audit.Evidence{{Name: "functions", Value: list(b[file], 20)}}})
	}
}

// names is "a", "a and b" or "a and 12 other functions".
func names(items []*snapshot.Item) string {
	switch len(items) {
	case 1:
		return items[0].Name
	case 2:
		return items[0].Name + " and " + items[1].Name
	}
	return fmt.Sprintf("%s and %d other functions", items[0].Name, len(items)-1)
}

func list(items []*snapshot.Item, most int) string {
	var out []string
	for _, it := range items[:min(len(items), most)] {
		out = append(out, it.Name)
	}
	slices.Sort(out)
	if n := len(items) - most; n > 0 {
		out = append(out, fmt.Sprintf("%d more", n))
	}
	return strings.Join(out, ", ")
}

func isDeclaration(p string) bool {
	return strings.HasSuffix(p, ".d.ts") || strings.HasSuffix(p, ".d.mts") || strings.HasSuffix(p, ".d.cts")
}

func join(from, link string) string { return path.Join(path.Dir(from), link) }
