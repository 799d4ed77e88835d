//go:build unix

package function

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"healthaudit/snapshot"
)

// What a function asks for stands beside what netlify.toml says, and wins.
func TestFacts_compute(t *testing.T) {
	s := run(t, project(t, `
-- netlify.toml --
[build]
publish = "site"
[functions]
memory = 1024
region = "iad"
[functions.small]
vcpu = 0.5
[[edge_functions]]
path = "/geo/*"
function = "geo"
-- netlify/functions/small.js --
exports.handler = async () => {};
-- netlify/functions/large.mjs --
export default async () => {};
export const config = { memory: "2gb", timeout: 20, path: "/*", excludedPath: "/x", nodeVersion: "22" };
-- netlify/functions/wrong.mjs --
export default async () => {};
export const config = { region: "moon" };
-- netlify/edge-functions/geo.js --
export default () => new Response(<p/>);
-- netlify/edge-functions/off.js --
export default () => new Response("");
-- netlify/edge-functions/off.json --
{}
-- site/_redirects --
/a /.netlify/functions/small
/b /.netlify/functions/gone
`))
	for _, c := range []struct{ key, fact, want string }{
		{"small", "vcpu", "0.5"}, {"small", "memory", ""}, {"small", "region", "iad"}, {"small", "bundler", "zisi"},
		{"large", "memory", "2048"}, {"large", "timeout", "20"}, {"large", "routes", "/*"}, {"large", "routes.excluded", "/x"}, {"large", "node", "22"}, {"large", "bundler", "nft"},
		{"wrong", "refused", "config.region must be one of cmh, dub, fra, gru, iad, lhr, nrt, pdx, sfo, sin, syd, yul"},
		{"edge:geo", "routes", "/geo/*"}, {"edge:off", "lost", "netlify/edge-functions/off.json"}, {"file:site/_redirects", "directory", "netlify/functions"},
	} {
		if got := fact(t, s, c.key, c.fact); got != c.want {
			t.Errorf("%s %s: %q, want %q", c.key, c.fact, got, c.want)
		}
	}
	if refs := s.Item("functions/file:site/_redirects").Refs.All(); len(refs) != 1 || refs[0].Name != "small" || refs[0].Line != 1 || refs[0].Kind != snapshot.RefFunction {
		t.Errorf("refs of _redirects: %+v", refs)
	}
}

// A netlify.toml in the base is taken instead of the one that names the base.
func TestFacts_superseded(t *testing.T) {
	s := run(t, project(t, `
-- netlify.toml --
[build]
base = "site"
-- site/netlify.toml --
[functions]
directory = "api"
-- site/api/a.js --
`+plain))
	if got := fact(t, s, "file:netlify.toml", "superseded"); got != "site/netlify.toml" {
		t.Errorf("superseded by %q", got)
	}
	if got := fact(t, s, "site/a", "handler"); got != "exports.handler" {
		t.Errorf("handler %q of the function of the base: %s", got, keys(s))
	}
}

// A ready program is a function, however large, and is not unknown.
func TestFacts_program(t *testing.T) {
	self, err := os.ReadFile("/proc/self/exe")
	if err != nil || runtime.GOARCH != "amd64" {
		t.Skip("no program for Linux on amd64 at hand")
	}
	dir := project(t, "-- netlify/functions/readme.md --\nx\n")
	if err := os.WriteFile(filepath.Join(dir, "netlify/functions/worker"), self, 0o755); err != nil {
		t.Fatal(err)
	}
	s := run(t, dir)
	if got := fact(t, s, "worker", "runtime"); got != "go" || s.Item("functions/worker").Unknown != "" {
		t.Errorf("runtime %q, unknown %q", got, s.Item("functions/worker").Unknown)
	}
}
