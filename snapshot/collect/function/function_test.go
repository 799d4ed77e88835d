//go:build unix

package function

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"

	"healthaudit/snapshot"
	"healthaudit/snapshot/collect"
	"healthaudit/snapshot/collect/collecttest"
)

const plain = "exports.handler = async () => ({ statusCode: 200 });\n"

func run(t testing.TB, dir string) *snapshot.Snapshot {
	t.Helper()
	return collecttest.Snapshot(t, collecttest.Session(t, dir), Collector)
}

func project(t testing.TB, archive string) string {
	t.Helper()
	dir := t.TempDir()
	collecttest.Write(t, dir, archive)
	return dir
}

func keys(s *snapshot.Snapshot) string {
	var out []string
	for _, it := range s.Items {
		out = append(out, strings.TrimPrefix(string(it.Key), "functions/"))
	}
	return strings.Join(out, " ")
}

func fact(t testing.TB, s *snapshot.Snapshot, key, name string) string {
	t.Helper()
	it := s.Item(snapshot.Key("functions/" + key))
	if it == nil {
		t.Fatalf("no item %s among %s", key, keys(s))
	}
	v, _ := it.Fact(name)
	return v.Str()
}

func TestItems(t *testing.T) {
	for _, c := range []struct{ name, archive, want string }{
		{"none where there is nothing", "-- readme.md --\n", ""},
		{"the usual folder without a netlify.toml", "-- netlify/functions/a.js --\n" + plain, "a"},
		{"the configured folder", "-- netlify.toml --\n[functions]\ndirectory = 'fn'\n-- fn/a.js --\n-- netlify/functions/b.js --\n", "a file:netlify.toml"},
		{"the folder below base", "-- netlify.toml --\n[build]\nbase = 'web'\nfunctions = 'fn'\n-- web/fn/a.js --\n", "a file:netlify.toml"},
		{"none in a configured folder that is missing", "-- netlify.toml --\n[functions]\ndirectory = 'fn'\n-- netlify/functions/b.js --\n", "file:netlify.toml"},
		{"several sites, with their folder in front", "-- netlify.toml --\n-- netlify/functions/a.js --\n-- apps/x/netlify.toml --\n[functions]\ndirectory='fn'\n-- apps/x/fn/a.js --\n" +
			"-- apps/y/netlify.toml --\n-- apps/y/netlify/functions/a.js --\n", "a apps/x/a apps/y/a file:apps/x/netlify.toml file:apps/y/netlify.toml file:netlify.toml"},
		{"a folder of two sites once", "-- netlify.toml --\n[build]\nbase='web'\n-- web/netlify.toml --\n-- web/netlify/functions/a.js --\n", "file:netlify.toml file:web/netlify.toml web/a"},
		{"no vendored site", "-- node_modules/x/netlify.toml --\n", ""},
		{"edge functions", "-- netlify.toml --\n-- netlify/edge-functions/a.ts --\nexport default () => {}\n-- netlify/functions/a.js --\n", "a edge:a file:netlify.toml"},
		{"a list of functions", "-- netlify/functions/functions-manifest.json --\n{}\n-- netlify/functions/a.js --\n", "a file:netlify/functions/functions-manifest.json"},
		{"odd names", "-- netlify/functions/a b.js --\n-- netlify/functions/edge:x.js --\n-- netlify/functions/(system).js --\n-- netlify/functions/50%#.js --\n", "%28system) 50%25%23 a b edge%3Ax"},
		{"one of a name", "-- netlify/functions/a.js --\n-- netlify/functions/a.ts --\n-- netlify/functions/a/index.js --\n", "a"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := keys(run(t, project(t, c.archive))); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestFacts(t *testing.T) {
	s := run(t, project(t, `
-- netlify.toml --
[functions]
node_bundler = "esbuild"
[functions.a]
schedule = "@daily"
[functions.b]
schedule = "@daily"
-- netlify/functions/a.js --
const h = require("../lib/h");
exports.handler = h;
-- netlify/functions/b.mts --
import { h } from "../lib/h";
export default async () => h;
export const config = { schedule: "@hourly", path: "/b", method: "GET" };
-- netlify/functions/work-background/index.js --
exports.handler = async () => {};
-- netlify/functions/work-background/data.txt --
x
-- netlify/functions/work-background/package.json --
{}
-- netlify/lib/h.js --
module.exports = 1;
-- netlify/functions/functions-manifest.json --
{"generatedAt": "2026-01-01", "functions": ["b", {"name": "a", "path": "/x"}]}
`))
	for _, c := range []struct{ key, fact, want string }{
		{"a", "version", "v1"}, {"a", "handler", "exports.handler"}, {"a", "format", "cjs"}, {"a", "bundler", "esbuild"}, {"a", "schedule.effective", "@daily"},
		{"b", "version", "v2"}, {"b", "schedule.effective", "@hourly"}, {"b", "schedule.declared", "@daily, @hourly"}, {"b", "routes", "/b"}, {"b", "methods", "GET"},
		{"work-background", "background", "true"}, {"file:netlify.toml", "directory", "netlify/functions"},
		{"file:netlify/functions/functions-manifest.json", "functions", "a, b"}, {"file:netlify/functions/functions-manifest.json", "format", "mixed"},
		{"file:netlify/functions/functions-manifest.json", "count", "2"}, {"file:netlify/functions/functions-manifest.json", "folder", "netlify/functions"},
	} {
		if got := fact(t, s, c.key, c.fact); got != c.want {
			t.Errorf("%s %s: %q, want %q", c.key, c.fact, got, c.want)
		}
	}
	files := func(key string) (out []string) {
		for _, f := range s.Item(snapshot.Key("functions/" + key)).Files {
			out = append(out, fmt.Sprintf("%s:%s", filepath.Base(f.Path), f.Role))
		}
		return out
	}
	if got := files("a"); !slices.Equal(got, []string{"a.js:", "h.js:shared"}) {
		t.Errorf("files of a: %q", got)
	}
	if got := files("work-background"); !slices.Equal(got, []string{"data.txt:", "index.js:", "package.json:shared"}) {
		t.Errorf("files of work-background: %q", got)
	}
	refs := s.Item("functions/a").Refs.All()
	if len(refs) != 1 || refs[0].Path != "netlify/lib/h.js" || refs[0].Line != 1 {
		t.Errorf("refs of a: %+v", refs)
	}
}

// change writes one file of a project anew and returns the facts of key that changed.
func change(t *testing.T, archive, file, content, key string) string {
	t.Helper()
	dir := project(t, archive)
	old := run(t, dir)
	collecttest.WriteFile(t, dir, file, []byte(content))
	c := snapshot.Compare(old.Item(snapshot.Key("functions/"+key)), run(t, dir).Item(snapshot.Key("functions/"+key)), true, Collector.Risk)
	if c == nil {
		return ""
	}
	var out []string
	for _, f := range c.Facts {
		out = append(out, f.Name+" "+string(f.Risk))
	}
	return strings.Join(out, ", ")
}

func TestChanges(t *testing.T) {
	const v2 = "export default () => 1;\nexport const config = { schedule: '@daily', path: '/a' };\n"
	base := "-- netlify/functions/a.mjs --\nimport '../lib/h.js';\n" + v2 + "-- netlify/lib/h.js --\nexport const one = 1;\n-- netlify/functions/functions-manifest.json --\n{\"generatedAt\": \"x\", \"functions\": [\"a\"]}\n"
	main, imp := "netlify/functions/a.mjs", "import '../lib/h.js';\n"
	for _, c := range []struct{ name, file, content, key, want string }{
		{"a comment is none", main, imp + "// new\n" + v2, "a", ""},
		{"a comment in a helper is none", "netlify/lib/h.js", "/* new */ export  const one=1", "a", ""},
		{"a helper's code is one", "netlify/lib/h.js", "export const one = 2;", "a", "content neutral"},
		{"a schedule that vanished is dangerous", main, imp + strings.Replace(v2, "schedule: '@daily', ", "", 1), "a", "content neutral, schedule.declared neutral, schedule.effective up"},
		{"a schedule that changed is dangerous", main, imp + strings.Replace(v2, "@daily", "@hourly", 1), "a", "content neutral, schedule.declared neutral, schedule.effective up"},
		{"a route that vanished is dangerous", main, imp + strings.Replace(v2, ", path: '/a'", "", 1), "a", "content neutral, routes up"},
		{"a handler that vanished is dangerous", main, imp, "a", "bundler neutral, content neutral, handler up, routes up, schedule.declared neutral, schedule.effective up, version neutral"},
		{"another date in a manifest is none", "netlify/functions/functions-manifest.json", "{\"generatedAt\": \"y\",\n\"functions\": [\"a\"]}", "file:netlify/functions/functions-manifest.json", ""},
		{"a name gone from a manifest is dangerous", "netlify/functions/functions-manifest.json", "{\"functions\": []}", "file:netlify/functions/functions-manifest.json", "functions up"},
		{"a manifest that broke has lost no names", "netlify/functions/functions-manifest.json", "{\"functions\": [\"a\"", "file:netlify/functions/functions-manifest.json", "broken up"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := change(t, base, c.file, c.content, c.key); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func encode(t *testing.T, s *snapshot.Snapshot) string {
	t.Helper()
	b, err := json.Marshal(s.Items)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestDeterminism(t *testing.T) {
	archive := "-- netlify.toml --\n[functions.'*']\nnode_bundler='nft'\n[functions.a]\ntimeout=1\nx=2\nschedule='@daily'\n[[scheduled.functions]]\nname='q'\n"
	for i := range 40 {
		archive += fmt.Sprintf("-- netlify/functions/f%d.js --\nrequire('./f%d'); require('../lib');\n%s", i, (i+1)%40, plain)
	}
	archive += "-- netlify/lib/index.js --\nmodule.exports = 1\n"
	first := encode(t, run(t, project(t, archive)))
	for range 3 {
		if got := encode(t, run(t, project(t, archive))); got != first {
			t.Fatal("the same project in another folder gives other items")
		}
	}
}

// memo is a store's cache that counts what had to be computed.
type memo struct {
	m    map[string][]byte
	puts int
}

func (m *memo) Get(k string) []byte    { return m.m[k] }
func (m *memo) Put(k string, v []byte) { m.m[k] = v; m.puts++ }

func TestCache(t *testing.T) {
	dir := project(t, "-- netlify.toml --\n-- netlify/functions/a.js --\nrequire('./b')\n"+plain+"-- netlify/functions/b.js --\n"+plain)
	kept := &memo{m: map[string][]byte{}}
	collectOnce := func() string {
		s := collecttest.Session(t, dir)
		s.Config.Concurrency = 1
		s.Derived = &snapshot.Derived{Memo: kept}
		return encode(t, collecttest.Snapshot(t, s, Collector))
	}
	cold := collectOnce()
	computed := kept.puts
	if warm := collectOnce(); warm != cold || kept.puts != computed || computed == 0 {
		t.Errorf("%d analyses cold, %d more warm; same items: %v", computed, kept.puts-computed, warm == cold)
	}
}

func TestRecollect(t *testing.T) {
	dir := project(t, "-- netlify.toml --\n-- netlify/functions/a.js --\n"+plain+"-- netlify/edge-functions/e.js --\nexport default () => {}\n-- x/functions-manifest.json --\n{}\n")
	s := collecttest.Session(t, dir)
	snap := collecttest.Snapshot(t, s, Collector)
	for _, it := range snap.Items {
		again, err := Collector.Recollect(t.Context(), s, it.Key)
		if err != nil || again == nil || encodeItem(again) != encodeItem(it) {
			t.Errorf("%s: %v, %v", it.Key, again, err)
		}
	}
	if it, err := Collector.Recollect(t.Context(), s, "functions/gone"); it != nil || err != nil {
		t.Errorf("a function that is gone: %v, %v", it, err)
	}
}

func TestHostile(t *testing.T) {
	write := func(t *testing.T, dir, name, content string) { collecttest.WriteFile(t, dir, name, []byte(content)) }
	for _, c := range []struct {
		name  string
		make  func(t *testing.T, dir string)
		key   string
		fact  string // "name=value", or "unknown=reason"
		judge string // another item that must be judged all the same
	}{
		{"a netlify.toml that is a folder", func(t *testing.T, dir string) { write(t, dir, "netlify.toml/x", "") }, "file:netlify.toml", "unreadable=not a regular file", "ok"},
		{"a netlify.toml that is a FIFO", func(t *testing.T, dir string) { mkfifo(t, filepath.Join(dir, "netlify.toml")) }, "file:netlify.toml", "unreadable=not a regular file", "ok"},
		{"a netlify.toml that leads out", func(t *testing.T, dir string) { symlink(t, "/etc/passwd", filepath.Join(dir, "netlify.toml")) }, "file:netlify.toml", "unreadable=a symbolic link, not followed", "ok"},
		{"a netlify.toml of 100 MB", func(t *testing.T, dir string) { truncate(t, filepath.Join(dir, "netlify.toml"), 100<<20) }, "file:netlify.toml", "unreadable=larger than 8 MiB", "ok"},
		{"a netlify.toml of 2 MB", func(t *testing.T, dir string) { write(t, dir, "netlify.toml", strings.Repeat("#", 2<<20)) }, "file:netlify.toml", "unreadable=larger than 1 MiB", "ok"},
		{"a function of 50 MB", func(t *testing.T, dir string) { truncate(t, filepath.Join(dir, "netlify/functions/big.js"), 50<<20) }, "big", "unknown=larger than 8 MiB, not analysed", "ok"},
		{"a minified function of 4 MB", func(t *testing.T, dir string) {
			write(t, dir, "netlify/functions/mini.js", strings.Repeat("a.b(1);", 600_000)+plain)
		}, "mini", "handler=exports.handler", "ok"},
		{"a million brackets", func(t *testing.T, dir string) {
			write(t, dir, "netlify/functions/deep.js", strings.Repeat("[", 1_000_000))
		}, "deep", "unknown=nested too deeply to be parsed", "ok"},
		{"a dangling link", func(t *testing.T, dir string) { symlink(t, "gone.js", filepath.Join(dir, "netlify/functions/l.js")) }, "l", "unreadable=it is not there", "ok"},
		{"a link out of the project", func(t *testing.T, dir string) {
			symlink(t, "/etc/passwd", filepath.Join(dir, "netlify/functions/l.js"))
		}, "l", "unknown=a symbolic link that leaves the project", "ok"},
		{"a link that climbs out", func(t *testing.T, dir string) {
			symlink(t, "../../../../etc/passwd", filepath.Join(dir, "netlify/functions/l.js"))
		}, "l", "unknown=a symbolic link that leaves the project", "ok"},
		{"a link in a circle", func(t *testing.T, dir string) {
			symlink(t, "l.js", filepath.Join(dir, "netlify/functions/k.js"))
			symlink(t, "k.js", filepath.Join(dir, "netlify/functions/l.js"))
		}, "l", "unknown=a symbolic link that leads back to itself", "ok"},
		{"a link to a file of the project", func(t *testing.T, dir string) {
			write(t, dir, "src/real.js", plain)
			symlink(t, "../../src/real.js", filepath.Join(dir, "netlify/functions/l.js"))
		}, "l", "handler=exports.handler", "ok"},
		{"a folder linked as a function", func(t *testing.T, dir string) { symlink(t, "/", filepath.Join(dir, "netlify/functions/root")) }, "ok", "handler=exports.handler", "ok"},
		{"a name with a newline", func(t *testing.T, dir string) { write(t, dir, "netlify/functions/a\nb.js", plain) }, "a%0Ab", "handler=exports.handler", "ok"},
		{"UTF-16", func(t *testing.T, dir string) { write(t, dir, "netlify/functions/u.js", "\xff\xfee\x00") }, "u", "runtime=js", "ok"},
		{"imports in a circle", func(t *testing.T, dir string) {
			write(t, dir, "netlify/functions/c.js", "require('../c1');"+plain)
			write(t, dir, "netlify/c1.js", "require('./functions/c'); require('./c1')")
		}, "c", "handler=exports.handler", "ok"},
		{"a manifest that is no JSON", func(t *testing.T, dir string) { write(t, dir, "functions-manifest.json", "{\n<<<<<<< HEAD\n") }, "file:functions-manifest.json", "broken=merge conflict marker", "ok"},
		{"a TOML bomb of brackets", func(t *testing.T, dir string) { write(t, dir, "netlify.toml", "a="+strings.Repeat("[", 1<<20-10)) }, "file:netlify.toml", "directory=netlify/functions", "ok"},
		{"a TOML key of 500,000 parts", func(t *testing.T, dir string) { write(t, dir, "netlify.toml", strings.Repeat("a.", 500_000)+"a=1") }, "file:netlify.toml", "directory=netlify/functions", "ok"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := project(t, "-- netlify/functions/ok.js --\n"+plain)
			c.make(t, dir)
			s := run(t, dir)
			name, want, _ := strings.Cut(c.fact, "=")
			got := fact(t, s, c.key, name)
			if name == "unknown" {
				got = s.Item(snapshot.Key("functions/" + c.key)).Unknown
			}
			if got != want {
				t.Errorf("%s %s: %q, want %q", c.key, name, got, want)
			}
			if got := fact(t, s, c.judge, "handler"); got != "exports.handler" {
				t.Errorf("the rest is not judged: %s has handler %q", c.judge, got)
			}
		})
	}
}

// A configuration that cannot be read does not make its functions vanish.
func TestRemembersFolder(t *testing.T) {
	dir := project(t, "-- netlify.toml --\n[functions]\ndirectory='fn'\n-- fn/a.js --\n"+plain)
	before := run(t, dir)
	collecttest.WriteFile(t, dir, "netlify.toml", []byte("[functions\n"))
	s := collecttest.Session(t, dir)
	s.Previous = before
	if got := keys(collecttest.Snapshot(t, s, Collector)); got != "a file:netlify.toml" {
		t.Errorf("got %q", got)
	}
}

// Nor does it take away what it said of them, or what was wrong with it.
func TestUnreadConfigurationTakesNothingBack(t *testing.T) {
	dir := project(t, "-- netlify.toml --\n[functions.a]\nschedule='@daily'\n-- netlify/functions/a.js --\n"+plain)
	before := run(t, dir)
	collecttest.WriteFile(t, dir, "netlify.toml", []byte("[functions\n"))
	s := collecttest.Session(t, dir)
	s.Previous = before
	after := collecttest.Snapshot(t, s, Collector)
	for _, c := range snapshot.Diff(before, after, nil) {
		for _, f := range c.Facts {
			if f.New == nil {
				t.Errorf("%s: %s is called gone", c.Item, f.Name)
			}
		}
	}
	if it := after.Item("functions/file:netlify.toml"); it.Unknown == "" {
		t.Error("the file itself is called known")
	}
}

func TestFolderBehindALinkIsNotListed(t *testing.T) {
	dir := project(t, "-- netlify.toml --\n[build]\n-- netlify/functions/a.js --\n"+plain)
	if err := os.Rename(filepath.Join(dir, "netlify/functions"), filepath.Join(dir, "elsewhere")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("../elsewhere", filepath.Join(dir, "netlify/functions")); err != nil {
		t.Skip(err)
	}
	if st := run(t, dir).System(snapshot.Functions); len(st.Failed()) == 0 {
		t.Errorf("%+v", st)
	}
}

// No value that may be a secret gets into an item.
func TestSecrets(t *testing.T) {
	const secret = "tr0ub4dor-and-3"
	s := run(t, project(t, strings.ReplaceAll(`
-- netlify.toml --
[build]
command = "TOKEN=SECRET npm run build"
[build.environment]
TOKEN = "SECRET"
[[headers]]
for = "/*"
[headers.values]
Authorization = "SECRET"
[functions.a]
environment = { TOKEN = "SECRET" }
-- netlify/functions/a.js --
const token = "SECRET";
process.env.TOKEN = 'SECRET';
exports.handler = call("SECRET", { key: "SECRET" });
exports.config = { secret: "SECRET" };
-- netlify/functions/b.js --
const token = "x" "SECRET"
-- netlify/functions/.env --
TOKEN=SECRET
-- netlify/functions/c/index.js --
exports.handler = 1
-- netlify/functions/c/.env --
TOKEN=SECRET
-- functions-manifest.json --
{"token": "SECRET", "functions": [{"name": "a", "token": "SECRET"}]}
`, "SECRET", secret)))
	if strings.Contains(encode(t, s), secret) {
		t.Error("an item holds the secret")
	}
	for _, f := range s.Item("functions/c").Files {
		if filepath.Base(f.Path) == ".env" && f.SHA256 != "" {
			t.Error("a digest of .env was taken")
		}
	}
}

func symlink(t *testing.T, target, name string) {
	t.Helper()
	if err := os.Symlink(target, name); err != nil {
		t.Skip(err)
	}
}

func mkfifo(t *testing.T, name string) {
	t.Helper()
	if err := syscall.Mkfifo(name, 0o644); err != nil {
		t.Skip(err)
	}
}

func truncate(t *testing.T, name string, size int64) {
	t.Helper()
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := f.Truncate(size); err != nil {
		t.Fatal(err)
	}
}

// large writes a site with n functions of a usual size that share helpers.
func large(t testing.TB, n int) string {
	dir := t.TempDir()
	for i := range n {
		body := fmt.Sprintf("const h = require('../lib/h%d');\nconst { spawn } = require('child_process');\nconst id = %d;\n", i%20, i)
		for j := range 40 {
			body += fmt.Sprintf("async function step%d(event) { const r = await h.run({ id: %d, name: `x${event.id}` }); if (!r.ok) { throw new Error('no ' + %d); } return r; }\n", j, j, j)
		}
		collecttest.WriteFile(t, dir, fmt.Sprintf("netlify/functions/f%d.js", i), []byte(body+plain))
	}
	for i := range 20 {
		collecttest.WriteFile(t, dir, fmt.Sprintf("netlify/lib/h%d.js", i), []byte("exports.run = async () => ({ ok: true });\n"))
	}
	return dir
}

func TestFiveThousand(t *testing.T) {
	dir := t.TempDir()
	for i := range 5000 {
		collecttest.WriteFile(t, dir, fmt.Sprintf("netlify/functions/f%d.js", i), []byte(plain))
	}
	if n := len(run(t, dir).Items); n != 5000 {
		t.Errorf("%d items, want 5000", n)
	}
}

func BenchmarkCold450(b *testing.B) {
	dir := large(b, 450)
	runtime.GC()
	for b.Loop() {
		s := collecttest.Session(b, dir)
		if _, err := Collector.Collect(b.Context(), s); err != nil {
			b.Fatal(err)
		}
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	b.ReportMetric(float64(m.Sys)/(1<<20), "sys-MB")
}

func BenchmarkWarm450(b *testing.B) {
	dir := large(b, 450)
	s := collecttest.Session(b, dir)
	kept := &memo{m: map[string][]byte{}}
	s.Derived, s.Config.Concurrency = &snapshot.Derived{Memo: kept}, 1
	if _, err := Collector.Collect(b.Context(), s); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		w := &collect.Session{Host: s.Host, Tree: s.Tree, Derived: &snapshot.Derived{Memo: kept}, Previous: s.Previous, Secret: s.Secret, Files: s.Files}
		w.Config.Concurrency = 1
		if _, err := Collector.Collect(b.Context(), w); err != nil {
			b.Fatal(err)
		}
	}
}

func encodeItem(it *snapshot.Item) string {
	b, err := json.Marshal(it)
	if err != nil {
		return err.Error()
	}
	return string(b)
}
