package ecosystem

import (
	"maps"
	"reflect"
	"slices"
)

// varies finds out which values of the apps depend on the environment or the
// machine: it runs the file once more in a world where every variable is set and
// every number is another one, and compares. What a file only compares with some
// word is the same in both worlds, so what it does not find is likely, not
// certain, to be the same everywhere. Without the time for it everything varies.
func varies(req *request, apps []any, time bool) [][]string {
	out := make([][]string, len(apps))
	var second []any
	if time {
		again := *req
		again.other = true
		second = evaluate(&again).Apps
	}
	if len(second) != len(apps) {
		for i := range out {
			out[i] = []string{"*"}
		}
		return out
	}
	for i := range apps {
		a, _ := apps[i].(map[string]any)
		b, _ := second[i].(map[string]any)
		out[i] = unlike("", a, b)
	}
	return out
}

// unlike returns the keys whose values differ, with a prefix; of blocks of
// variables those within.
func unlike(prefix string, a, b map[string]any) (out []string) {
	keys := map[string]bool{}
	for k := range a {
		keys[k] = true
	}
	for k := range b {
		keys[k] = true
	}
	for _, k := range slices.Sorted(maps.Keys(keys)) {
		one, ok1 := a[k].(map[string]any)
		two, ok2 := b[k].(map[string]any)
		switch {
		case prefix == "" && ok1 && ok2:
			out = append(out, unlike(k+".", one, two)...)
		case !reflect.DeepEqual(a[k], b[k]):
			out = append(out, prefix+k)
		}
	}
	return out
}

// schemaKeys returns keys as they are spelt in the schema, sorted.
func schemaKeys(keys []string) []string {
	out := slices.Clone(keys)
	for i, k := range out {
		for _, r := range schema {
			if slices.Contains(r.names(), k) {
				out[i] = r.key
			}
		}
		if k == "cmd" || k == "command" {
			out[i] = "script"
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
