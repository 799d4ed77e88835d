package function

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path"

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

// A manifest is what a list of function names says.
type manifest struct {
	Names  []string `json:"names,omitempty"`
	Broken string   `json:"broken,omitempty"`
}

// unread is the complaint about bytes that could not be had. It is not to be
// believed from a cache.
const unread = "its bytes could not be read"

const (
	manifestVersion = 1
	maxManifest     = 1 << 20
	maxManifests    = 200
)

// manifests makes an item of every list of function names in the project.
func manifests(s *collect.Session, sites []*site) []*snapshot.Item {
	var out []*snapshot.Item
	for _, e := range s.Tree.All() {
		if !isManifest(e.Path) || !isProject(e) || collect.Vendored(e.Path) || len(out) == maxManifests {
			continue
		}
		it := &snapshot.Item{Key: fileKey(e.Path), Name: e.Path, Kind: KindFile, Path: e.Path, Source: sourceOf(sites, e.Path)}
		f, err := s.Files.File(e.Path, snapshot.Own)
		it.Files = []snapshot.File{f}
		switch {
		case err != nil:
			it.Add(snapshot.Semantic, "unreadable", snapshot.Text(reason(err)))
		case f.Link != "" || f.Size > maxManifest:
			it.Unknown = "a link or larger than 1 MiB, not parsed"
		default:
			parse := func() manifest {
				b, err := s.Files.Bytes(f)
				if err != nil {
					return manifest{Broken: unread}
				}
				return readManifest(b)
			}
			m := snapshot.Derive(s.Derived, "netlify.manifest", manifestVersion, []string{f.SHA256}, parse)
			if m.Broken == unread {
				m = parse()
			}
			if m.Broken != "" {
				it.Add(snapshot.Semantic, "unreadable", snapshot.Text(m.Broken))
			} else {
				it.Add(snapshot.Set, "functions", snapshot.SetOf(m.Names...))
			}
		}
		it.Sort()
		out = append(out, it)
	}
	return out
}

// sourceOf returns the source of the innermost site that a file lies in.
func sourceOf(sites []*site, p string) string {
	best := sites[0]
	for _, site := range sites {
		if site.dir == "." || len(p) > len(site.dir) && p[:len(site.dir)+1] == site.dir+"/" {
			if best == sites[0] || len(site.dir) > len(best.dir) {
				best = site
			}
		}
	}
	return best.source
}

// readManifest reads {"functions": [name or {name}, …]}; everything else in it
// (when it was generated, paths) says nothing about functions.
func readManifest(b []byte) manifest {
	var doc struct {
		Functions []json.RawMessage `json:"functions"`
	}
	b = bytes.TrimPrefix(b, []byte("\xef\xbb\xbf"))
	if err := json.Unmarshal(b, &doc); err != nil {
		if e, ok := err.(*json.SyntaxError); ok {
			line := 1 + bytes.Count(b[:min(int(e.Offset), len(b))], []byte("\n"))
			return manifest{Broken: fmt.Sprintf("not valid JSON (line %d)", line)}
		}
		return manifest{Broken: "not a list of functions"}
	}
	m := manifest{}
	for _, raw := range doc.Functions {
		var name string
		var entry struct {
			Name string `json:"name"`
		}
		if json.Unmarshal(raw, &name) == nil || json.Unmarshal(raw, &entry) == nil {
			if name == "" {
				name = entry.Name
			}
			if name != "" && len(m.Names) < 10_000 {
				m.Names = append(m.Names, path.Base(name))
			}
		}
	}
	return m
}
