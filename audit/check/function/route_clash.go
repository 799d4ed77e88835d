package function

import (
	"fmt"
	"slices"
	"sort"

	"healthaudit/audit"
	"healthaudit/snapshot"
)

// RouteClash finds functions that claim the same path.
var RouteClash = &audit.Check{
	ID:       "function-route-clash",
	System:   snapshot.Functions,
	Title:    "two functions on one path",
	Severity: audit.Medium,
	Doc: "Two functions of a site have the same config.path and answer the same methods. One of them gets the requests, the other never runs, " +
		"and which one that is may change with the next deploy.",
	Hint:          "Give them different paths, or methods that do not overlap.",
	Discriminator: "the path",
	Source:        "docs.netlify.com/build/functions/get-started: routes",
	Still:         true,
	Judge: func(p *audit.Pass) {
		claims := map[[2]string][]*snapshot.Item{}
		for _, it := range p.Items() {
			routes, ok := it.Fact("routes")
			if !ok || it.Kind != kindFunction {
				continue
			}
			for _, r := range routes.Strings() {
				k := [2]string{it.Source, r}
				claims[k] = append(claims[k], it)
			}
		}
		keys := make([][2]string, 0, len(claims))
		for k := range claims {
			keys = append(keys, k)
		}
		sort.Slice(keys, func(i, j int) bool { return keys[i][0]+"\x00"+keys[i][1] < keys[j][0]+"\x00"+keys[j][1] })
		for _, k := range keys {
			if a, b := clash(claims[k]); b != nil {
				fn, _ := analysis(p, b)
				p.Report(audit.Report{Item: b.Key, Discriminator: k[1], At: audit.Location{Path: b.Path, Line: fn.HandlerAt.Line, Column: fn.HandlerAt.Column},
					Message: fmt.Sprintf("%s and %s both answer %s: only one of them ever runs", a.Name, b.Name, k[1])})
			}
		}
	},
}

// clash returns the first two functions whose methods overlap.
func clash(items []*snapshot.Item) (a, b *snapshot.Item) {
	methods := func(it *snapshot.Item) []string {
		m, _ := it.Fact("methods")
		return m.Strings()
	}
	for i, a := range items {
		for _, b := range items[i+1:] {
			ma, mb := methods(a), methods(b)
			if len(ma) == 0 && len(mb) == 0 || slices.ContainsFunc(ma, func(m string) bool { return slices.Contains(mb, m) }) {
				return a, b
			}
		}
	}
	return nil, nil
}
