package function

import (
	"strings"
	"testing"

	"healthaudit/snapshot"
	"healthaudit/snapshot/collect/collecttest"
)

func TestBuild(t *testing.T) {
	const before = `
-- netlify.toml --
[build]
base = "web"
command = "npm run build -- --token s3cret-in-command"
publish = "dist/"
[build.environment]
NODE_VERSION = "20"
TOKEN = "s3cret-in-toml"
[context.production]
command = "npm run build:full && node ../scripts/stamp.js"
[context.production.environment]
NODE_VERSION = "22"
-- web/package.json --
{"scripts": {"build": "vite build", "build:full": "vite build"}}
-- scripts/stamp.js --
1
`
	look := func(archive string) *snapshot.Item {
		dir := t.TempDir()
		collecttest.Write(t, dir, archive)
		return collecttest.Snapshot(t, collecttest.Session(t, dir), Collector).Item("functions/file:netlify.toml")
	}
	it := look(before)
	var got []string
	for _, r := range it.Refs.All() {
		got = append(got, r.Target())
		if r.Line != 9 {
			t.Errorf("%s is said to stand on line %d", r.Target(), r.Line)
		}
	}
	if s := strings.Join(got, ", "); s != "scripts/stamp.js, npm run build:full in web" {
		t.Errorf("the build starts %q", s)
	}
	for _, f := range it.Facts.All() {
		if strings.Contains(f.Value.Str(), "s3cret") {
			t.Errorf("%s holds a secret in clear", f.Name)
		}
	}
	if v, _ := it.Fact("build.publish"); v.Str() != "dist" {
		t.Errorf("published is %q", v.Str())
	}
	for edit, want := range map[string]string{
		`build:full && :build && `:               "build.command",
		`"22":"24"`:                              "build.env.NODE_VERSION",
		`"s3cret-in-toml":"s3cret-in-toml-2"`:    "build.env.TOKEN",
		`s3cret-in-command:s3cret-in-command-2`:  "", // production has another command
		"publish = \"dist/\":publish = \"dist\"": "",
	} {
		i := strings.LastIndex(edit, ":")
		c := snapshot.Compare(it, look(strings.Replace(before, edit[:i], edit[i+1:], 1)), true, nil)
		switch {
		case want == "" && c != nil:
			t.Errorf("%s: %+v", edit, c.Facts)
		case want != "" && (c == nil || len(c.Facts) != 1 || c.Facts[0].Name != want):
			t.Errorf("%s: %+v, want a change of %s", edit, c, want)
		}
	}
}
