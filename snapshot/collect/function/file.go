package function

import (
	"path"
	"slices"

	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/netlify"
	"healthaudit/snapshot/collect"
	"healthaudit/snapshot/cron"
)

// file makes the item of the site's netlify.toml, or nil when there is none.
func (site *site) file(s *collect.Session) *snapshot.Item {
	if site.toml == "" {
		return nil
	}
	it := &snapshot.Item{Key: fileKey(site.toml), Name: site.toml, Kind: KindFile, Path: site.toml, Source: site.source,
		Files: []snapshot.File{site.held}}
	text := func(name, v string) {
		if v != "" {
			it.Add(snapshot.Semantic, name, snapshot.Text(v))
		}
	}
	text("unreadable", site.why)
	it.Unknown, it.Torn = site.unread(), site.linked != ""
	c := site.config
	text("base", c.Base)
	text("directory", site.functionsDir)
	text("directory.edge", site.edgeDir)
	text("directory.configured", c.Directory)
	text("bundler", c.Global.Bundler)
	text("superseded", site.superseded)
	if len(c.Ignored) > 0 {
		var keys []string
		for _, k := range c.Ignored {
			keys = append(keys, k.Key)
		}
		it.Add(snapshot.Set, "keys.ignored", snapshot.SetOf(keys...))
	}
	site.build(s, it)
	site.declared(it)
	site.leads(it, c.Redirects)
	it.Sort()
	return it
}

// leads refers to the functions that redirects lead to.
func (site *site) leads(it *snapshot.Item, rules []netlify.Redirect) {
	for _, r := range rules {
		if name, ok := r.Function(); ok && site.has(name) {
			it.Refs.Add(snapshot.Ref{Kind: snapshot.RefFunction, Name: name, File: it.Path, Line: r.At.Line, Column: r.At.Column, Where: "redirects"})
		}
	}
}

// publishDirs are the folders, relative to the base, whose _redirects file Netlify
// takes, or builds copy into the folder that it publishes.
var publishDirs = []string{".", "public", "static", "src", "src/static", "assets"}

// redirects makes an item of each _redirects file of the site.
func (site *site) redirects(s *collect.Session) (out []*snapshot.Item) {
	base := site.base(s.Tree)
	seen := map[string]bool{}
	for _, d := range append([]string{site.config.Publish}, publishDirs...) {
		p := path.Join(base, d, "_redirects")
		if e, ok := s.Tree.At(p); !ok || !isProject(e) || seen[p] {
			continue
		}
		seen[p] = true
		it := &snapshot.Item{Key: fileKey(p), Name: p, Kind: KindRedirects, Path: p, Source: site.source}
		f, err := s.Files.File(p, snapshot.Own)
		it.Files = []snapshot.File{f}
		if site.functionsDir != "" {
			it.Add(snapshot.Semantic, "directory", snapshot.Text(site.functionsDir))
		}
		switch {
		case err != nil:
			it.Unknown, it.Torn = reason(err), true
		case f.Link == "" && f.Size <= netlify.MaxConfig:
			site.leads(it, netlify.ParseRedirects(fileBytes(s, f)))
		}
		it.Sort()
		out = append(out, it)
	}
	return out
}

// declared adds the schedules of functions that are not there, and refers to
// those that are.
func (site *site) declared(it *snapshot.Item) {
	add := func(expr string, at netlify.Place, why string) {
		it.Schedules = append(it.Schedules, snapshot.Schedule{Dialect: string(cron.Netlify), Expression: expr,
			Why: why, Path: site.toml, Line: at.Line, Column: at.Column})
	}
	for _, r := range site.config.Rules {
		if r.Schedule == "" {
			continue
		}
		if !r.Literal() {
			if r.Pattern != "*" && site.functionsDir != "" && !site.closed && !slices.ContainsFunc(site.functions, func(f netlify.Found) bool { return r.Matches(f.Name) }) {
				add(r.Schedule, r.Settings.At, netlify.WhyNoFunction)
			}
			continue
		}
		if site.has(r.Pattern) || site.closed {
			it.Refs.Add(snapshot.Ref{Kind: snapshot.RefFunction, Name: r.Pattern, File: site.toml,
				Line: r.Settings.At.Line, Column: r.Settings.At.Column, Where: "functions." + r.Pattern})
		} else if site.functionsDir != "" {
			add(r.Schedule, r.Settings.At, netlify.WhyNoFunction)
		}
	}
	var names []string
	for _, n := range site.config.Scheduled {
		names = append(names, n.Name+": "+n.Schedule)
		if !site.has(n.Name) {
			add(n.Schedule, n.At, netlify.WhyNoSuchKey)
		}
	}
	if names != nil {
		it.Add(snapshot.Set, "schedule.ignored", snapshot.SetOf(names...))
	}
}
