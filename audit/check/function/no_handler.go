package function

import (
	"fmt"
	"slices"
	"strings"

	"healthaudit/audit"
	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/netlify"
)

// NoHandler finds functions that export nothing Netlify could call.
var NoHandler = &audit.Check{
	ID:       "function-no-handler",
	System:   snapshot.Functions,
	Title:    "no handler",
	Severity: audit.High,
	Doc: "Netlify calls the export named handler, or the default export. A function without either is deployed without a word, and every " +
		"call and every scheduled run of it fails. Of an edge function only the default export counts. Certain when all exports of the file are known; where it passes on what another module " +
		"exports, it is only likely. A helper, test or type declaration among the functions is a low finding.",
	Hint:          "Export a handler (exports.handler = async (event) => …) or a default function; move a file that is no function out of the functions folder.",
	Discriminator: "none",
	Source:        "docs.netlify.com/build/functions/api; @netlify/zip-it-and-ship-it packs files without a handler",
	Still:         true,
	Judge: func(p *audit.Pass) {
		helpers := helpers(p)
		for _, it := range p.Items() {
			fn, ok := analysis(p, it)
			if !ok || len(fn.Problems) > 0 || fn.Empty {
				continue
			}
			if it.Kind == kindEdge {
				noDefault(p, it, fn)
			} else if netlify.ValidName(it.Name) || fn.State == netlify.HandlerOK { // function-name-invalid tells of the others
				noHandler(p, it, fn, helpers[it.Path])
			}
		}
	},
}

// noDefault judges an edge function, of which only the default export counts.
func noDefault(p *audit.Pass, it *snapshot.Item, fn netlify.Function) {
	if fn.Default || !fn.Complete {
		return
	}
	main, _ := mainFile(it)
	p.Report(audit.Report{Item: it.Key, At: audit.Location{Path: main.Path, Line: max(fn.HandlerAt.Line, 1), Column: max(fn.HandlerAt.Column, 1)},
		Message: fmt.Sprintf("the edge function %s has no default export: it cannot be bundled, and Netlify's build fails", it.Name),
		Hint:    "Export the function as the default: export default async (request, context) => …"})
}

func noHandler(p *audit.Pass, it *snapshot.Item, fn netlify.Function, importers []string) {
	main, _ := mainFile(it)
	r := audit.Report{Item: it.Key, At: audit.Location{Path: main.Path, Line: fn.HandlerAt.Line, Column: fn.HandlerAt.Column}}
	switch fn.State {
	case netlify.HandlerMissing:
		r.Message = it.Name + " exports no handler and has no default export: calling it fails"
		by := isNoFunction(main.Path)
		switch n := len(importers); {
		case n > 2:
			by = fmt.Sprintf("a helper of %s and %d others", importers[0], n-1)
		case n > 0:
			by = "a helper of " + strings.Join(importers, " and ")
		}
		if by != "" {
			r.Severity, r.Message = audit.Low, fmt.Sprintf("%s is deployed as a function although it is %s", it.Name, by)
			r.Hint = "Move it out of the functions folder: Netlify makes a function of every script directly in it."
		}
	case netlify.HandlerWrong:
		r.Message = fmt.Sprintf("the handler of %s is %s, not a function: calling it fails", it.Name, fn.What)
	case netlify.HandlerUnknown:
		if isNoFunction(main.Path) != "" || len(importers) > 0 || fn.Unparsed != "" && len(fn.Declared) > 0 { // or its schedule is told of
			return
		}
		r.Severity, r.Confidence = audit.Medium, audit.Likely
		r.Message = fmt.Sprintf("%s has no handler that can be seen: %s", it.Name, fn.What)
	default:
		return
	}
	p.Report(r)
}

// helpers returns the files that functions import, with the names of these.
func helpers(p *audit.Pass) map[string][]string {
	out := map[string][]string{}
	for _, it := range p.Items() {
		for _, r := range it.Refs.All() {
			if r.Kind == snapshot.RefFile && r.Path != it.Path && !slices.Contains(out[r.Path], it.Name) {
				out[r.Path] = append(out[r.Path], it.Name)
			}
		}
	}
	return out
}

// isNoFunction says what a file is that was hardly meant to be a function.
func isNoFunction(file string) string {
	name := strings.ToLower(file[strings.LastIndexByte(file, '/')+1:])
	switch {
	case isDeclaration(name):
		return "a type declaration"
	case strings.Contains(name, ".test.") || strings.Contains(name, ".spec."):
		return "a test"
	case strings.Contains(name, ".config."):
		return "a configuration file"
	}
	return ""
}
