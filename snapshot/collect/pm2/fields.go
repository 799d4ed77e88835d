package pm2

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/tidwall/gjson"

	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/ecosystem"
)

// fields is a JSON object whose keys are compared exactly, its values as they
// stand in the text. encoding/json folds case, and an environment variable NAME
// next to "name" would be read as it.
type fields map[string]string

// object takes valid JSON apart, one level deep; ok is false when it is no
// object. encoding/json reads a list of a hundred apps six times over: once for
// every level, and once more each to see that it is valid.
func object(raw string) (f fields, ok bool) {
	v := gjson.Parse(raw)
	if !v.IsObject() {
		return nil, false
	}
	f = make(fields, len(raw)/64)
	v.ForEach(func(key, value gjson.Result) bool {
		f[valid(key.Str)] = value.Raw
		return true
	})
	return f, true
}

// some is object for those keys alone.
func some(raw string, keys []string) (f fields, ok bool) {
	v := gjson.Parse(raw)
	if !v.IsObject() {
		return nil, false
	}
	f = make(fields, len(keys))
	v.ForEach(func(key, value gjson.Result) bool {
		if slices.Contains(keys, key.Str) {
			f[key.Str] = value.Raw
		}
		return true
	})
	return f, true
}

// valid writes what is no UTF-8 as encoding/json does.
func valid(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	return string([]rune(s))
}

// array does the same for an array.
func array(raw string) (list []string, ok bool) {
	v := gjson.Parse(raw)
	if !v.IsArray() {
		return nil, false
	}
	v.ForEach(func(_, value gjson.Result) bool {
		list = append(list, value.Raw)
		return true
	})
	return list, true
}

// loose writes any JSON scalar as text: PM2 keeps numbers as texts and texts as
// numbers, by version. What is kept of it must be cloned: it may be a piece of the
// whole answer, which has megabytes and every variable.
func loose(raw string) string {
	switch {
	case raw == "" || raw == "null":
		return ""
	case raw[0] != '"':
		return raw
	case strings.IndexByte(raw, '\\') < 0 && utf8.ValidString(raw): // as it stands: most texts do
		return raw[1 : len(raw)-1]
	}
	var s string
	_ = json.Unmarshal([]byte(raw), &s) // it is valid JSON
	return s
}

// text returns a scalar as a text of its own, "" for everything else.
func (f fields) text(k string) string { return strings.Clone(f.piece(k)) }

// piece is text for what is not kept: see loose.
func (f fields) piece(k string) string {
	if v := f[k]; len(v) > 0 && v[0] != '{' && v[0] != '[' {
		return loose(v)
	}
	return ""
}

func (f fields) number(k string) float64 {
	n, err := strconv.ParseFloat(f.piece(k), 64)
	if err != nil || math.IsNaN(n) || math.Abs(n) > 1<<53 {
		return 0
	}
	return n
}

// eventLoop returns what @pm2/io measured in the app and hangs on axm_monitor
// among the metrics of the app itself, of which nothing else is read.
func (f fields) eventLoop() float64 {
	const latency = "Event Loop Latency p95"
	all, _ := some(f["axm_monitor"], []string{latency})
	one, _ := some(all[latency], []string{"value"})
	return max(one.number("value"), 0)
}

func (f fields) truth(k string) bool { return f.piece(k) == "true" }

func (f fields) list(k string) []string {
	raw, ok := array(f[k])
	if !ok {
		if s := f.text(k); s != "" {
			return []string{s}
		}
		return nil
	}
	out := make([]string, len(raw))
	for i, r := range raw {
		out[i] = strings.Clone(loose(r))
	}
	return out
}

// value returns a setting as a fact's value; ok is false when it is absent, null
// or an object.
func (f fields) value(k string) (snapshot.Value, bool) {
	raw := f[k]
	switch {
	case len(raw) == 0:
		return snapshot.Value{}, false
	case raw[0] == '"':
		return snapshot.Text(ecosystem.MaskText(strings.Clone(loose(raw)))), true
	case raw[0] == 't' || raw[0] == 'f':
		return snapshot.Bool(raw[0] == 't'), true
	case raw[0] == '-' || raw[0] >= '0' && raw[0] <= '9':
		n, err := strconv.ParseFloat(raw, 64)
		return snapshot.Number(n), err == nil
	case raw[0] == '[':
		list := f.list(k)
		for i := range list {
			list[i] = ecosystem.MaskText(list[i])
		}
		return snapshot.List(list...), true
	}
	return snapshot.Value{}, false
}
