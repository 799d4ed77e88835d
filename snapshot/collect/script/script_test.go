package script

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"healthaudit/snapshot"
	"healthaudit/snapshot/collect"
	"healthaudit/snapshot/collect/collecttest"
)

const sample = `
-- package.json --
{
  "name": "shop", "type": "module",
  "engines": {"node": ">=20"},
  "scripts": {
    "build": "vite build --token s3cret-in-npm",
    "sync": "node scripts/sync.js"
  }
}
-- web/package.json --
{"scripts": {"build": "vite build"}}
-- scripts/sync.js --
import { a } from './lib/a.js';
import gone from './lib/gone.js';
import '../dist/made.js';
-- scripts/lib/a.ts --
export const a = 1;
-- scripts/deploy.sh* --
#!/usr/bin/env bash
echo "s3cret-in-shell"
-- scripts/report.py --
import helper, os
print("ok")
-- scripts/helper.py --
x = 1
-- scripts/broken.py --
def f(:
    pass
-- scripts/old.js.bak --
(
-- scripts/README.md --
text
-- hooks/pre-push* --
#!/bin/sh
exit 0
-- src/app.js --
app()
-- root.sh --
echo root
-- ops/crontab --
MAILTO=s3cret-in-env@example.org
CRON_TZ=Europe/Berlin
*/5 * * * * cd /srv/shop && node scripts/sync.js --password s3cret-in-cron
@daily cd /srv/shop && node scripts/sync.js --password s3cret-in-cron
0 4 * * * /opt/other/run.sh
-- node_modules/x/scripts/a.sh --
(
`

func session(t *testing.T, archive string) *collect.Session {
	t.Helper()
	dir := t.TempDir()
	collecttest.Write(t, dir, archive)
	return collecttest.Session(t, dir)
}

func keys(s *snapshot.Snapshot) (out []string) {
	for _, it := range s.Items {
		out = append(out, string(it.Key))
	}
	return out
}

func TestCollect(t *testing.T) {
	s := session(t, sample)
	if _, err := s.Host.Look("python3"); err != nil {
		t.Skip("no python3 to judge the Python files")
	}
	snap := collecttest.Snapshot(t, s, Collector)
	want := []string{
		"scripts/cron:ops/crontab:d69dbceb", "scripts/cron:ops/crontab:de09aec5", "scripts/file:ops/crontab", "scripts/file:package.json", "scripts/file:web/package.json",
		"scripts/hooks/pre-push", "scripts/npm:build", "scripts/npm:sync", "scripts/root.sh", "scripts/scripts/broken.py", "scripts/scripts/deploy.sh",
		"scripts/scripts/helper.py", "scripts/scripts/lib/a.ts", "scripts/scripts/report.py", "scripts/scripts/sync.js", "scripts/web/npm:build",
	}
	if d := cmp.Diff(want, keys(snap)); d != "" {
		t.Fatalf("items (-want +got):\n%s", d)
	}
	facts := func(key snapshot.Key) string {
		var out []string
		for _, f := range snap.Item(key).Facts.All() {
			if f.Name != "content" {
				out = append(out, f.Name+"="+f.Value.Str())
			}
		}
		return strings.Join(out, " ")
	}
	for key, want := range map[snapshot.Key]string{
		"scripts/scripts/deploy.sh":         "executable=true interpreter=bash language=shell syntax=ok trait-places=2:1:idle: traits=idle",
		"scripts/scripts/report.py":         "executable=false language=python syntax=ok",
		"scripts/scripts/sync.js":           "executable=false language=javascript module=esm module-place=1:19 syntax=ok",
		"scripts/file:package.json":         "engines.node=>=20 scripts=build, sync syntax=ok type=module",
		"scripts/file:ops/crontab":          "entries=3 env=CRON_TZ, MAILTO syntax=ok",
		"scripts/cron:ops/crontab:de09aec5": "schedule=*/5 * * * * Europe/Berlin, @daily Europe/Berlin starts=scripts/sync.js syntax=ok",
	} {
		if got := facts(key); got != want {
			t.Errorf("%s:\n got %s\nwant %s", key, got, want)
		}
	}
	for key, want := range map[snapshot.Key]string{"scripts/scripts/report.py": "scripts/helper.py", "scripts/scripts/sync.js": "scripts/lib/a.ts scripts/lib/gone.js"} {
		var got []string
		for _, r := range snap.Item(key).Refs.All() {
			got = append(got, r.Target())
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s refers to %q, want %q", key, got, want)
		}
	}
	if v, _ := snap.Item("scripts/scripts/broken.py").Fact("syntax"); v.Str() != syntaxBroken {
		t.Errorf("broken.py is %q", v.Str())
	}
}

