//go:build unix

package function

import (
	"strings"
	"testing"

	"healthaudit/snapshot"
	"healthaudit/snapshot/collect/collecttest"
)

// A list is looked at where the configuration names it, whatever it is called
// and whether it is there or not.
func TestManifests_of_the_configuration(t *testing.T) {
	dir := project(t, "-- netlify/functions/a.js --\n"+plain+"-- netlify/functions/functions-manifest.json --\n[\"a\"]\n"+
		"-- .netlify/functions/manifest.json --\n{\"system\": {}, \"functions\": [{\"name\": \"a\"}]}\n-- .gitignore --\n.netlify\n")
	s := collecttest.Session(t, dir)
	s.Config.Manifests = []string{"./lists/gone.json", ".netlify/functions/manifest.json", ".netlify/functions/manifest.json", "netlify/functions/functions-manifest.json"}
	snap := collecttest.Snapshot(t, s, Collector)
	if got, want := keys(snap), "a file:.netlify/functions/manifest.json file:lists/gone.json file:netlify/functions/functions-manifest.json"; got != want {
		t.Fatalf("%s, want %s", got, want)
	}
	for _, c := range []struct{ key, fact, want string }{
		{"file:.netlify/functions/manifest.json", "format", "build"}, {"file:.netlify/functions/manifest.json", "folder", "netlify/functions"},
		{"file:lists/gone.json", "missing", "true"}, {"file:netlify/functions/functions-manifest.json", "format", "names"},
	} {
		if got := fact(t, snap, c.key, c.fact); got != c.want {
			t.Errorf("%s %s: %q, want %q", c.key, c.fact, got, c.want)
		}
	}
	if it, err := Collector.Recollect(t.Context(), s, "functions/file:lists/gone.json"); err != nil || encodeItem(it) != encodeItem(snap.Item("functions/file:lists/gone.json")) {
		t.Errorf("collected again: %v, %v", it, err)
	}
}

// The count of the last good list outlives every bad one, and ends with the next
// that leaves nothing out.
func TestManifest_last_good_count(t *testing.T) {
	const list = "netlify/functions/functions-manifest.json"
	var functions strings.Builder
	for _, n := range "abcdef" {
		functions.WriteString("-- netlify/functions/" + string(n) + ".js --\n" + plain)
	}
	dir := project(t, functions.String())
	var before snapshot.Past = snapshot.Nothing
	for i, step := range []struct{ content, want string }{
		{`["a","b","c","d"]`, "4"}, {`["a","b","c","d","e","f"]`, "6"}, {`["a"]`, "6"}, {`[]`, "6"}, {`[`, "6"}, {`["a","b"]`, "6"},
		{strings.Repeat(" ", 2<<20), "6"}, {strings.Repeat(" ", 9<<20), "6"}, {`["a","b","c","d","e","f","g"]`, "7"}, {`["a","b","c","d","e","f"]`, "6"},
	} {
		collecttest.WriteFile(t, dir, list, []byte(step.content))
		s := collecttest.Session(t, dir)
		s.Previous = before
		snap := collecttest.Snapshot(t, s, Collector)
		if got := fact(t, snap, "file:"+list, "count.good"); got != step.want {
			t.Errorf("step %d: %s, want %s", i, got, step.want)
		}
		before = snap
	}
}
