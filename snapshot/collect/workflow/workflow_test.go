//go:build unix

package workflow

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"healthaudit/snapshot"
	"healthaudit/snapshot/collect"
	"healthaudit/snapshot/collect/collecttest"
	"healthaudit/snapshot/host"
)

const base = `name: CI
on:
  push:
    branches: [main]
  schedule:
    - cron: '17 3 * * *'
permissions:
  contents: read
jobs:
  build:
    runs-on: ubuntu-latest
    timeout-minutes: 10
    steps:
      - uses: actions/checkout@8f4b7f84864484a7bf31766abe9204da3cbe65b3
      - name: Test
        run: npm test
        env:
          TOKEN: hunter2
      - name: Key
        uses: acme/act@v1
        with:
          key: ${{ secrets.A }}
  after:
    needs: build
    runs-on: ubuntu-latest
    steps:
      - run: make
`

// snap takes a snapshot of one workflow file, after an earlier one if given.
func snap(t testing.TB, src string, before *snapshot.Snapshot) *snapshot.Snapshot {
	t.Helper()
	dir := t.TempDir()
	collecttest.WriteFile(t, dir, Folder+"/ci.yml", []byte(src))
	s := collecttest.Session(t, dir)
	if before != nil {
		s.Previous = before
	}
	return collecttest.Snapshot(t, s, Collector)
}

