package function

import (
	"fmt"
	"slices"

	"healthaudit/audit"
	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/netlify"
)

// EdgeUnrouted finds edge functions to which no route leads.
var EdgeUnrouted = &audit.Check{
	ID:       "function-edge-unrouted",
	System:   snapshot.Functions,
	Title:    "edge function without a route",
	Severity: audit.Medium,
	Doc: "An edge function has no address of its own: it runs for the paths that its config or [[edge_functions]] in netlify.toml names. One that exports no config, and that no rule names, is " +
		"bundled and deployed, and never runs. Nobody is told.",
	Hint:          "Name its path in the file, export const config = { path: \"/…\" }, or in [[edge_functions]] of netlify.toml; move a helper out of the folder.",
	Discriminator: "none",
	Source:        "@netlify/edge-bundler 16, manifest.js (unroutedFunctions); docs.netlify.com/build/edge-functions/declarations",
	Still:         true,
	Judge: func(p *audit.Pass) {
		importers := helpers(p)
		for _, it := range p.Items() {
			_, routed := it.Fact("routes")
			_, lost := it.Fact("lost")
			if it.Kind != kindEdge || routed || lost || len(importers[it.Path]) > 0 {
				continue
			}
			fn, ok := analysis(p, it)
			if !ok || len(fn.Problems) > 0 || !fn.Default || !fn.Complete || fn.Configured || brokenRules(p, it) {
				continue
			}
			main, _ := mainFile(it)
			p.Report(audit.Report{Item: it.Key, At: audit.Location{Path: main.Path, Line: max(fn.HandlerAt.Line, 1), Column: max(fn.HandlerAt.Column, 1)},
				Message: fmt.Sprintf("the edge function %s never runs: it exports no config with a path, and no [[edge_functions]] names it", it.Name)})
		}
	},
}

// brokenRules reports whether the rules of an item's site are not known, or one of
// them names an edge function that is not there: function-route-dead tells of it.
func brokenRules(p *audit.Pass, it *snapshot.Item) bool {
	known := map[string]bool{}
	for _, o := range p.Items() {
		known[o.Name] = known[o.Name] || o.Kind == kindEdge && o.Source == it.Source
	}
	return slices.ContainsFunc(p.Items(), func(o *snapshot.Item) bool {
		if o.Source != it.Source || o.Kind != kindFile || !isConfig(o) {
			return false
		}
		c, ok := config(p, o)
		return !ok || c.Broken || o.Torn || slices.ContainsFunc(c.EdgeRules, func(r netlify.EdgeRule) bool { return !known[r.Function] })
	})
}