func TestCollect_twice_is_equal_and_elsewhere_too(t *testing.T) {
	encode := func(s *snapshot.Snapshot) string {
		b, err := json.Marshal(s.Items)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	s := session(t, sample)
	s.Derived = &snapshot.Derived{Memo: newMemo()}
	first := encode(collecttest.Snapshot(t, s, Collector))
	cold := s.Derived.Memo.(memo)
	s.Derived = &snapshot.Derived{Memo: frozen{cold, t}}
	s.Files = &collect.Capture{Host: s.Host}
	if d := cmp.Diff(first, encode(collecttest.Snapshot(t, s, Collector))); d != "" {
		t.Errorf("second run differs: %s", d)
	}
	if d := cmp.Diff(first, encode(collecttest.Snapshot(t, session(t, sample), Collector))); d != "" {
		t.Errorf("copy in another folder differs: %s", d)
	}
	for key, b := range cold.vals {
		if strings.Contains(string(b), "s3cret") {
			t.Errorf("cached %s: %s", key, b)
		}
	}
	if strings.Contains(first, "s3cret") {
		t.Error("an item holds a secret")
	}
}

type memo struct {
	mu   *sync.Mutex
	vals map[string][]byte
}

func newMemo() memo { return memo{&sync.Mutex{}, map[string][]byte{}} }

func (m memo) Get(k string) []byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.vals[k]
}

func (m memo) Put(k string, b []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.vals[k] = b
}

// frozen fails the test when something is analysed that was cached before.
type frozen struct {
	memo
	t *testing.T
}

func (m frozen) Put(k string, _ []byte) { m.t.Errorf("%s was computed again", k) }

func TestCollect_without_python(t *testing.T) {
	s := session(t, "-- scripts/a.py --\nx = (\n")
	s.Host = noPython{s.Host}
	res, err := Collector.Collect(t.Context(), s)
	if err != nil || len(res.Items) != 1 {
		t.Fatalf("%+v, %v", res, err)
	}
	if v, _ := res.Items[0].Fact("syntax"); v.Str() != syntaxNone || !strings.Contains(res.Reason, "1 Python files") {
		t.Errorf("syntax %q, reason %q", v.Str(), res.Reason)
	}
}

// What a file declared is unknown, not gone, when the file becomes something
// that is not read.
func TestCollect_declarationsBehindALink(t *testing.T) {
	s := session(t, "-- package.json --\n{\"scripts\": {\"a\": \"node x.js\"}}\n-- crontab --\n1 2 * * * node x.js\n-- x.js --\n1\n-- other/package.json --\n{}\n-- other/crontab --\n3 4 * * * node y.js\n")
	before := collecttest.Snapshot(t, s, Collector)
	root := s.Host.Root()
	for i, change := range []func(p string) error{
		func(p string) error {
			return errors.Join(os.Remove(p), os.Symlink(filepath.Join("other", filepath.Base(p)), p))
		},
		func(p string) error {
			return errors.Join(os.Remove(p), os.WriteFile(p, []byte("no crontab, no JSON\n"), 0o644))
		},
	} {
		for _, p := range []string{"package.json", "crontab"} {
			if err := change(filepath.Join(root, p)); err != nil {
				t.Fatal(err)
			}
		}
		again := collecttest.Session(t, root)
		again.Previous = before
		after := collecttest.Snapshot(t, again, Collector)
		for _, it := range before.Items {
			if after.Item(it.Key) == nil && !after.Unread(it) {
				t.Errorf("change %d: %s is called gone", i, it.Key)
			}
		}
	}
	// A link from the start declares nothing, and nobody misses it.
	if st := collecttest.Snapshot(t, session(t, "-- a/package.json --\n{}\n"), Collector).System(snapshot.Scripts); len(st.Failed()) > 0 {
		t.Errorf("%+v", st)
	}
}

// A text that is too much for the parser is not known to be wrong.
func TestCollect_tooMuchIsUnknown(t *testing.T) {
	s := session(t, "-- scripts/a.sh --\n#!/bin/bash\n"+strings.Repeat("f() { g; }\n", 20_000))
	it := collecttest.Snapshot(t, s, Collector).Item("scripts/scripts/a.sh")
	if it == nil || it.Unknown == "" || len(factStrings(it, "problems")) > 0 {
		t.Errorf("%+v", it)
	}
}

func factStrings(it *snapshot.Item, name string) []string {
	v, _ := it.Fact(name)
	return v.Strings()
}

func TestCollect_absent(t *testing.T) {
	res, err := Collector.Collect(t.Context(), session(t, "-- src/a.js --\n1\n"))
	if err != nil || !res.Absent {
		t.Errorf("%+v, %v", res, err)
	}
}

