package function

import (
	"bytes"
	"path"
	"sort"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/netlify"
	"healthaudit/snapshot/analyze/refs"
	"healthaudit/snapshot/collect"
)

// A build is what a site's netlify.toml says of its build in production: the
// command is started on every push. Values that may hold secrets are hashed.
type build struct {
	Command string            `json:"command,omitempty"` // hashed
	Publish string            `json:"publish,omitempty"`
	Env     map[string]string `json:"env,omitempty"` // name → hashed value
	Refs    []snapshot.Ref    `json:"refs,omitempty"`
	Plugins []snapshot.Ref    `json:"plugins,omitempty"` // of the project itself: files or folders
}

const buildVersion = 7

// build adds what the build of a site is, and refers to what it starts.
func (site *site) build(s *collect.Session, it *snapshot.Item) {
	if site.why != "" || site.config.Broken || site.held.SHA256 == "" {
		return
	}
	dir := site.base(s.Tree)
	b := snapshot.Derive(s.Derived, "function.build", buildVersion, []string{site.held.SHA256, dir, s.Secret("")}, func() build {
		return readBuild(fileBytes(s, site.held), dir, s.Secret)
	})
	if b.Command != "" {
		it.Add(snapshot.Secret, "build.command", snapshot.Text(b.Command))
	}
	if b.Publish != "" {
		it.Add(snapshot.Semantic, "build.publish", snapshot.Text(b.Publish))
	}
	names := make([]string, 0, len(b.Env))
	for n := range b.Env {
		names = append(names, n)
	}
	sort.Strings(names)
	for _, n := range names {
		it.Add(snapshot.Secret, "build.env."+n, snapshot.Text(b.Env[n]))
	}
	it.Refs.Add(b.Refs...)
	for _, r := range b.Plugins {
		if at := strings.TrimPrefix(r.Path, dir+"/"); site.config.Base == "" && !s.Tree.HasDir(r.Path) && s.Tree.HasDir(at) { // of a monorepo: see locate
			r.Path = at
		}
		found := s.Tree.HasDir(r.Path)
		for _, name := range []string{"", "/index.js", "/index.mjs", "/index.cjs", ".js"} {
			if file := r.Path + name; s.Tree.HasFile(file) {
				r.Path, found = file, true
				it.Refs.Add(r)
				break
			}
		}
		if !found {
			it.Refs.Add(r)
		}
	}
}

// readBuild reads the keys of [build], and over them those of the production
// context. The command runs in dir.
func readBuild(src []byte, dir string, secret func(string) string) (out build) {
	type section struct {
		Command     any            `toml:"command"`
		Ignore      any            `toml:"ignore"`
		Publish     any            `toml:"publish"`
		Environment map[string]any `toml:"environment"`
	}
	var f struct {
		Build   section `toml:"build"`
		Context struct {
			Production section `toml:"production"`
		} `toml:"context"`
		Plugins []struct {
			Package any `toml:"package"`
		} `toml:"plugins"`
	}
	if toml.Unmarshal(src, &f) != nil {
		return out
	}
	command, line := "", 0
	ignore, ignoreLine := "", 0
	for _, l := range []struct {
		section
		header string
	}{{f.Build, "[build]"}, {f.Context.Production, "[context.production]"}} {
		if c, ok := l.Command.(string); ok {
			command, line = c, lineOf(src, l.header, "command")
		}
		if c, ok := l.Ignore.(string); ok {
			ignore, ignoreLine = c, lineOf(src, l.header, "ignore")
		}
		if p, ok := l.Publish.(string); ok {
			out.Publish = path.Clean(p)
		}
		for name, v := range l.Environment {
			if t, ok := v.(string); ok {
				if out.Env == nil {
					out.Env = map[string]string{}
				}
				out.Env[name] = secret(t)
			}
		}
	}
	for _, plugin := range f.Plugins {
		if p, ok := plugin.Package.(string); ok && (strings.HasPrefix(p, "/") || strings.HasPrefix(p, "./")) && len(out.Plugins) < maxPlugins {
			if at := path.Join(dir, p); at != ".." && !strings.HasPrefix(at, "../") {
				out.Plugins = append(out.Plugins, snapshot.Ref{Kind: snapshot.RefFile, Path: at, Line: lineWith(src, p), Column: 1, Where: "plugins"})
			}
		}
	}
	if command != "" {
		out.Command = secret(command)
	}
	out.starts(command, refs.Origin{Dir: dir, Line: line, Column: 1, Where: "build.command"})
	out.starts(ignore, refs.Origin{Dir: dir, Line: ignoreLine, Column: 1, Where: "build.ignore"})
	return out
}

// starts adds what a command of the build starts.
func (b *build) starts(command string, o refs.Origin) {
	for _, r := range refs.Command(command, o) {
		if r.Kind != snapshot.RefBin {
			r.Line = o.Line
			b.Refs = append(b.Refs, r)
		}
	}
}

// maxPlugins bounds the plugins of one file.
const maxPlugins = 50

// lineWith returns the first line that holds a text in quotes, 1 when none does.
func lineWith(src []byte, text string) int {
	n := 0
	for l := range bytes.Lines(src) {
		n++
		if t := string(l); strings.Contains(t, `"`+text+`"`) || strings.Contains(t, `'`+text+`'`) {
			return n
		}
	}
	return 1
}

// lineOf returns the line of a key below a header, 1 when it is not found.
func lineOf(src []byte, header, key string) int {
	within, n := false, 0
	for l := range bytes.Lines(src[:min(len(src), netlify.MaxConfig)]) {
		n++
		t := strings.TrimSpace(string(l))
		if strings.HasPrefix(t, "[") {
			within = strings.HasPrefix(t, header)
		}
		if name, _, ok := strings.Cut(t, "="); ok && within && strings.TrimSpace(name) == key {
			return n
		}
	}
	return 1
}