func TestDiff(t *testing.T) {
	for _, c := range []struct {
		name     string
		old, new string // a replacement in base
		want     []string
	}{
		{"comment", "jobs:\n", "# what follows\njobs:\n\n", nil},
		{"quotes and flow style", "branches: [main]", "branches:\n      - \"main\"", nil},
		{"step renamed", "name: Test\n", "name: Test it\n", nil},
		{"step with another id", "name: Test\n", "id: check\n", []string{"neutral jobs.build.step[Test].env.TOKEN: (secret) → ", "neutral jobs.build.step[Test].run: (secret) → ",
			"neutral jobs.build.step[check].env.TOKEN:  → (secret)", "neutral jobs.build.step[check].run:  → (secret)",
			"neutral jobs.build.steps: uses:actions/checkout, Test, Key → uses:actions/checkout, check, Key"}},
		{"step renamed and edited", "name: Test\n        run: npm test", "name: Test it\n        run: npm test -- -x", []string{"neutral jobs.build.step[Test it].env.TOKEN:  → (secret)",
			"neutral jobs.build.step[Test it].run:  → (secret)", "neutral jobs.build.step[Test].env.TOKEN: (secret) → ", "neutral jobs.build.step[Test].run: (secret) → ",
			"neutral jobs.build.steps: uses:actions/checkout, Test, Key → uses:actions/checkout, Test it, Key"}},
		{"command in another style, with a comment", "run: npm test", "run: |\n          # all of them\n          npm test\n", nil},
		{"environment taken away", "    needs: build\n", "    needs: build\n    environment: prod\n", []string{"down jobs.after.environment:  → prod"}},
		{"queue of a group", "    needs: build\n", "    needs: build\n    concurrency: {group: a, queue: max}\n", []string{"neutral jobs.after.concurrency:  → a", "neutral jobs.after.concurrency.queue:  → max"}},
		{"condition in its two forms", "run: npm test", "run: npm test\n        if: ${{ always() }}", []string{"neutral jobs.build.step[Test].if:  → always()"}},
		{"permission widened", "contents: read", "contents: write", []string{"up permissions: contents: read → contents: write"}},
		{"permissions taken away", "permissions:\n  contents: read\n", "", []string{"up permissions: contents: read → default"}},
		{"permissions narrowed", "permissions:\n  contents: read\n", "permissions: {}\n", []string{"down permissions: contents: read → none"}},
		{"pin to tag", "checkout@8f4b7f84864484a7bf31766abe9204da3cbe65b3", "checkout@v5",
			[]string{"up jobs.build.step[uses:actions/checkout].uses: actions/checkout@8f4b7f84864484a7bf31766abe9204da3cbe65b3 → actions/checkout@v5"}},
		{"version bump", "acme/act@v1", "acme/act@v2", []string{"neutral jobs.build.step[Key].uses: acme/act@v1 → acme/act@v2"}},
		{"new owner", "acme/act@v1", "evil/act@v1", []string{"neutral jobs.build.runs: npm, uses:acme/act → npm, uses:evil/act",
			"neutral jobs.build.step[Key].uses: acme/act@v1 → evil/act@v1", "up owners: acme → evil"}},
		{"new secret", "secrets.A", "secrets.B", []string{"neutral jobs.build.step[Key].with.key: (secret) → (another secret)", "up secrets: A → B"}},
		{"value of a variable", "hunter2", "hunter3", []string{"neutral jobs.build.step[Test].env.TOKEN: (secret) → (another secret)"}},
		{"dangerous trigger", "  schedule:", "  pull_request_target:\n  schedule:", []string{"up on: push, schedule → pull_request_target, push, schedule"}},
		{"schedule removed", "  schedule:\n    - cron: '17 3 * * *'\n", "", []string{"neutral on: push, schedule → push", "up schedule.cron: 17 3 * * * → "}},
		{"schedule moved", "17 3", "18 3", []string{"neutral schedule.cron: 17 3 * * * → 18 3 * * *"}},
		{"timeout removed", "    timeout-minutes: 10\n", "", []string{"up jobs.build.timeout: 10 → "}},
		{"failure masked", "run: npm test", "run: npm test || true", []string{"up jobs.build.step[Test].masked:  → 1", "neutral jobs.build.step[Test].run: (secret) → (another secret)"}},
		{"failure tolerated", "run: npm test", "run: npm test\n        continue-on-error: true", []string{"up jobs.build.step[Test].continue-on-error:  → true"}},
		{"own runner", "runs-on: ubuntu-latest\n    timeout", "runs-on: self-hosted\n    timeout", []string{"up jobs.build.runs-on: ubuntu-latest → self-hosted"}},
		{"job removed", "  after:\n    needs: build\n    runs-on: ubuntu-latest\n    steps:\n      - run: make\n", "", []string{"up jobs: after, build → build",
			"neutral jobs.after.needs: build → ", "neutral jobs.after.runs: make → ", "neutral jobs.after.runs-on: ubuntu-latest → ",
			"neutral jobs.after.step[run:make].run: (secret) → ", "neutral jobs.after.steps: run:make → "}},
		{"failure answered by echo", "run: npm test", "run: npm test || echo failed", []string{"up jobs.build.step[Test].masked:  → 1", "neutral jobs.build.step[Test].run: (secret) → (another secret)"}},
		{"job tolerated", "    needs: build\n", "    needs: build\n    continue-on-error: true\n", []string{"up jobs.after.continue-on-error:  → true"}},
		{"job switched off", "    needs: build\n", "    needs: build\n    if: false\n", []string{"up jobs.after.if:  → false"}},
		{"permission of a job", "    needs: build\n", "    needs: build\n    permissions: {contents: write, packages: read}\n", []string{"up jobs.after.permissions:  → contents: write, packages: read"}},
		{"all permissions", "permissions:\n  contents: read\n", "permissions: write-all\n", []string{"up permissions: contents: read → write-all"}},
		{"tag to pin", "acme/act@v1", "acme/act@8f4b7f84864484a7bf31766abe9204da3cbe65b3", []string{"down jobs.build.step[Key].uses: acme/act@v1 → acme/act@8f4b7f84864484a7bf31766abe9204da3cbe65b3"}},
		{"another owner joins", "      - run: make\n", "      - run: make\n      - uses: evil/act@v1\n", []string{"neutral jobs.after.runs: make → make, uses:evil/act", "neutral jobs.after.step[uses:evil/act].uses:  → evil/act@v1",
			"neutral jobs.after.steps: run:make → run:make, uses:evil/act", "up owners: acme → acme, evil"}},
		{"job removed that another needs", "  build:\n", "  built:\n", []string{"neutral jobs: after, build → after, built", "up state: active → invalid"}},
		{"order of keys", "    runs-on: ubuntu-latest\n    timeout-minutes: 10\n", "    timeout-minutes: 10\n    runs-on: ubuntu-latest\n", nil},
		{"no longer valid", "name: CI", "name: CI: x", []string{"up state: active → invalid"}},
		{"command gutted", "- run: make", "- run: echo done", []string{"up jobs.after.gutted-from:  → make", "up jobs.after.hollow:  → true", "up jobs.after.runs: make → echo",
			"neutral jobs.after.step[run:echo].run:  → (secret)", "neutral jobs.after.step[run:make].run: (secret) → ", "neutral jobs.after.steps: run:make → run:echo"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if !strings.Contains(base, c.old) {
				t.Fatalf("base has no %q", c.old)
			}
			old := snap(t, base, nil)
			now := snap(t, strings.Replace(base, c.old, c.new, 1), old)
			var got []string
			for _, ch := range snapshot.Diff(old, now, func(snapshot.System) snapshot.RiskFunc { return Risk }) {
				for _, f := range ch.Facts {
					got = append(got, fmt.Sprintf("%s %s: %s → %s", f.Risk, f.Name, str(f.Old), str(f.New)))
				}
			}
			if c.name == "job removed that another needs" { // every fact of the job goes and comes
				got = slices.DeleteFunc(got, func(l string) bool { return strings.Contains(l, "jobs.buil") })
			}
			slices.Sort(c.want)
			slices.Sort(got)
			if d := cmp.Diff(strings.Join(c.want, "\n"), strings.Join(got, "\n")); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
			back := map[string]snapshot.Risk{}
			for _, ch := range snapshot.Diff(now, old, func(snapshot.System) snapshot.RiskFunc { return Risk }) {
				for _, f := range ch.Facts {
					back[f.Name] = f.Risk
				}
			}
			for _, l := range got {
				risk, rest, _ := strings.Cut(l, " ")
				if name, _, _ := strings.Cut(rest, ": "); risk == "up" && back[name] == snapshot.RiskUp && name != "secrets" && name != "owners" && name != "jobs" {
					t.Errorf("%s is riskier in both directions", name)
				}
			}
		})
	}
}

