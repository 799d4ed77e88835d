package function

import (
	"fmt"
	"path"
	"strings"
	"sync"

	"healthaudit/audit"
	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/netlify"
)

// RouteDead finds routes that lead to no function.
var RouteDead = &audit.Check{
	ID:       "function-route-dead",
	Version:  2,
	System:   snapshot.Functions,
	Title:    "route leads to no function",
	Severity: audit.High,
	Doc: "A redirect in netlify.toml or in a _redirects file leads to /.netlify/functions/NAME, and nothing answers there: no function is called so, or it " +
		"has a path of its own, which replaces that address, or a schedule, with which it has none. An [[edge_functions]] table that names no edge function " +
		"is passed over. Visitors get 404. Names that are only known at run time (:splat) are not judged.",
	Hint:          "Correct the name in the rule, or restore the function.",
	Discriminator: "name of the function; of an edge function: edge and its name",
	Source:        "docs.netlify.com/routing/redirects; config.path replaces the default address, measured",
	Still:         true,
	Judge: func(p *audit.Pass) {
		astray := astrayIn(p.Now.Tree)
		for _, it := range p.Items() {
			if functions, ok := beside(p, it); ok {
				deadRedirects(p, it, functions, astray)
			}
			deadEdges(p, it)
		}
	},
}

func deadRedirects(p *audit.Pass, it *snapshot.Item, functions map[string]*snapshot.Item, astray func(name string) string) {
	first := map[string]netlify.Redirect{}
	for _, r := range redirects(p, it) {
		if name, ok := r.Function(); ok {
			if _, has := first[name]; !has {
				first[name] = r
			}
		}
	}
	for _, name := range sorted(first) {
		if functions[name] == nil && unlisted(p) {
			p.Doubt(it.Key, name)
			continue
		}
		why, hint := deadEnd(functions, name)
		if why == "" {
			continue
		}
		if at := astray(name); at != "" && functions[name] == nil {
			hint = fmt.Sprintf("%s is not in the folder of functions of this site: move it there, or name its folder as functions.directory.", at)
		}
		r := first[name]
		p.Report(audit.Report{Item: it.Key, Discriminator: name, Hint: hint, At: audit.Location{Path: it.Path, Line: r.At.Line, Column: r.At.Column},
			Message: fmt.Sprintf("the redirect of %s leads to the function %s, %s: it answers 404", short(r.From), short(name), why)})
	}
}

// deadEnd says why nothing answers at the default address of a function.
func deadEnd(functions map[string]*snapshot.Item, name string) (why, hint string) {
	f := functions[name]
	if f == nil {
		for _, other := range sorted(functions) {
			if strings.EqualFold(other, name) {
				return "which is called " + other, "Write the name as the function is called: upper and lower case count."
			}
		}
		return "which is not there", ""
	}
	if routes, ok := f.Fact("routes"); ok {
		return fmt.Sprintf("whose own path %s replaces that address", routes.Strings()[0]), "Lead the redirect to the path of the function, or drop it: the function answers there by itself."
	}
	if _, ok := effective(f); ok {
		return "which has a schedule and therefore no address", "Put what both need into a third file, and call that from a function without a schedule."
	}
	return "", ""
}

// astrayIn returns what finds the only file in any folder of functions that is
// called like a function that is not there; "" when there is none or several.
func astrayIn(t *snapshot.Tree) func(name string) string {
	byName := sync.OnceValue(func() map[string][]string {
		out := map[string][]string{}
		for _, e := range t.All() {
			dir, file := path.Split(e.Path)
			if path.Base(dir) == "functions" && netlify.IsCode(file) && t.HasFile(e.Path) {
				name := strings.TrimSuffix(file, path.Ext(file))
				out[name] = append(out[name], e.Path)
			}
		}
		return out
	})
	return func(name string) string {
		if at := byName()[name]; len(at) == 1 {
			return at[0]
		}
		return ""
	}
}

// short is a name or path of bounded length that breaks no line.
func short(s string) string {
	if r := []rune(s); len(r) > 80 {
		s = string(r[:80]) + "…"
	}
	return tidy(s)
}

func deadEdges(p *audit.Pass, it *snapshot.Item) {
	c, ok := config(p, it)
	dir, hasDir := it.Fact("directory.edge")
	if !ok || it.Torn || !hasDir {
		return
	}
	known := map[string]bool{}
	for _, e := range p.Items() {
		if e.Kind == kindEdge && under(e.Path, dir.Str()) {
			known[e.Name] = true
		}
	}
	told := map[string]bool{}
	for _, r := range c.EdgeRules {
		if r.Function == "" || known[r.Function] || told[r.Function] {
			continue
		}
		told[r.Function] = true
		if unlisted(p) {
			p.Doubt(it.Key, "edge "+r.Function)
			continue
		}
		p.Report(audit.Report{Item: it.Key, Discriminator: "edge " + r.Function, At: audit.Location{Path: it.Path, Line: r.At.Line, Column: r.At.Column},
			Message: fmt.Sprintf("[[edge_functions]] sends %s to %s, and there is no edge function of that name in %s", short(r.Path), short(r.Function), dir.Str())})
	}
}