func TestRecollect(t *testing.T) {
	s := session(t, sample)
	snap := collecttest.Snapshot(t, s, Collector)
	for _, it := range snap.Items {
		again, err := Collector.Recollect(t.Context(), s, it.Key)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(it, again, cmp.Comparer(snapshot.Value.Equal), cmp.Transformer("facts", snapshot.Parts[snapshot.Fact].All), cmp.Transformer("refs", snapshot.Parts[snapshot.Ref].All)); d != "" {
			t.Errorf("%s (-collected +again):\n%s", it.Key, d)
		}
	}
	p := filepath.Join(s.Host.Root(), "scripts/deploy.sh")
	if err := os.WriteFile(p, []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	it, err := Collector.Recollect(t.Context(), s, "scripts/scripts/deploy.sh")
	if v, _ := it.Fact("interpreter"); err != nil || v.Str() != "sh" {
		t.Errorf("changed file: %+v, %v", it, err)
	}
	os.Remove(p)
	if it, err := Collector.Recollect(t.Context(), s, "scripts/scripts/deploy.sh"); it != nil || err != nil {
		t.Errorf("removed file: %+v, %v", it, err)
	}
}

func TestRisk(t *testing.T) {
	yes, no, ok, broken := snapshot.Bool(true), snapshot.Bool(false), snapshot.Text("ok"), snapshot.Text("broken")
	two, one, other := snapshot.SetOf("a", "b"), snapshot.SetOf("a"), snapshot.SetOf("c")
	for _, c := range []struct {
		fact     string
		old, new *snapshot.Value
		want     snapshot.Risk
	}{
		{"executable", &yes, &no, snapshot.RiskUp}, {"executable", &no, &yes, snapshot.RiskDown},
		{"syntax", &ok, &broken, snapshot.RiskUp}, {"syntax", &broken, &ok, snapshot.RiskDown},
		{"starts", &two, &one, snapshot.RiskUp}, {"starts", &one, &two, snapshot.RiskNeutral}, {"starts", &one, nil, snapshot.RiskUp}, {"starts", &one, &other, snapshot.RiskNeutral}, {"starts", nil, &one, snapshot.RiskNeutral},
		{"content", &ok, &broken, snapshot.RiskNeutral},
	} {
		if got := risk(c.fact, c.old, c.new); got != c.want {
			t.Errorf("%s %v → %v: %s, want %s", c.fact, c.old, c.new, got, c.want)
		}
	}
}

func TestFollow(t *testing.T) {
	s := session(t, `
-- package.json --
{"scripts": {"start": "node src/app.js", "lost": "node src/lost.js", "made": "node dist/app.js"}}
-- src/app.js --
import './routes.js';
-- src/routes.js --
(
-- src/other.js --
1
-- scripts/job.js --
import '../src/other.js';
`)
	snap := collecttest.Snapshot(t, s, Collector)
	want := []string{"scripts/file:package.json", "scripts/npm:lost", "scripts/npm:made", "scripts/npm:start", "scripts/scripts/job.js", "scripts/src/app.js"}
	if d := cmp.Diff(want, keys(snap)); d != "" {
		t.Error(d)
	}
	if it := snap.Item("scripts/src/app.js"); it.Source != sourceFollowed || it.Refs.Len() != 1 || it.Refs.All()[0].Path != "src/routes.js" {
		t.Errorf("%+v", it)
	}
}

func TestCollect_links(t *testing.T) {
	s := session(t, "-- scripts/real.sh --\necho\n-- scripts/folder/x.txt --\n")
	root := s.Host.Root()
	const circle, nothing, out, behind = "leads back to itself", "leads to nothing", "leads out", "scripts/loop is a symbolic link"
	for name, c := range map[string]struct{ to, why string }{
		"self.sh": {"self.sh", circle}, "a.sh": {"b.sh", circle}, "b.sh": {"a.sh", circle}, "c.sh": {"a.sh", circle},
		"real1.sh": {"real.sh", ""}, "real2.sh": {"./real1.sh", ""}, "dir.sh": {"folder", ""},
		"none.sh": {"nowhere.sh", nothing}, "none2.sh": {"none.sh", nothing}, "out.sh": {"../../x.sh", out}, "out2.sh": {"out.sh", out}, "abs.sh": {"/etc/hosts", out},
		"loop": {"loop", ""}, "behind.sh": {"loop/x.sh", behind},
	} {
		if err := os.Symlink(c.to, filepath.Join(root, "scripts", name)); err != nil {
			t.Fatal(err)
		}
		defer func() {
			it := collecttest.Snapshot(t, collecttest.Session(t, root), Collector).Item(snapshot.Key("scripts/scripts/" + name))
			switch {
			case name == "loop":
			case it == nil || it.Unknown == "" != (c.why == "") || !strings.Contains(it.Unknown, c.why):
				t.Errorf("%s: %+v", name, it)
			}
		}()
	}
}

func TestCollect_saysWhatItLeavesOut(t *testing.T) {
	for _, c := range []struct {
		files int
		want  string
	}{{minForeign - 1, ""}, {minForeign + 500, "1500 files below node_modules are other people's code and left out"}} {
		s := session(t, "-- scripts/a.sh --\necho a\n")
		paths := slices.Clone(s.Tree.All())
		for i := range c.files {
			paths = append(paths, snapshot.TreePath{Path: fmt.Sprintf("web/node_modules/p/%d.js", i), Kind: snapshot.PathFile, State: snapshot.Tracked})
		}
		s.Tree = snapshot.NewTree(true, paths)
		res, err := Collector.Collect(t.Context(), s)
		if err != nil || res.Reason != c.want {
			t.Errorf("%d files: %q, %v", c.files, res.Reason, err)
		}
		for _, it := range res.Items {
			if strings.Contains(it.Path, "node_modules") {
				t.Errorf("%s is listed", it.Key)
			}
		}
	}
}