// A workflow under another name is the same workflow; one that is replaced by
// something else is not.
func TestDiffFollowsRenames(t *testing.T) {
	at := func(files map[string]string, before *snapshot.Snapshot) *snapshot.Snapshot {
		dir := t.TempDir()
		for name, src := range files {
			collecttest.WriteFile(t, dir, Folder+"/"+name, []byte(src))
		}
		s := collecttest.Session(t, dir)
		if before != nil {
			s.Previous = before
		}
		return collecttest.Snapshot(t, s, Collector)
	}
	other := "on: pull_request\njobs:\n  x:\n    runs-on: macos-latest\n    steps:\n      - run: swift build\n      - run: swift test\n"
	for _, c := range []struct {
		name     string
		old, new map[string]string
		want     []string
	}{
		{"same bytes", map[string]string{"ci.yml": base}, map[string]string{"build.yml": base}, []string{"changed workflows/build.yml from workflows/ci.yml: 0"}},
		{"edited at the same time", map[string]string{"ci.yml": base}, map[string]string{"build.yml": strings.Replace(base, "    timeout-minutes: 10\n", "", 1)},
			[]string{"changed workflows/build.yml from workflows/ci.yml: 1"}},
		{"two at once", map[string]string{"a.yml": base, "b.yml": other}, map[string]string{"c.yml": other, "d.yml": base},
			[]string{"changed workflows/c.yml from workflows/b.yml: 0", "changed workflows/d.yml from workflows/a.yml: 0"}},
		{"replaced", map[string]string{"ci.yml": base}, map[string]string{"swift.yml": other}, []string{"removed workflows/ci.yml from : 0", "added workflows/swift.yml from : 0"}},
		{"copied", map[string]string{"ci.yml": base}, map[string]string{"ci.yml": base, "copy.yml": base}, []string{"added workflows/copy.yml from : 0"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			old := at(c.old, nil)
			now := at(c.new, old)
			var got []string
			for _, ch := range snapshot.Diff(old, now, func(snapshot.System) snapshot.RiskFunc { return Risk }) {
				got = append(got, fmt.Sprintf("%s %s from %s: %d", ch.Op, ch.Item, ch.From, len(ch.Facts)))
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

func str(v *snapshot.Value) string {
	if v == nil {
		return ""
	}
	return v.Str()
}

// A gutted job stays gutted until it works again, whatever happens between.
func TestGuttedIsRemembered(t *testing.T) {
	gutted := strings.Replace(base, "- run: make", "- run: echo done", 1)
	broken := strings.Replace(base, "name: CI", "name: CI: x", 1)
	fact := func(s *snapshot.Snapshot) string {
		v, _ := s.Item("workflows/ci.yml").Fact("jobs.after.gutted-from")
		return v.Str()
	}
	s := snap(t, base, nil)
	for i, step := range []struct{ src, want string }{
		{gutted, "make"},
		{gutted + "# touched\n", "make"},
		{broken, "make"},
		{gutted, "make"},
		{base, ""},
		{gutted, "make"},
	} {
		s = snap(t, step.src, s)
		if got := fact(s); got != step.want {
			t.Fatalf("step %d: gutted-from is %q, want %q", i, got, step.want)
		}
	}
	if got := fact(snap(t, gutted, nil)); got != "" {
		t.Errorf("without a past: %q", got)
	}
}

// A file that was broken when it was first seen and is then repaired has not
// gained all it holds.
func TestRepairedFileGainsNothing(t *testing.T) {
	broken := snap(t, strings.Replace(base, "name: CI", "name: CI: x", 1), nil)
	fixed := snap(t, base, broken)
	ch := snapshot.Diff(broken, fixed, nil)
	if len(ch) != 1 || len(ch[0].Facts) > 2 {
		t.Errorf("got %+v", ch)
	}
	for _, f := range ch[0].Facts {
		if f.Name != "state" && f.Name != "name" {
			t.Errorf("fact %s changed", f.Name)
		}
	}
}

func TestUnchangedItemIsReused(t *testing.T) {
	dir := t.TempDir()
	collecttest.WriteFile(t, dir, Folder+"/ci.yml", []byte(base))
	s := collecttest.Session(t, dir)
	res, err := Collector.Collect(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	prev := &snapshot.Snapshot{Items: res.Items}
	again := collecttest.Session(t, dir)
	again.Previous = prev
	again.Cursors = func(_ snapshot.System, name string) json.RawMessage { return res.Cursors[name] }
	second, _ := Collector.Collect(t.Context(), again)
	if second.Items[0] != res.Items[0] {
		t.Error("an unchanged item of the same version was made again")
	}
	again.Cursors = func(snapshot.System, string) json.RawMessage { return json.RawMessage(`"0"`) }
	third, _ := Collector.Collect(t.Context(), again)
	if third.Items[0] == res.Items[0] {
		t.Error("an item of another version was reused")
	}
	if d := cmp.Diff(string(res.Items[0].Encode()), string(third.Items[0].Encode())); d != "" {
		t.Errorf("equal files give other items:\n%s", d)
	}
	fresh, err := Collector.Recollect(t.Context(), again, "workflows/ci.yml")
	if err != nil || fresh == nil || string(fresh.Encode()) != string(third.Items[0].Encode()) {
		t.Errorf("recollect: %v %v", fresh, err)
	}
	if gone, err := Collector.Recollect(t.Context(), again, "workflows/none.yml"); gone != nil || err != nil {
		t.Errorf("recollect of nothing: %v %v", gone, err)
	}
}

// denied is a host on which one file may not be read.
type denied struct {
	host.Host
	path string
}

func (d denied) Read(p string, max int64) ([]byte, error) {
	if p == d.path {
		return nil, fs.ErrPermission
	}
	return d.Host.Read(p, max)
}

func TestHostileFiles(t *testing.T) {
	dir := t.TempDir()
	w := func(name, src string) { collecttest.WriteFile(t, dir, Folder+"/"+name, []byte(src)) }
	w("good.yml", base)
	w("new\nline #1%.yml", base)
	w("denied.yml", base)
	w("huge.yml", "on: push\n#"+strings.Repeat("x", 2<<20))
	w("line.yml", "on: "+strings.Repeat("x", 100<<20))
	w("folder.yml/x", "")
	w("broken.yml", "name: a: b\n")
	w("ignored.yml.backup", base)
	for _, err := range []error{
		syscall.Mkfifo(filepath.Join(dir, Folder, "fifo.yml"), 0o644),
		os.Symlink("/etc/passwd", filepath.Join(dir, Folder, "out.yml")),
		os.Symlink("loop.yml", filepath.Join(dir, Folder, "loop.yml")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	s := collecttest.Session(t, dir)
	s.Host = denied{s.Host, Folder + "/denied.yml"}
	s.Files = &collect.Capture{Host: s.Host}
	res, err := Collector.Collect(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	got := map[snapshot.Key]string{}
	for _, it := range res.Items {
		got[it.Key] = it.State + ": " + it.Unknown
	}
	want := map[snapshot.Key]string{
		"workflows/good.yml":               "active: ",
		"workflows/new%0Aline %231%25.yml": "active: ",
		"workflows/denied.yml":             "unreadable: it may not be read (permission denied)",
		"workflows/huge.yml":               "unreadable: it is larger than 1024 KiB",
		"workflows/line.yml":               "unreadable: it is too large",
		"workflows/folder.yml":             "unreadable: it is a folder",
		"workflows/broken.yml":             "invalid: ",
		"workflows/fifo.yml":               "unreadable: it is not a regular file",
		"workflows/out.yml":                "unreadable: it is a symbolic link",
		"workflows/loop.yml":               "unreadable: it is a symbolic link",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	it, err := Collector.Recollect(t.Context(), s, "workflows/new%0Aline %231%25.yml")
	if err != nil || it == nil {
		t.Errorf("an escaped key is found again: %v %v", it, err)
	}
}

func TestFolderThatIsALink(t *testing.T) {
	dir := t.TempDir()
	collecttest.WriteFile(t, dir, "elsewhere/ci.yml", []byte(base))
	if err := os.MkdirAll(filepath.Join(dir, ".github"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("../elsewhere", filepath.Join(dir, Folder)); err != nil {
		t.Fatal(err)
	}
	res, err := Collector.Collect(t.Context(), collecttest.Session(t, dir))
	if err != nil || res.Absent || len(res.Sources) != 1 || res.Sources[0].OK {
		t.Errorf("got %+v %v, want a failed source", res, err)
	}
}

func TestAbsent(t *testing.T) {
	dir := t.TempDir()
	collecttest.WriteFile(t, dir, ".github/dependabot.yml", []byte("version: 2\n"))
	res, err := Collector.Collect(t.Context(), collecttest.Session(t, dir))
	if err != nil || !res.Absent {
		t.Errorf("got %+v %v, want absent", res, err)
	}
}

// Values stand in an item, a context or a cached verdict only as hashes, and
// nothing that a workflow names is started.
func TestSecretsAndCanary(t *testing.T) {
	dir := t.TempDir()
	canary := filepath.Join(dir, "canary-was-run")
	const s1 = "s3cr3t-value"
	src := `name: Canary
on:
  workflow_dispatch: {inputs: {a: {default: ` + s1 + `}}}
env: {A: ` + s1 + `}
jobs:
  a:
    runs-on: ubuntu-latest
    container: {image: x, env: {B: ` + s1 + `}, credentials: {username: u, password: ` + s1 + `}}
    services: {db: {image: postgres, env: {P: ` + s1 + `}}}
    env: {C: ` + s1 + `}
    strategy: {matrix: {key: [` + s1 + `], include: [{arg: ` + s1 + `}]}}
    steps:
      - run: touch ` + canary + `; deploy --token ` + s1 + `
        env: {D: ` + s1 + `}
      - uses: acme/x@v1
        with: {token: ` + s1 + `, args: --password ` + s1 + `}
      - run: $(touch ` + canary + `)
        shell: bash -c "touch ` + canary + `" {0}
  b:
    uses: ./.github/workflows/b.yml
    with: {x: ` + s1 + `}
    secrets: {Y: ` + s1 + `}
`
	collecttest.WriteFile(t, dir, Folder+"/ci.yml", []byte(src))
	collecttest.WriteFile(t, dir, Actions+"/x/action.yml", []byte("name: x\ninputs: {a: {default: "+s1+"}}\nruns: {using: composite, steps: [{run: touch "+canary+" "+s1+", shell: bash, env: {E: "+s1+"}}]}\n"))
	s := collecttest.Session(t, dir)
	memo := &memory{m: map[string][]byte{}}
	s.Derived = &snapshot.Derived{Memo: memo}
	res, err := Collector.Collect(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	all, _ := json.Marshal(res)
	for k, v := range memo.m {
		all = append(append(all, k...), v...)
	}
	if len(memo.m) == 0 || strings.Contains(string(all), s1) {
		t.Errorf("a value is in clear in %s", all)
	}
	if _, err := os.Lstat(canary); err == nil {
		t.Error("something of the project was executed")
	}
}

type memory struct {
	mu sync.Mutex
	m  map[string][]byte
}

func (m *memory) Get(k string) []byte { m.mu.Lock(); defer m.mu.Unlock(); return m.m[k] }
func (m *memory) Put(k string, v []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.m[k] = v
}
