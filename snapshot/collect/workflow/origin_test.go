package workflow

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"healthaudit/snapshot"
	"healthaudit/snapshot/collect/collecttest"
	"healthaudit/snapshot/host"
)

// A past is a repository that a test gives commits to.
type past struct {
	t       *testing.T
	dir     string
	commits map[string]string // hash → its number, counted from 1
}

func newPast(t *testing.T) *past {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("no git")
	}
	p := &past{t, t.TempDir(), map[string]string{}}
	p.git("init", "-q", "-b", "main")
	return p
}

func (p *past) git(args ...string) string {
	p.t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = p.dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=/nonexistent", "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1",
		"GIT_AUTHOR_NAME=Ada", "GIT_AUTHOR_EMAIL=a@b", "GIT_COMMITTER_NAME=Bot", "GIT_COMMITTER_EMAIL=a@b",
		"GIT_AUTHOR_DATE=2026-11-0" + fmt.Sprint(len(p.commits)+1) + "T23:30:00-02:00", "GIT_COMMITTER_DATE=2026-11-20T00:00:00Z"}
	out, err := cmd.CombinedOutput()
	if err != nil {
		p.t.Fatalf("git %s: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// write writes workflows: "good" and "hollow" and "bad" ones, with a number that
// makes them differ. An empty text removes the file.
func (p *past) write(files map[string]string) {
	p.t.Helper()
	for name, text := range files {
		kind, n, _ := strings.Cut(text, " ")
		path := filepath.Join(Folder, name)
		switch kind {
		case "":
			if err := os.Remove(filepath.Join(p.dir, path)); err != nil {
				p.t.Fatal(err)
			}
			continue
		case "good":
			text = "on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - run: make all # " + n + "\n"
		case "hollow":
			text = "on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - run: echo done # " + n + "\n"
		case "bad":
			text = "on: push\n jobs:\n  a: # " + n + "\n"
		}
		collecttest.WriteFile(p.t, p.dir, path, []byte(text))
	}
}

func (p *past) commit(files map[string]string) {
	p.t.Helper()
	p.write(files)
	p.git("add", "-A")
	p.git("commit", "-qm", "x", "--allow-empty")
	p.commits[p.git("rev-parse", "HEAD")] = fmt.Sprint(len(p.commits) + 1)
}

// origins returns the facts of every item that has some, as "by author day +with | valid day path".
func (p *past) origins(snap *snapshot.Snapshot) map[string]string {
	out := map[string]string{}
	for _, it := range snap.Items {
		by, ok := it.Fact(BrokenBy)
		if !ok {
			continue
		}
		valid, _ := it.Fact(ValidAt)
		with, _ := it.Fact(BrokenWith)
		line := strings.Join(by.Strings(), " ")
		for _, w := range with.Strings() {
			line += " +" + filepath.Base(w)
		}
		line += " | " + strings.Join(valid.Strings(), " ")
		for hash, n := range p.commits {
			line = strings.ReplaceAll(line, hash, "#"+n)
		}
		out[it.Name] = strings.ReplaceAll(line, Folder+"/", "")
	}
	return out
}

func TestOrigins(t *testing.T) {
	p := newPast(t)
	p.commit(map[string]string{"a.yml": "good 1", "b.yml": "good 1", "c.yml": "good 1", "moved.yml": "good x", "edited.yml": "good 1", "fine.yml": "good 1", "again.yml": "good 1"})
	p.commit(map[string]string{"a.yml": "good 2", "moved.yml": "", "now.yml": "good x", "again.yml": ""})
	p.commit(map[string]string{"a.yml": "bad 1", "b.yml": "bad 1", "now.yml": "bad 1", "again.yml": "bad 1", "fine.yml": "bad 1"})
	p.commit(map[string]string{"a.yml": "bad 2", "c.yml": "hollow 1", "fine.yml": "good 1", "never.yml": "bad 1"})
	for i := range 12 {
		p.commit(map[string]string{"b.yml": fmt.Sprint("bad ", i+2)})
	}
	p.write(map[string]string{"edited.yml": "bad 1", "untracked.yml": "bad 1"})
	s := collecttest.Session(t, p.dir)
	snap := collecttest.Snapshot(t, s, Collector)
	want := map[string]string{
		"a.yml":         "#3 Ada 2026-11-04 +again.yml +b.yml +now.yml | #2 2026-11-03 a.yml",
		"b.yml":         "#3 Ada 2026-11-04 +a.yml +again.yml +now.yml | #1 2026-11-02 b.yml",
		"now.yml":       "#3 Ada 2026-11-04 +a.yml +again.yml +b.yml | #2 2026-11-03 now.yml",
		"again.yml":     "#3 Ada 2026-11-04 +a.yml +b.yml +now.yml | ",
		"c.yml":         "#4 Ada 2026-11-05 +never.yml | #1 2026-11-02 c.yml",
		"never.yml":     "#4 Ada 2026-11-05 +c.yml | ",
		"edited.yml":    " | #1 2026-11-02 edited.yml",
		"untracked.yml": " | ",
	}
	agree(t, p.origins(snap), want)
	if snap.Systems[0].Reason != "" {
		t.Errorf("reason: %s", snap.Systems[0].Reason)
	}
}

func agree(t *testing.T, got, want map[string]string) {
	t.Helper()
	for name := range want {
		if got[name] != want[name] {
			t.Errorf("%s: %q, want %q", name, got[name], want[name])
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d files, want %d: %v", len(got), len(want), got)
	}
}

// A file that was given another name while it worked leads back to that name.
func TestOrigins_renamed(t *testing.T) {
	p := newPast(t)
	p.commit(map[string]string{"old.yml": "good 1"})
	p.commit(map[string]string{"old.yml": "bad 1"})
	p.commit(map[string]string{"old.yml": "", "new.yml": "bad 1"})
	agree(t, p.origins(collecttest.Snapshot(t, collecttest.Session(t, p.dir), Collector)), map[string]string{"new.yml": "#2 Ada 2026-11-03 | #1 2026-11-02 old.yml"})
}

func TestOrigins_shallow(t *testing.T) {
	p := newPast(t)
	p.commit(map[string]string{"a.yml": "good 1", "b.yml": "good 1"})
	p.commit(map[string]string{"a.yml": "bad 1"})
	p.commit(map[string]string{"b.yml": "bad 1"})
	from := p.dir
	p.dir = t.TempDir()
	p.git("clone", "-q", "--depth", "2", "file://"+from, ".")
	snap := collecttest.Snapshot(t, collecttest.Session(t, p.dir), Collector)
	agree(t, p.origins(snap), map[string]string{"b.yml": "#3 Ada 2026-11-04 | #2 2026-11-03 b.yml"})
	if why := snap.Systems[0].Reason; !strings.Contains(why, "since when 1 of its files") {
		t.Errorf("it is not said what is not known: %q", why)
	}
}

// One commit that breaks very many files: what is kept of each does not grow with
// their number. Nor does the name of an author have any length or form.
func TestOrigins_many(t *testing.T) {
	p := newPast(t)
	all := map[string]string{}
	for i := range maxWith + 15 {
		all[fmt.Sprintf("%02d.yml", i)] = fmt.Sprint("bad ", i)
	}
	p.write(all)
	p.git("add", "-A")
	p.git("-c", "user.useConfigOnly=false", "commit", "-qm", "x", "--author", strings.Repeat("né\x07", 2000)+" <a@b>")
	snap := collecttest.Snapshot(t, collecttest.Session(t, p.dir), Collector)
	for _, it := range snap.Items {
		by, _ := it.Fact(BrokenBy)
		with, _ := it.Fact(BrokenWith)
		more, _ := it.Fact(BrokenWithMore)
		n, _ := more.Num()
		names := with.Strings()
		if len(names) != maxWith || n != 14 || slices.Contains(names, it.Path) {
			t.Errorf("%s: %v and %v more", it.Name, names, n)
		}
		if l := by.Strings(); len(l) != 3 || len(l[1]) > 110 || !strings.HasPrefix(l[1], "né") || !utf8.ValidString(l[1]) {
			t.Errorf("%s: by %q", it.Name, l)
		}
	}
	if len(snap.Items) != len(all) {
		t.Errorf("%d items", len(snap.Items))
	}
}

// A commit of no time that a calendar has is one of unknown time, not of the year 1.
func TestOrigins_dateless(t *testing.T) {
	p := newPast(t)
	p.commit(map[string]string{"a.yml": "bad 1"})
	raw := p.git("cat-file", "commit", "HEAD")
	line := regexp.MustCompile(`(?m)^(author .*>) \d+`).ReplaceAllString(raw, "$1 99999999999999")
	collecttest.WriteFile(t, p.dir, ".git/edited", []byte(line+"\n"))
	p.git("reset", "--soft", p.git("hash-object", "-t", "commit", "--literally", "-w", ".git/edited"))
	got := p.origins(collecttest.Snapshot(t, collecttest.Session(t, p.dir), Collector))
	if len(got) != 1 || !strings.HasSuffix(got["a.yml"], " Ada  | ") {
		t.Errorf("%q", got)
	}
}

// Conflicts that a merge left in a file are of the merge, not of either side, and
// what a side broke before is of that side.
func TestOrigins_merge(t *testing.T) {
	p := newPast(t)
	p.commit(map[string]string{"a.yml": "good 1", "b.yml": "good 1"})
	p.git("checkout", "-qb", "side")
	p.commit(map[string]string{"a.yml": "good side", "b.yml": "bad 1"})
	p.git("checkout", "-q", "main")
	p.commit(map[string]string{"a.yml": "good main", "c.yml": "good 1"})
	p.git("merge", "-q", "--no-commit", "-s", "ours", "side")
	p.git("checkout", "side", "--", Folder+"/b.yml")
	p.commit(map[string]string{"a.yml": "bad merge"})
	agree(t, p.origins(collecttest.Snapshot(t, collecttest.Session(t, p.dir), Collector)), map[string]string{
		"a.yml": "#4 Ada 2026-11-05 | #3 2026-11-04 a.yml", "b.yml": "#2 Ada 2026-11-03 | #1 2026-11-02 b.yml"})
}

// Where the bytes of older versions are not there, as in a partial clone, nobody
// knows whether they worked.
func TestOrigins_bytesMissing(t *testing.T) {
	p := newPast(t)
	p.commit(map[string]string{"a.yml": "good 1"})
	blob := p.git("rev-parse", "HEAD:"+Folder+"/a.yml")
	p.commit(map[string]string{"a.yml": "bad 1"})
	if err := os.Remove(filepath.Join(p.dir, ".git", "objects", blob[:2], blob[2:])); err != nil {
		t.Fatal(err)
	}
	snap := collecttest.Snapshot(t, collecttest.Session(t, p.dir), Collector)
	agree(t, p.origins(snap), nil)
	if why := snap.Systems[0].Reason; !strings.Contains(why, "since when 1 of its files") {
		t.Errorf("it is not said what is not known: %q", why)
	}
}

// Without git nothing is known, and nothing is said: that there is none is told elsewhere.
func TestOrigins_withoutGit(t *testing.T) {
	dir := t.TempDir()
	collecttest.WriteFile(t, dir, Folder+"/a.yml", []byte("on: push\n jobs:\n"))
	snap := collecttest.Snapshot(t, collecttest.Session(t, dir), Collector)
	if got := (&past{}).origins(snap); len(got) > 0 || snap.Systems[0].Reason != "" {
		t.Errorf("%v, %s", got, snap.Systems[0].Reason)
	}
}

// git is asked once for one state of the project, and again for another.
func TestOrigins_askedOnce(t *testing.T) {
	p := newPast(t)
	p.commit(map[string]string{"a.yml": "good 1"})
	p.commit(map[string]string{"a.yml": "bad 1"})
	collectOn := func(kept map[string]json.RawMessage, before snapshot.Past, gitless bool) (*snapshot.Snapshot, map[string]json.RawMessage) {
		s := collecttest.Session(t, p.dir)
		s.Cursors = func(_ snapshot.System, name string) json.RawMessage { return kept[name] }
		if before != nil {
			s.Previous = before
		}
		if gitless {
			s.Host = nogit{s.Host}
		}
		res, err := Collector.Collect(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		snap := &snapshot.Snapshot{Items: res.Items, Systems: []snapshot.SystemState{{System: snapshot.Workflows, Reason: res.Reason}}}
		snap.Sort()
		return snap, res.Cursors
	}
	want := map[string]string{"a.yml": "#2 Ada 2026-11-03 | #1 2026-11-02 a.yml"}
	first, kept := collectOn(nil, nil, false)
	agree(t, p.origins(first), want)
	again, more := collectOn(kept, first, true)
	agree(t, p.origins(again), want)
	if string(more[originCursor]) != string(kept[originCursor]) || again.Systems[0].Reason != "" {
		t.Errorf("%s, %s", more[originCursor], again.Systems[0].Reason)
	}
	p.commit(map[string]string{"a.yml": "bad 2"})
	blind, _ := collectOn(kept, again, true)
	if why := blind.Systems[0].Reason; !strings.Contains(why, "could not be told") {
		t.Errorf("another commit, and git was not asked: %q", why)
	}
	now, _ := collectOn(kept, again, false)
	agree(t, p.origins(now), want)
}

// nogit is a machine without git.
type nogit struct{ host.Host }

func (n nogit) Look(name string) (string, error) {
	if name == "git" {
		return "", os.ErrNotExist
	}
	return n.Host.Look(name)
}
