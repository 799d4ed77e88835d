package netlify

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"
)

// A reader takes one file, with the contexts that count merged in, into a Config.
type reader struct {
	c        *Config
	root     map[string]any
	lines    map[string]Place
	prefixes []string // of the contexts that were merged in, the strongest first
}

// place returns where a property stands: in the context that sets it, else at the
// main level.
func (r *reader) place(key string) Place {
	key = strings.ToLower(key)
	for _, p := range r.prefixes {
		for _, k := range []string{key, strings.TrimPrefix(key, "build.")} {
			if at, ok := r.lines[p+k]; ok {
				return at
			}
		}
	}
	return r.lines[key]
}

func (r *reader) problem(at Place, format string, args ...any) {
	if len(r.c.Problems) < 50 {
		r.c.Problems = append(r.c.Problems, Problem{at, fmt.Sprintf(format, args...)})
	}
}

// read fills the Config. What Netlify refuses is in its problems, the first of
// which is the one that Netlify names.
func (r *reader) read(contexts []string) {
	merged := r.merge(contexts)
	r.validate(merged, beforeNormal)
	build, functions := table(merged, "build"), table(merged, "functions")
	normal := normalFunctions(functions)
	after := maps.Clone(merged)
	after["functions"] = normal
	if star, ok := normal["*"].(map[string]any); ok && star["directory"] != nil {
		after["functionsDirectory"] = star["directory"]
	}
	r.validate(after, afterNormal)

	set := func(dst *string, at *Place, key string, t map[string]any, name string) {
		if s, _ := t[name].(string); strings.TrimSpace(s) != "" {
			*dst, *at = cleanDir(s), r.place(key)
		}
	}
	set(&r.c.Base, &r.c.Places.Base, "build.base", build, "base")
	set(&r.c.Publish, &r.c.Places.Publish, "build.publish", build, "publish")
	set(&r.c.Edge, &r.c.Places.Edge, "build.edge_functions", build, "edge_functions")
	set(&r.c.Directory, &r.c.Places.Directory, "build.functions", build, "functions")
	set(&r.c.Directory, &r.c.Places.Directory, "functions.directory", after, "functionsDirectory")
	r.functions(normal)
	r.contexts()
	r.scheduled(r.root)
	r.redirects(merged["redirects"])
	r.edges(merged["edge_functions"])
}

// contexts notes which contexts have settings of functions of their own.
func (r *reader) contexts() {
	for name, v := range table(r.root, "context") {
		t, _ := v.(map[string]any)
		if _, isText := t["functions"].(string); isText || table(t, "functions") != nil {
			r.c.Contexts = append(r.c.Contexts, clip(name))
		}
	}
	sort.Strings(r.c.Contexts)
}

func table(t map[string]any, key string) map[string]any {
	m, _ := t[key].(map[string]any)
	return m
}

func text(t map[string]any, key string) string { s, _ := t[key].(string); return s }

// cleanDir is a folder relative to the base, without a slash in front.
func cleanDir(s string) string {
	return path.Clean(strings.TrimLeft(strings.TrimSpace(s), "/"))
}

// normalFunctions brings the functions table into the form in which every key is
// a pattern: properties at its top level belong to "*", where they yield to what
// stands under "*" itself.
func normalFunctions(t map[string]any) map[string]any {
	star := map[string]any{}
	out := map[string]any{"*": star}
	if v, ok := t["*"]; ok {
		w, isTable := v.(map[string]any)
		if !isTable {
			out["*"] = v
			w = nil
		}
		maps.Copy(star, w)
	}
	for k, v := range t {
		switch {
		case k == "*":
		case properties[k] && !onlyProperties(v):
			if _, ok := star[k]; !ok {
				star[k] = v
			}
		default:
			out[k] = v
		}
	}
	return out
}

// onlyProperties reports whether a value is a table of function keys: then its own
// name is that of a function.
func onlyProperties(v any) bool {
	t, ok := v.(map[string]any)
	for k := range t {
		if !properties[k] {
			return false
		}
	}
	return ok
}

func (r *reader) functions(normal map[string]any) {
	for _, k := range slices.Sorted(maps.Keys(normal)) {
		v, ok := normal[k].(map[string]any)
		if !ok {
			continue
		}
		if k == "*" {
			r.c.Global = r.settings(v, "functions.", "functions.*.")
		} else {
			r.c.Rules = append(r.c.Rules, Rule{Pattern: k, Settings: r.settings(v, "functions."+k+"."), At: r.place("functions." + k)})
		}
	}
}

