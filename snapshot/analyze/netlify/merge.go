package netlify

import (
	"maps"
	"slices"
	"strings"
)

// buildKeys belong to build wherever a context sets them.
// Source: BUILD_PROPERTIES of @netlify/config.
var buildKeys = []string{"base", "command", "edge_functions", "environment", "functions", "ignore", "processing", "publish"}

// merge returns the main level with what the contexts set over it: tables are
// merged, anything else is replaced, lists too.
func (r *reader) merge(contexts []string) map[string]any {
	out := normalCase(r.root)
	r.validate(out, beforeMerge)
	delete(out, "context")
	all, ok := r.root["context"]
	if !ok {
		return out
	}
	known, ok := all.(map[string]any)
	if !ok {
		r.problem(r.place("context"), "context must be a table")
		return out
	}
	for _, name := range slices.Sorted(maps.Keys(known)) {
		if t, isTable := known[name].(map[string]any); !isTable {
			r.problem(r.place("context."+name), "context.%s must be a table", clip(name))
		} else {
			r.validate(normalCase(namespaced(t)), beforeMerge)
		}
	}
	for _, name := range matching(known, contexts) {
		t, ok := known[name].(map[string]any)
		if !ok {
			continue
		}
		out = deep(out, normalCase(namespaced(t)))
		r.prefixes = slices.Insert(r.prefixes, 0, "context."+strings.ToLower(name)+".", "context."+strings.ToLower(name)+".build.")
	}
	return out
}

// matching returns the contexts that count: for each one asked for its own name,
// or else every pattern that ends in a star and fits.
func matching(known map[string]any, asked []string) (out []string) {
	for _, a := range asked {
		if _, ok := known[a]; ok {
			out = append(out, a)
			continue
		}
		for _, name := range slices.Sorted(maps.Keys(known)) {
			if prefix, ok := strings.CutSuffix(name, "*"); ok && strings.HasPrefix(a, prefix) {
				out = append(out, name)
			}
		}
	}
	return out
}

// namespaced moves what a context sets of the build into its build table.
// functions as a table and edge_functions as a list are settings of their own.
func namespaced(t map[string]any) map[string]any {
	out := map[string]any{}
	build, _ := t["build"].(map[string]any)
	build = maps.Clone(build)
	for k, v := range t {
		_, isTable := v.(map[string]any)
		_, isList := v.([]any)
		if slices.Contains(buildKeys, k) && (k != "functions" || !isTable) && (k != "edge_functions" || !isList) {
			if build == nil {
				build = map[string]any{}
			}
			build[k] = v
		} else if k != "build" || build == nil {
			out[k] = v
		}
	}
	if build != nil {
		out["build"] = build
	}
	return out
}

// normalCase accepts Build and its keys with a capital.
func normalCase(t map[string]any) map[string]any {
	out := maps.Clone(t)
	if out == nil {
		out = map[string]any{}
	}
	lower := func(t map[string]any, key string) {
		capital := strings.ToUpper(key[:1]) + key[1:]
		if v, ok := t[capital]; ok {
			if _, has := t[key]; !has {
				t[key] = v
			}
			delete(t, capital)
		}
	}
	lower(out, "build")
	if build, ok := out["build"].(map[string]any); ok {
		build = maps.Clone(build)
		for _, k := range buildKeys {
			lower(build, k)
		}
		out["build"] = build
	}
	return out
}

func deep(a, b map[string]any) map[string]any {
	out := maps.Clone(a)
	for k, v := range b {
		old, isTable := out[k].(map[string]any)
		if t, ok := v.(map[string]any); ok && isTable {
			out[k] = deep(old, t)
		} else {
			out[k] = v
		}
	}
	return out
}
