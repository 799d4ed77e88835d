// Package function lists Netlify functions: every netlify.toml of the project
// with its functions folder, the edge functions, and lists of function names
// that projects keep beside them.
//
// Invariants: nothing is executed and nothing but the file's own place decides
// its name; a file that cannot be read or parsed is an item all the same.
//
// It does not know what is deployed, nor what is set in Netlify's user interface.
package function

import (
	"context"
	"fmt"

	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/netlify"
	"healthaudit/snapshot/collect"
)

// Kinds of items.
const (
	KindFunction  = "function"
	KindEdge      = "edge"
	KindFile      = "file"
	KindRedirects = "redirects"
)

// maxFunctions bounds the functions of one site; what is beyond is not listed
// and fails the site's source.
const maxFunctions = 10_000

// Collector lists Netlify functions.
var Collector = &collect.Collector{
	System: snapshot.Functions,
	Title:  "Netlify functions",
	Doc: "Every netlify.toml and its functions folder (netlify/functions where nothing else is said): which files are functions, " +
		"their version, entry point, routes and schedules, and whether a declared schedule takes effect; the local files each imports; " +
		"edge functions; redirects (also of _redirects files) to functions; and lists of functions (*functions-manifest*.json, and those that systems.functions.manifests names, such as the " +
		"manifest of the last build). Nothing is bundled or run.",
	Epoch:     3,
	Collect:   gather,
	Recollect: recollect,
	Risk:      risk,
}

// gather lists the system.
func gather(ctx context.Context, s *collect.Session) (collect.Result, error) {
	sites := findSites(s)
	if len(sites) == 0 {
		return collect.Result{Absent: true}, nil
	}
	var res collect.Result
	for _, site := range sites {
		items, src := site.list(ctx, s)
		res.Items = append(res.Items, items...)
		res.Sources = append(res.Sources, src)
	}
	res.Items = append(res.Items, manifests(s, sites)...)
	if err := ctx.Err(); err != nil {
		return collect.Result{}, &collect.SourceError{Message: "list functions", Err: err}
	}
	return res, nil
}

// list returns the items of one site.
func (site *site) list(ctx context.Context, s *collect.Session) ([]*snapshot.Item, snapshot.Source) {
	src := snapshot.Source{Name: site.source, OK: true}
	var jobs []func() *snapshot.Item
	for _, f := range site.functions {
		jobs = append(jobs, func() *snapshot.Item { return site.function(s, f) })
	}
	for _, f := range site.edges {
		jobs = append(jobs, func() *snapshot.Item { return site.edge(s, f) })
	}
	for _, l := range site.lost {
		jobs = append(jobs, func() *snapshot.Item { return site.lostEdge(s, l) })
	}
	if len(jobs) > maxFunctions {
		src.OK = false
		src.Message = fmt.Sprintf("more than %d functions", maxFunctions)
		jobs = jobs[:maxFunctions]
	}
	items := make([]*snapshot.Item, len(jobs))
	s.Each(ctx, len(jobs), func(i int) {
		items[i] = jobs[i]()
		items[i].Torn = items[i].Torn || site.unread() != "" // what the configuration said of it is not gone
	})
	if site.linked != "" {
		src.OK, src.Message, src.Hint = false, site.linked+" is a symbolic link, which is not followed", "Make it a folder of the project."
	}
	if f := site.file(s); f != nil {
		items = append(items, f)
	}
	return append(items, site.redirects(s)...), src
}

// recollect reads one item again.
func recollect(ctx context.Context, s *collect.Session, key snapshot.Key) (*snapshot.Item, error) {
	sites := findSites(s)
	for _, site := range sites {
		for _, f := range site.functions {
			if site.key(f.Name) == key {
				return site.function(s, f), nil
			}
		}
		for _, f := range site.edges {
			if site.edgeKey(f.Name) == key {
				return site.edge(s, f), nil
			}
		}
		for _, l := range site.lost {
			if site.edgeKey(l.Name) == key {
				return site.lostEdge(s, l), nil
			}
		}
		if f := site.file(s); f != nil && f.Key == key {
			return f, nil
		}
		for _, r := range site.redirects(s) {
			if r.Key == key {
				return r, nil
			}
		}
	}
	for _, m := range manifests(s, sites) {
		if m.Key == key {
			return m, nil
		}
	}
	return nil, ctx.Err()
}

// risk: losing a schedule, an entry point or a route, or becoming unreadable,
// is dangerous; gaining them back is not.
func risk(fact string, old, new *snapshot.Value) snapshot.Risk {
	switch fact {
	case "schedule.effective", "handler", "routes", "functions", "directory":
		switch {
		case old == nil:
			return snapshot.RiskDown
		case new == nil || fact != "handler":
			return snapshot.RiskUp
		}
	case "unreadable", "broken", "missing", "schedule.ignored", "refused", "lost", "shadows":
		if new == nil {
			return snapshot.RiskDown
		}
		return snapshot.RiskUp
	}
	return snapshot.RiskNeutral
}

// key is the key of a function of the site.
func (site *site) key(name string) snapshot.Key {
	return snapshot.NewKey(snapshot.Functions, snapshot.EscapeDir(site.prefix)+escapeName(name))
}

// edgeKey is the key of an edge function of the site.
func (site *site) edgeKey(name string) snapshot.Key {
	return snapshot.NewKey(snapshot.Functions, snapshot.EscapeDir(site.prefix)+"edge:"+escapeName(name))
}

// escapeName keeps a function that is called "edge:x" or "file:x" apart from
// the items of those kinds.
func escapeName(name string) string {
	if name == "(system)" {
		return "%28system)" // that key is the system's pseudo-item
	}
	return snapshot.EscapePart(name)
}

// fileKey is the key of a configuration file, whose path says where it is.
func fileKey(p string) snapshot.Key {
	return snapshot.NewKey(snapshot.Functions, "file:"+snapshot.Escape(p))
}

// isProject reports whether a tree entry is a file of the project: on disk, not
// ignored, not somebody else's.
func isProject(e snapshot.TreePath) bool {
	return e.State != snapshot.Ignored && e.Kind != snapshot.PathMissing && e.Kind != snapshot.PathDir && e.Kind != snapshot.PathModule
}

// inProject returns what Netlify's discovery finds among the project's own files.
func inProject(s *collect.Session, found []netlify.Found) []netlify.Found {
	var out []netlify.Found
	for _, f := range found {
		if e, ok := s.Tree.At(f.Main); ok && isProject(e) {
			out = append(out, f)
		}
	}
	return out
}