// settings reads one table of function keys, whose keys stand below one of the prefixes.
func (r *reader) settings(t map[string]any, prefixes ...string) Settings {
	at := func(k string) (string, Place) {
		for _, p := range prefixes[1:] {
			if found := r.place(p + k); found.Line > 0 {
				return p + k, found
			}
		}
		return prefixes[0] + k, r.place(prefixes[0] + k)
	}
	for k := range t {
		if !properties[k] {
			key, place := at(k)
			r.c.Ignored = append(r.c.Ignored, Ignored{clip(key), place})
		}
	}
	_, scheduled := at("schedule")
	s := Settings{Bundler: text(t, "node_bundler"), Schedule: clip(text(t, "schedule")), DenoMap: text(t, "deno_import_map"), Region: text(t, "region"),
		Memory: scalar(t["memory"]), VCPU: scalar(t["vcpu"]),
		Included: list(t["included_files"]), External: list(t["external_node_modules"]), Excluded: list(t["ignored_node_modules"])}
	if s.Schedule != "" {
		s.At = scheduled
	}
	return s
}

// scalar is a text or number as text, "" for anything else.
func scalar(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return ""
}

func list(v any) []string {
	l, _ := v.([]any)
	var out []string
	for _, e := range l[:min(len(l), 1000)] {
		if s, ok := e.(string); ok {
			out = append(out, s)
		}
	}
	return out
}

// edges reads [[edge_functions]].
func (r *reader) edges(v any) {
	l, _ := v.([]any)
	for i, e := range l[:min(len(l), 5000)] {
		t, ok := e.(map[string]any)
		if !ok {
			continue
		}
		key := fmt.Sprintf("edge_functions#%d", i)
		at := r.place(key + ".function")
		if at.Line == 0 {
			at = r.place(key)
		}
		r.c.EdgeRules = append(r.c.EdgeRules, EdgeRule{Function: clip(text(t, "function")), Path: clip(firstText(t, "path", "pattern")), At: at})
	}
}

// scheduled reads [[scheduled.functions]], a form that Netlify passes over.
func (r *reader) scheduled(root map[string]any) {
	l, _ := table(root, "scheduled")["functions"].([]any)
	for i, e := range l[:min(len(l), 5000)] {
		t, ok := e.(map[string]any)
		if !ok {
			continue
		}
		at := r.lines[fmt.Sprintf("scheduled.functions#%d", i)]
		r.c.Scheduled = append(r.c.Scheduled, Named{clip(functionName(t)), clip(firstText(t, "schedule", "cron")), at})
	}
}

// functionName is what an invented table calls its function: by name, or by its URL.
func functionName(t map[string]any) string {
	s := firstText(t, "name", "function", "path", "url")
	s, _, _ = strings.Cut(s, "?")
	return s[strings.LastIndexByte(s, '/')+1:]
}

func firstText(t map[string]any, keys ...string) string {
	for _, k := range keys {
		if s := text(t, k); s != "" {
			return s
		}
	}
	return ""
}

// keyPlaces returns where every key and table stands, by its dotted path in
// lower case; of an array of tables, the entries additionally as
// path#index, and what is in them below that.
func keyPlaces(src []byte) map[string]Place {
	var (
		p      unstable.Parser
		out    = map[string]Place{}
		prefix string
		seen   = map[string]int{}
		lines  = lineCounter{src: src, line: 1}
	)
	put := func(k string, at Place) {
		if _, ok := out[k]; !ok {
			out[k] = at
		}
	}
	p.Reset(src)
	for p.NextExpression() {
		e := p.Expression()
		if e.Kind != unstable.Table && e.Kind != unstable.ArrayTable && e.Kind != unstable.KeyValue {
			continue
		}
		var parts []string
		at := Place{}
		for it := e.Key(); it.Next(); {
			if at.Line == 0 {
				at = lines.at(int(it.Node().Raw.Offset))
			}
			parts = append(parts, strings.ToLower(string(it.Node().Data)))
		}
		if len(parts) > 100 {
			continue
		}
		key := strings.Join(parts, ".")
		switch e.Kind {
		case unstable.Table:
			prefix = key + "."
			put(key, at)
		case unstable.ArrayTable:
			put(key, at)
			put(fmt.Sprintf("%s#%d", key, seen[key]), at)
			prefix = fmt.Sprintf("%s#%d.", key, seen[key])
			seen[key]++
		default:
			put(prefix+key, at)
		}
	}
	return out
}

// A lineCounter turns rising offsets into lines, reading the text once.
type lineCounter struct {
	src              []byte
	pos, line, start int
}

func (l *lineCounter) at(offset int) Place {
	for ; l.pos < offset && l.pos < len(l.src); l.pos++ {
		if l.src[l.pos] == '\n' {
			l.line++
			l.start = l.pos + 1
		}
	}
	return Place{l.line, offset - l.start + 1}
}
