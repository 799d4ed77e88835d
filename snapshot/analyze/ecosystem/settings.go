package ecosystem

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	"healthaudit/snapshot"
	"healthaudit/snapshot/cron"
)

// settings notes the declared values that are worth a fact, and what PM2 refuses.
func (b *builder) settings() {
	for _, r := range schema {
		v := b.value(r)
		if v == nil || r.key == "env" && truthy(v) == nil { // no environment is an empty one
			continue
		}
		if why := r.refuses(v); why != "" {
			b.problem(r.key, why)
		}
		if !r.show {
			continue
		}
		b.set(r.key, shown(v))
	}
	if v, ok := b.app.Setting("cron_restart"); ok && v.Str() != "0" {
		b.app.Cron = v.Str()
		if _, err := cron.Parse(cron.PM2, b.app.Cron); err != nil {
			b.problem("cron_restart", "cron_restart cannot be read, for which PM2 refuses the whole file: "+err.Error())
		}
	}
}

func shown(v any) snapshot.Value {
	switch v := v.(type) {
	case bool:
		return snapshot.Bool(v)
	case float64:
		return snapshot.Number(v)
	case string:
		return snapshot.Text(MaskText(unrootAll(v)))
	case []any:
		list := make([]string, len(v))
		for i, e := range v {
			list[i] = MaskText(unrootAll(scalar(e)))
		}
		return snapshot.List(list...)
	}
	return snapshot.Text("(object)")
}

// scalar writes a value as JavaScript's String does; lists and objects as JSON.
func scalar(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case nil:
		return "null"
	case bool:
		return strconv.FormatBool(v)
	}
	return asJSON(v)
}

// asJSON writes a value as JavaScript's JSON.stringify does, but for the order
// of an object's keys.
func asJSON(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if e.Encode(v) != nil {
		return ""
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// env hashes the values of every block of environment variables. Of an object
// whose keys have lost their order there is no text, and so no hash.
func (b *builder) env() {
	for _, block := range slices.Sorted(maps.Keys(b.raw)) {
		if block != "env" && !envPattern().MatchString(block) {
			continue
		}
		switch v := b.raw[block].(type) {
		case map[string]any:
			for _, name := range slices.Sorted(maps.Keys(v)) {
				if !hasObject(v[name]) {
					b.hash(block+"."+name, unrootAll(scalar(v[name])))
				}
			}
		case string:
			b.hash(block, v)
		default:
			if r := (rule{key: block, types: "os"}); block != "env" {
				b.problem(block, r.refuses(v))
			}
		}
	}
}

// hasObject reports whether a value holds an object.
func hasObject(v any) bool {
	list, ok := v.([]any)
	if !ok {
		_, ok = v.(map[string]any)
		return ok
	}
	return slices.ContainsFunc(list, hasObject)
}
