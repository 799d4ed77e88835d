package function

import (
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
	text("bundler", c.Global.Bundler)
	if len(c.Ignored) > 0 {
		var keys []string
		for _, k := range c.Ignored {
			keys = append(keys, k.Key)
		}
		it.Add(snapshot.Set, "keys.ignored", snapshot.SetOf(keys...))
	}
	site.build(s, it)
	site.declared(it)
	it.Sort()
	return it
}

// declared adds the schedules of functions that are not there, and refers to
// those that are.
func (site *site) declared(it *snapshot.Item) {
	add := func(expr string, at netlify.Place, why string) {
		it.Schedules = append(it.Schedules, snapshot.Schedule{Dialect: string(cron.Netlify), Expression: expr,
			Why: why, Path: site.toml, Line: at.Line, Column: at.Column})
	}
	for _, r := range site.config.Rules {
		if r.Schedule == "" || !r.Literal() {
			continue
		}
		if site.has(r.Pattern) || site.closed {
			it.Refs = append(it.Refs, snapshot.Ref{Kind: snapshot.RefFunction, Name: r.Pattern, File: site.toml,
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
