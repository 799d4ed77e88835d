package netlify

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// A rule of validation says what a property must be. In the path, * stands for
// every key of a table or entry of a list.
type validation struct {
	path  string
	must  string
	check func(v any) bool
}

// beforeMerge, beforeNormal and afterNormal are on what @netlify/config 25 refuses
// a configuration, in its order.
// Source: lib/validate/validations.js, lib/edge_functions.js.
var (
	beforeMerge = []validation{
		{"build", "a table", isTable},
		{"edge_functions.*", "free of keys other than " + strings.Join(edgeKeys, ", "), onlyKeys(edgeKeys...)},
		{"build.command", "a text", isText},
		{"plugins", "a list of tables", isTables},
		{"plugins", "without the same package twice", noTwins},
	}
	beforeNormal = []validation{
		{"functions", "a table", isTable},
		{"edge_functions", "a list of tables", isTables},
		{"database", "a table", isTable},
		{"database.migrations", "a table", isTable},
	}
	afterNormal = slices.Concat([]validation{
		{"plugins.*", "free of keys other than package, pinned_version, inputs", onlyKeys("package", "pinned_version", "inputs")},
		{"plugins.*", "named by its package", has("package")},
		{"plugins.*.package", "a text", isText},
		{"plugins.*.package", "the name of an npm package", isPackage},
		{"plugins.*.pinned_version", "a text", isText},
		{"plugins.*.inputs", "a table", isTable},
		{"build.base", "a text", isText},
		{"build.publish", "a text", isText},
		{"build.functions", "a text", isText},
		{"build.ignore", "a text", isText},
		{"build.edge_functions", "a text", isText},
		{"spa_fallback", "true or false", isBool},
	}, functionRules, []validation{
		{"functionsDirectory", "a text", isText},
		{"database.migrations.path", "a text", isText},
	}, edgeRules)

	functionRules = []validation{
		{"functions.*", "a table", isTable},
		{"functions.*.deno_import_map", "a text", isText},
		{"functions.*.external_node_modules", "a list of texts", isTexts},
		{"functions.*.ignored_node_modules", "a list of texts", isTexts},
		{"functions.*.included_files", "a list of texts", isTexts},
		{"functions.*.node_bundler", "one of esbuild, nft, zisi, none", oneOf("esbuild", "nft", "zisi", "none")},
		{"functions.*.directory", "set at the top of [functions]", nil},
		{"functions.*.memory", "between 1024 and 4096 MB", func(v any) bool { _, ok := Megabytes(scalar(v)); return ok }},
		{"functions.*.region", "a text", isText},
		{"functions.*.vcpu", "a number between 0.5 and 2", func(v any) bool { n, ok := float(v); return ok && n >= MinVCPU && n <= MaxVCPU }},
		{"functions.*", "without either memory or vcpu: they exclude each other", not(both("memory", "vcpu"))},
		{"functions.*.schedule", "a schedule", func(v any) bool { s, ok := v.(string); return ok && RefusedSchedule(s) == "" }},
	}

	edgeRules = []validation{
		{"edge_functions.*", "on a path or a pattern", either("path", "pattern")},
		{"edge_functions.*", "without either path or pattern: they exclude each other", not(both("path", "pattern"))},
		{"edge_functions.*", "without either excludedPath or excludedPattern: they exclude each other", not(both("excludedPath", "excludedPattern"))},
		{"edge_functions.*", "about a function", has("function")},
		{"edge_functions.*.path", "a text", isText},
		{"edge_functions.*.excludedPath", "a text or a list of texts", oneOrMore(isText)},
		{"edge_functions.*.pattern", "a text", isText},
		{"edge_functions.*.excludedPattern", "a text or a list of texts", oneOrMore(isText)},
		{"edge_functions.*.function", "a text", isText},
		{"edge_functions.*.name", "a text", isText},
		{"edge_functions.*.path", "a path that begins with a slash", func(v any) bool { s, ok := v.(string); return !ok || strings.HasPrefix(s, "/") }},
		{"edge_functions.*.cache", "manual or off", oneOf("manual", "off")},
		{"edge_functions.*.method", "one or more of " + strings.Join(edgeMethods, ", "), func(v any) bool {
			l, isList := v.([]any)
			return (!isList || len(l) > 0) && oneOrMore(isEdgeMethod)(v)
		}},
		{"edge_functions.*.header", "a table of texts, true or false", isHeaders},
	}

	edgeKeys    = []string{"path", "excludedPath", "pattern", "excludedPattern", "function", "cache", "method", "header", "name"}
	edgeMethods = []string{"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
)

// validate notes each property that is not what it must be, once.
func (r *reader) validate(t map[string]any, rules []validation) {
	bad := map[string]bool{}
	for _, v := range rules {
		r.walk(t, "", strings.Split(v.path, "."), v, bad)
	}
}

func (r *reader) walk(v any, at string, rest []string, rule validation, bad map[string]bool) {
	if v == nil || bad[at] {
		return
	}
	if len(rest) == 0 {
		ok := rule.check != nil && rule.check(v)
		if rule.check == nil {
			ok = strings.HasPrefix(at, "functions.*.")
		}
		if !ok {
			bad[at] = true
			r.refuse(at, v, rule.must)
		}
		return
	}
	switch t := v.(type) {
	case map[string]any:
		keys := []string{rest[0]}
		if rest[0] == "*" {
			keys = slices.Sorted(maps.Keys(t))
		}
		for _, k := range keys {
			r.walk(t[k], strings.TrimPrefix(at+"."+k, "."), rest[1:], rule, bad)
		}
	case []any:
		for i, e := range t {
			if rest[0] == "*" {
				r.walk(e, fmt.Sprintf("%s#%d", at, i), rest[1:], rule, bad)
			}
		}
	}
}

// refuse notes a property on which Netlify's build fails.
func (r *reader) refuse(at string, v any, must string) {
	place := r.place(at)
	if place.Line == 0 {
		place = r.place(strings.Replace(at, "functions.*.", "functions.", 1))
	}
	name := clip(strings.Replace(at, "functions.*.", "functions.", 1))
	if s, ok := v.(string); ok && strings.HasSuffix(at, ".schedule") {
		must += " (" + RefusedSchedule(s) + ")"
	}
	r.problem(place, "%s must be %s; Netlify's build fails", strings.ReplaceAll(name, "functionsDirectory", "functions.directory"), must)
}

func isTable(v any) bool { _, ok := v.(map[string]any); return ok }
func isText(v any) bool  { _, ok := v.(string); return ok }
func isBool(v any) bool  { _, ok := v.(bool); return ok }

func isTexts(v any) bool  { l, ok := v.([]any); return ok && !slices.ContainsFunc(l, not(isText)) }
func isTables(v any) bool { l, ok := v.([]any); return ok && !slices.ContainsFunc(l, not(isTable)) }

func noTwins(v any) bool {
	l, _ := v.([]any)
	seen := map[string]bool{}
	for _, e := range l {
		t, _ := e.(map[string]any)
		if name, ok := t["package"].(string); ok {
			if seen[name] {
				return false
			}
			seen[name] = true
		}
	}
	return true
}

func isHeaders(v any) bool {
	t, ok := v.(map[string]any)
	for _, e := range t {
		ok = ok && (isText(e) || isBool(e))
	}
	return ok
}

func isEdgeMethod(v any) bool {
	s, ok := v.(string)
	return ok && slices.Contains(edgeMethods, strings.ToUpper(s))
}

// isPackage accepts what npm once did, and paths; no tag, version or address.
func isPackage(v any) bool {
	s, ok := v.(string)
	if !ok || strings.HasPrefix(s, ".") || strings.HasPrefix(s, "/") {
		return true
	}
	scope, name, scoped := strings.Cut(s, "/")
	if scoped && (len(scope) < 2 || scope[0] != '@') || !scoped && strings.HasPrefix(s, "@") {
		return false
	}
	if !scoped {
		name = s
	}
	return name != "" && name[0] != '_' && strings.TrimSpace(s) == s && !strings.ContainsAny(strings.TrimPrefix(s, "@"), "@:%?#& ")
}

func float(v any) (float64, bool) {
	switch v := v.(type) {
	case int64:
		return float64(v), true
	case float64:
		return v, true
	}
	return 0, false
}

func oneOf(words ...string) func(any) bool {
	return func(v any) bool { s, ok := v.(string); return ok && slices.Contains(words, s) }
}

func oneOrMore(check func(any) bool) func(any) bool {
	return func(v any) bool {
		l, isList := v.([]any)
		return isList && !slices.ContainsFunc(l, not(check)) || !isList && check(v)
	}
}

func not(check func(any) bool) func(any) bool { return func(v any) bool { return !check(v) } }

func onlyKeys(keys ...string) func(any) bool {
	return func(v any) bool {
		t, _ := v.(map[string]any)
		for k := range t {
			if !slices.Contains(keys, k) {
				return false
			}
		}
		return true
	}
}

func has(key string) func(any) bool {
	return func(v any) bool { t, ok := v.(map[string]any); return !ok || t[key] != nil }
}

func either(a, b string) func(any) bool {
	return func(v any) bool { return has(a)(v) || has(b)(v) }
}

func both(a, b string) func(any) bool {
	return func(v any) bool { return isTable(v) && has(a)(v) && has(b)(v) }
}
