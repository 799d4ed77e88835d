package function

import (
	"fmt"
	"strings"
	"testing"

	"healthaudit/audit"
	"healthaudit/snapshot"
	"healthaudit/snapshot/collect/collecttest"
	"healthaudit/snapshot/collect/function"
)

const (
	work     = "exports.handler = async () => ({});\n"
	listFile = "netlify/functions/functions-manifest.json"
)

// site is a project with these functions and a list that says this.
func site(functions, says string) string {
	var b strings.Builder
	for f := range strings.FieldsSeq(functions) {
		fmt.Fprintf(&b, "-- netlify/functions/%s.js --\n%s", f, work)
	}
	return b.String() + "-- " + listFile + " --\n" + says + "\n"
}

func brief(findings []audit.Finding) string {
	var out []string
	for _, f := range findings {
		out = append(out, fmt.Sprintf("%s %s:%s", f.Severity, strings.TrimPrefix(f.Check, "function-"), f.Discriminator))
	}
	return strings.Join(out, ", ")
}

// A collapse stays one until the list is whole, through runs in which it cannot
// be read; and it ends when the functions go, too.
func TestManifestDrift_collapse_lasts(t *testing.T) {
	const functions = "a b c d e f"
	var before snapshot.Past = snapshot.Nothing
	for i, step := range []struct{ functions, says, want string }{
		{functions, `["a", "b", "c", "d", "e", "f"]`, ""},
		{functions, `["a", "b"]`, "high manifest-drift:unlisted"},
		{functions, `["a", "b"]`, "high manifest-drift:unlisted"},
		{functions, `["a", "b"`, "high manifest-invalid:syntax"},
		{functions, `[]`, "high manifest-drift:unlisted"},
		{functions, `["a", "b", "c"]`, "low manifest-drift:unlisted"},
		{"a b", `["a", "b"]`, ""},
		{functions, `["a", "b"]`, ""}, // a selection, as far as anybody knows
		{functions, `[]`, "high manifest-drift:unlisted"},
		{functions + " g h", `["a", "b", "c", "d", "e", "f", "g", "h"]`, ""},
		{"a b c d", `["a", "b", "c"]`, "low manifest-drift:unlisted"}, // most of the functions went, and it may have been meant
	} {
		dir := t.TempDir()
		collecttest.Write(t, dir, site(step.functions, step.says))
		s := collecttest.Session(t, dir)
		s.Previous = before
		snap := collecttest.Snapshot(t, s, function.Collector)
		j := audit.Judge(All, &audit.World{Now: snap, Before: before, Derived: s.Derived})
		if got := brief(j.Findings); got != step.want {
			t.Errorf("step %d: %s, want %s", i, got, step.want)
		}
		if blind := j.Blind[audit.Sight{Check: ManifestDrift.ID, Item: "functions/file:" + listFile}]; blind != strings.Contains(step.want, "syntax") {
			t.Errorf("step %d: nobody could look is %v", i, blind)
		}
		before = snap
	}
}

// One cause is one finding: another case of a letter is not told from both
// sides, a file that cannot be read not by two checks, a function that vanished
// not twice.
func TestManifest_tells_of_a_cause_once(t *testing.T) {
	for _, c := range []struct{ name, archive, want string }{
		{"a letter's case", site("Hello b c", `["hello", "b", "c"]`), "medium manifest-drift:listed"},
		{"no JSON", site("a", `{"functions": ["a", "a",`), "high manifest-invalid:syntax"},
		{"an empty file", site("a", ""), "high manifest-invalid:syntax"},
		{"all renamed", site("a b", `["x", "y"]`), "medium manifest-drift:listed"},
		{"a helper that lies among the functions", site("a", `["a"]`) + "-- netlify/functions/h.js --\nexports.x = 1;\n", "high no-handler:"},
		{"a test that lies among the functions", site("a", `["a"]`) + "-- netlify/functions/a.test.js --\nmodule.exports = require('./a');\n", "high name-invalid:files"},
		{"a helper that may be a function", site("a", `["a", "b"]`) + "-- netlify/functions/b.js --\nrequire('./h');\n" + work + "-- netlify/functions/h.js --\nmodule.exports = require('../lib');\n-- netlify/lib.js --\n", ""},
		{"a function that a framework makes", site("a", `{"system": {}, "functions": [{"name": "a"}, {"name": "ssr", "generator": "x"}]}`), ""},
		{"a folder without functions", "-- netlify/functions/readme.md --\n-- " + listFile + " --\n[]\n", ""},
		{"no folder of functions", "-- netlify.toml --\n[functions]\ndirectory = 'built'\n-- " + listFile + " --\n[\"a\"]\n", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := brief(judge(t, c.archive)); got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
	t.Run("a function that vanished", func(t *testing.T) {
		dir := t.TempDir()
		collecttest.Write(t, dir, site("a", `["a", "b"]`))
		s := collecttest.Session(t, dir)
		w := &audit.World{Now: collecttest.Snapshot(t, s, function.Collector), Before: snapshot.Nothing, Derived: s.Derived,
			Gone: []audit.Gone{{Item: "functions/b", Name: "b"}}}
		if got := brief(audit.Judge(All, w).Findings); got != "" {
			t.Error(got)
		}
	})
}

// Names from the file break no line of a message, and no finding is long.
func TestManifest_hostile_names(t *testing.T) {
	var names []string
	for i := range 9000 {
		names = append(names, fmt.Sprintf(`"\u001b[31m\n%d"`, i))
	}
	for _, f := range judge(t, site("a b", `["a", "b", `+strings.Join(names, ",")+`]`)) {
		text := f.Message
		for _, e := range f.Evidence {
			text += e.Value
		}
		if strings.ContainsAny(text, "\n\x1b") || len(text) > 5000 {
			t.Errorf("%d bytes: %.300q", len(text), text)
		}
	}
}

// A list that the configuration names and that is not there is told, and its
// place in the limits is read.
func TestManifest_configured(t *testing.T) {
	dir := t.TempDir()
	collecttest.Write(t, dir, site("a b c d", `["a", "b", "c"]`))
	s := collecttest.Session(t, dir)
	s.Config.Manifests = []string{".netlify/functions/manifest.json"}
	s.Previous = &snapshot.Snapshot{Items: []*snapshot.Item{{Key: "functions/file:" + listFile, Facts: snapshot.PartsOf([]snapshot.Fact{
		{Name: "functions", Class: snapshot.Set, Value: snapshot.SetOf("a", "b", "c", "d")}}...)}}}
	w := &audit.World{Now: collecttest.Snapshot(t, s, function.Collector), Before: s.Previous, Derived: s.Derived,
		Limits: map[string]float64{"function-manifest-drift.collapse": 0.8}}
	if got, want := brief(audit.Judge(All, w).Findings), "high manifest-drift:unlisted, medium manifest-invalid:missing"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
