package netlify

import (
	"fmt"
	"path"
	"sort"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"
)

// A reader takes the layers of one file, main before context, into a Config.
type reader struct {
	c     *Config
	lines map[string]Place
}

// get finds a key in the spellings Netlify accepts: build, Build, BUILD.
func get(t map[string]any, key string) any {
	for _, k := range []string{key, strings.ToUpper(key[:1]) + key[1:], strings.ToUpper(key)} {
		if v, ok := t[k]; ok {
			return v
		}
	}
	return nil
}

func table(t map[string]any, key string) map[string]any {
	m, _ := get(t, key).(map[string]any)
	return m
}
func text(t map[string]any, key string) string { s, _ := get(t, key).(string); return s }

func (r *reader) place(key string) Place { return r.lines[strings.ToLower(key)] }

func (r *reader) problem(at Place, format string, args ...any) {
	if len(r.c.Problems) < 50 {
		r.c.Problems = append(r.c.Problems, Problem{at, fmt.Sprintf(format, args...)})
	}
}

// layer reads build and functions of the main level or of one context.
func (r *reader) layer(t map[string]any, prefix string) {
	if t == nil {
		return
	}
	build := table(t, "build")
	set := func(dst *string, s string) {
		if s != "" {
			*dst = cleanDir(s)
		}
	}
	if prefix == "" {
		set(&r.c.Base, text(build, "base"))
	}
	set(&r.c.Edge, text(build, "edge_functions"))
	directory := text(build, "functions")
	if s := text(t, "functions"); s != "" && prefix != "" {
		directory = s // context.X.functions as text is build.functions
	}
	functions := table(t, "functions")
	if s := text(functions, "directory"); s != "" {
		directory = s
	}
	set(&r.c.Directory, directory)
	if functions != nil {
		r.functions(functions, prefix)
	}
}

// cleanDir is a folder relative to the base, without a slash in front.
func cleanDir(s string) string {
	return path.Clean(strings.TrimLeft(strings.TrimSpace(s), "/"))
}

func (r *reader) functions(t map[string]any, prefix string) {
	keys := make([]string, 0, len(t))
	for k := range t {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	top, star := map[string]any{}, map[string]any{}
	for _, k := range keys {
		v, isTable := t[k].(map[string]any)
		at := r.place(prefix + "functions." + k)
		switch {
		case properties[k] && !(isTable && onlyProperties(v)):
			top[k] = t[k]
		case !isTable:
			r.problem(at, "functions.%s must be an object; Netlify's build fails", clip(k))
		case k == "*":
			star = v
		default:
			s := r.settings(v, prefix+"functions."+k+".")
			r.rule(Rule{Pattern: k, Settings: s, At: at})
		}
	}
	r.c.Global = r.c.Global.merge(r.settings(top, prefix+"functions."), false)
	r.c.Global = r.c.Global.merge(r.settings(star, prefix+"functions.*."), false)
}

// rule adds a rule, or merges it over the one of the main level.
func (r *reader) rule(n Rule) {
	for i, old := range r.c.Rules {
		if old.Pattern == n.Pattern {
			r.c.Rules[i].Settings = old.Settings.merge(n.Settings, false)
			return
		}
	}
	r.c.Rules = append(r.c.Rules, n)
}

func onlyProperties(t map[string]any) bool {
	for k := range t {
		if !properties[k] {
			return false
		}
	}
	return true
}

func (r *reader) settings(t map[string]any, prefix string) Settings {
	var s Settings
	for k := range t {
		if !properties[k] {
			r.c.Ignored = append(r.c.Ignored, Ignored{clip(prefix + k), r.place(prefix + k)})
		}
	}
	s.Bundler = text(t, "node_bundler")
	if v, ok := t["schedule"]; ok {
		at := r.place(prefix + "schedule")
		expr, isText := v.(string)
		if !isText {
			r.problem(at, "%sschedule must be a text; Netlify's build fails", clip(prefix))
		}
		s.Schedule, s.At = expr, at
	}
	s.Included, s.External = list(t["included_files"]), list(t["external_node_modules"])
	return s
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

// scheduled reads [[scheduled.functions]], a form that Netlify passes over.
func (r *reader) scheduled(root map[string]any) {
	l, _ := get(table(root, "scheduled"), "functions").([]any)
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
// lower case; the entries of an array of tables additionally as path#index.
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
			prefix = key + "."
			put(key, at)
			put(fmt.Sprintf("%s#%d", key, seen[key]), at)
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
