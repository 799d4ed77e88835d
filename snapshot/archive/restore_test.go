//go:build unix

package archive

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"healthaudit/snapshot"
)

func must(t testing.TB, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

// A place is a target folder with a canary beside it that nothing may touch.
type place struct {
	*Restorer
	t     *testing.T
	outer string
	dir   string
	blobs map[string]string
	last  map[string]snapshot.File
}

func newPlace(t *testing.T, p Policy) *place {
	t.Helper()
	outer := t.TempDir()
	pl := &place{t: t, outer: outer, dir: filepath.Join(outer, "target"), blobs: map[string]string{}, last: map[string]snapshot.File{}}
	must(t, os.Mkdir(pl.dir, 0o755), os.Mkdir(filepath.Join(outer, "beside"), 0o777), os.WriteFile(filepath.Join(outer, "canary"), []byte("alive"), 0o666),
		os.WriteFile(filepath.Join(outer, "beside/canary"), []byte("alive"), 0o666))
	root, err := os.OpenRoot(pl.dir)
	must(t, err)
	t.Cleanup(func() {
		root.Close()
		// Nothing beside the target was written, nothing half-done stayed in it.
		var outside []string
		filepath.WalkDir(outer, func(p string, d fs.DirEntry, err error) error {
			rel, _ := filepath.Rel(outer, p)
			if strings.Contains(d.Name(), "audit-restore") {
				t.Errorf("left behind: %s", rel)
			}
			if rel != "target" && !strings.HasPrefix(rel, "target/") {
				outside = append(outside, rel)
			}
			return nil
		})
		if !slices.Equal(outside, []string{".", "beside", "beside/canary", "canary"}) {
			t.Errorf("beside the target: %q", outside)
		}
		for _, c := range []string{"canary", "beside/canary"} {
			if b, _ := os.ReadFile(filepath.Join(outer, c)); string(b) != "alive" {
				t.Errorf("%s: %q", c, b)
			}
		}
	})
	pl.Restorer = &Restorer{Target: root, Policy: p,
		Bytes: func(sum string) ([]byte, error) {
			if b, ok := pl.blobs[sum]; ok {
				return []byte(b), nil
			}
			return nil, errors.New("not kept")
		},
		Latest: func(p string) (snapshot.File, bool) { f, ok := pl.last[p]; return f, ok },
	}
	return pl
}

// file makes a wanted file whose bytes are kept.
func (p *place) file(name, text string, mode fs.FileMode) Wanted {
	sum := snapshot.Sum([]byte(text))
	p.blobs[sum] = text
	return Wanted{Item: "scripts/x", File: snapshot.File{Path: name, Mode: mode, Size: int64(len(text)), SHA256: sum}}
}

func link(name, target string) Wanted {
	return Wanted{File: snapshot.File{Path: name, Mode: fs.ModeSymlink | 0o777, Link: target, SHA256: snapshot.Sum([]byte(target))}}
}

func (p *place) put(name, text string, mode fs.FileMode) {
	p.t.Helper()
	at := filepath.Join(p.dir, name)
	must(p.t, os.MkdirAll(filepath.Dir(at), 0o755), os.WriteFile(at, []byte(text), mode), os.Chmod(at, mode))
}

// is checks what stands at a path: "mode bytes", "-> target", or "" for nothing.
func (p *place) is(name, want string) {
	p.t.Helper()
	at, got := filepath.Join(p.dir, name), ""
	if st, err := os.Lstat(at); err == nil && st.Mode()&fs.ModeSymlink != 0 {
		got, _ = os.Readlink(at)
		got = "-> " + got
	} else if err == nil && st.IsDir() {
		got = "folder"
	} else if err == nil {
		b, _ := os.ReadFile(at)
		got = fmt.Sprintf("%o %s", st.Mode().Perm(), b)
	}
	if got != want {
		p.t.Errorf("%q: %q, want %q", name, got, want)
	}
}

// outcome checks plan and deed of one file.
func (p *place) outcome(w Wanted, planned, done Action, reason string) Outcome {
	p.t.Helper()
	plan := p.Plan([]Wanted{w})
	if len(plan) != 1 || plan[0].Action != planned {
		p.t.Fatalf("%q planned: %+v, want %s", w.File.Path, plan, planned)
	}
	o := p.Do(plan)[0]
	if o.Action != done || !strings.Contains(o.Reason, reason) || (o.Reason == "") != (reason == "") {
		p.t.Errorf("%q: %s %q, want %s %q", w.File.Path, o.Action, o.Reason, done, reason)
	}
	if strings.Contains(o.Reason, p.outer) && !filepath.IsAbs(w.File.Path) {
		p.t.Errorf("absolute path in %q", o.Reason)
	}
	return o
}

func TestRestore_policies(t *testing.T) {
	const now = "755 then"
	for _, tc := range []struct {
		name   string
		there  string // bytes; empty: nothing
		last   string // what the latest snapshot saw; empty: nothing
		action map[Policy]Action
		reason string
	}{
		{"nothing there", "", "", map[Policy]Action{Never: Written, IfUnchanged: Written, Always: Written}, ""},
		{"nothing there, but before", "", "then", map[Policy]Action{Never: Written, IfUnchanged: Written, Always: Written}, ""},
		{"as the latest snapshot saw it", "now", "now", map[Policy]Action{Never: Kept, IfUnchanged: Written, Always: Written}, "a file is there"},
		{"changed since", "now", "other", map[Policy]Action{Never: Kept, IfUnchanged: Kept, Always: Written}, ""},
		{"unknown to the latest snapshot", "now", "", map[Policy]Action{Never: Kept, IfUnchanged: Kept, Always: Written}, ""},
		{"other mode only", "then", "then", map[Policy]Action{Never: Kept, IfUnchanged: Written, Always: Written}, ""},
	} {
		for policy, want := range tc.action {
			t.Run(tc.name+"/"+string(policy), func(t *testing.T) {
				p := newPlace(t, policy)
				before, was := "", ""
				if tc.there != "" {
					p.put("a.sh", tc.there, 0o640)
					before, was = "640 "+tc.there, snapshot.Sum([]byte(tc.there))
				}
				if tc.last != "" {
					p.last["a.sh"] = snapshot.File{SHA256: snapshot.Sum([]byte(tc.last)), Mode: 0o640}
				}
				plan := p.Plan([]Wanted{p.file("a.sh", "then", 0o755)})
				p.is("a.sh", before) // a plan writes nothing
				if plan[0].Action != want || (plan[0].Reason == "") != (want == Written) || plan[0].Was != was || plan[0].Item != "scripts/x" {
					t.Errorf("%+v, want %s, was %s", plan[0], want, was)
				}
				done := p.Do(plan)
				if done[0] != plan[0] {
					t.Errorf("planned %+v, done %+v", plan[0], done[0])
				}
				if want == Written {
					before = now
				}
				p.is("a.sh", before)
				if again := p.Plan([]Wanted{p.file("a.sh", "then", 0o755)}); want == Written && again[0].Action != Unchanged {
					t.Errorf("after it: %+v", again[0])
				}
			})
		}
	}
}

func TestRestore_files(t *testing.T) {
	p := newPlace(t, Never)
	long := strings.Repeat("n", 255)
	p.outcome(p.file("empty", "", 0o600), Written, Written, "")
	p.outcome(p.file("new\nline", "1", 0o644), Written, Written, "")
	p.outcome(p.file("-rf", "2", 0o644), Written, Written, "")
	p.outcome(p.file(long, "3", 0o644), Written, Written, "")
	p.outcome(p.file(`back\slash`, "4", 0o644), Written, Written, "")
	p.outcome(p.file("é\xff ..", "5", 0o644), Written, Written, "")
	p.outcome(p.file("a/b/c/run", "6", 0o777), Written, Written, "")
	p.outcome(p.file("read-only", "7", 0o444), Written, Written, "")
	p.outcome(link("l", "a/b"), Written, Written, "")
	p.outcome(link("l", "a/b"), Unchanged, Unchanged, "")
	p.outcome(link("away", "../canary"), Written, Written, "")
	p.outcome(link("dangling", "/no\nwhere"), Written, Written, "")
	p.outcome(p.file(long+"n", "x", 0o644), Failed, Failed, "name too long")
	for name, want := range map[string]string{"empty": "600 ", "new\nline": "644 1", "-rf": "644 2", long: "644 3", `back\slash`: "644 4", "é\xff ..": "644 5",
		"a/b/c/run": "777 6", "read-only": "444 7", "l": "-> a/b", "away": "-> ../canary", "dangling": "-> /no\nwhere"} {
		p.is(name, want)
	}
}

func TestRestore_never_leaves_the_target(t *testing.T) {
	p := newPlace(t, Always)
	must(t, os.Symlink("../beside", filepath.Join(p.dir, "out")), os.Symlink(p.outer, filepath.Join(p.dir, "absolute")), os.Mkdir(filepath.Join(p.dir, "in"), 0o755),
		os.Symlink("in", filepath.Join(p.dir, "inside")), os.Symlink("in", filepath.Join(p.dir, "in/again")), os.Link(filepath.Join(p.outer, "canary"), filepath.Join(p.dir, "hard")),
		os.Symlink("../canary", filepath.Join(p.dir, "to-canary")))
	p.put("plain", "x", 0o644)
	for _, name := range []string{"../canary", "..", ".", "", "/etc/passwd", p.outer + "/canary", "in/../../canary", "in//x", "in/", "./x", "in/../x", "nul\x00"} {
		p.outcome(p.file(name, "evil", 0o644), Failed, Failed, "is no path below the target")
		p.outcome(link(name, "evil"), Failed, Failed, "is no path below the target")
	}
	for _, name := range []string{"inside/x", "in/again/x"} {
		p.outcome(p.file(name, "evil", 0o644), Failed, Failed, "is a link, and nothing is written through one: move it away first")
	}
	for _, name := range []string{"plain/x", "plain/sub/x"} {
		p.outcome(p.file(name, "evil", 0o644), Failed, Failed, "plain is not a folder: move it away first")
	}
	p.outcome(p.file("out/canary", "evil", 0o644), Failed, Failed, "out is a link")
	p.outcome(p.file("out/new/x", "evil", 0o644), Failed, Failed, "out is a link")
	p.outcome(p.file("absolute/canary", "evil", 0o644), Failed, Failed, "absolute is a link")
	p.is("plain", "644 x")
	p.is("in/x", "")

	// A link at the target is replaced, not followed; so is one name of a file with two.
	was := p.outcome(p.file("to-canary", "good", 0o644), Written, Written, "").Was
	if was != snapshot.Sum([]byte("../canary")) {
		t.Errorf("was %s", was)
	}
	p.outcome(p.file("hard", "good", 0o600), Written, Written, "")
	p.is("to-canary", "644 good")
	p.is("hard", "600 good")
}

func TestRestore_what_stands_in_the_way(t *testing.T) {
	p := newPlace(t, Always)
	must(t, os.MkdirAll(filepath.Join(p.dir, "folder"), 0o755), syscall.Mkfifo(filepath.Join(p.dir, "fifo"), 0o644), os.Symlink("old", filepath.Join(p.dir, "link")))
	p.put("file", "x", 0o644)
	p.outcome(p.file("folder", "x", 0o644), Failed, Failed, "folder is a folder: move it away first")
	p.outcome(p.file("fifo", "x", 0o644), Failed, Failed, "fifo is neither a file nor a link")
	p.outcome(link("link", "new"), Written, Written, "")
	p.outcome(link("file", "new"), Written, Written, "")
	p.is("folder", "folder")
	p.is("link", "-> new")
	p.is("file", "-> new")
}

func TestRestore_without_the_bytes(t *testing.T) {
	p := newPlace(t, Always)
	p.put("a", "mine", 0o644)
	a := p.file("a", "then", 0o644)
	p.blobs[a.File.SHA256] = "than" // damaged: not what the digest says
	p.outcome(a, Missing, Missing, "damaged")
	delete(p.blobs, a.File.SHA256)
	p.outcome(a, Missing, Missing, "not kept")
	a.File.SHA256 = ""
	p.outcome(a, Missing, Missing, "not captured")
	p.is("a", "644 mine")

	b := p.file("b", "then", 0o644)
	plan := p.Plan([]Wanted{b})
	p.Bytes = func(string) ([]byte, error) { return []byte("than"), nil } // damage after the plan
	if o := p.Do(plan)[0]; o.Action != Failed || !strings.Contains(o.Reason, "damaged") {
		t.Errorf("%+v", o)
	}
	p.is("b", "")
}

func TestDo_looks_again(t *testing.T) {
	for name, tc := range map[string]struct {
		there  string // at the time of the plan
		change func(p *place)
		want   map[Policy]Action
		is     string // where it is kept
	}{
		"another file": {"now", func(p *place) { p.put("d/a", "newer", 0o644) }, map[Policy]Action{IfUnchanged: Kept, Always: Written}, "644 newer"},
		"a new file":   {"", func(p *place) { p.put("d/a", "newer", 0o644) }, map[Policy]Action{Never: Kept, IfUnchanged: Kept, Always: Written}, "644 newer"},
		"gone":         {"now", func(p *place) { os.Remove(filepath.Join(p.dir, "d/a")) }, map[Policy]Action{IfUnchanged: Kept, Always: Written}, ""},
		"a link to a canary": {"now", func(p *place) {
			must(p.t, os.Remove(filepath.Join(p.dir, "d/a")), os.Symlink("../../canary", filepath.Join(p.dir, "d/a")))
		}, map[Policy]Action{IfUnchanged: Kept, Always: Written}, "-> ../../canary"},
		"a folder": {"now", func(p *place) {
			must(p.t, os.Remove(filepath.Join(p.dir, "d/a")), os.Mkdir(filepath.Join(p.dir, "d/a"), 0o755))
		}, map[Policy]Action{IfUnchanged: Kept, Always: Kept}, "folder"},
		"a parent that leads out": {"now", func(p *place) {
			must(p.t, os.RemoveAll(filepath.Join(p.dir, "d")), os.Symlink("../beside", filepath.Join(p.dir, "d")))
		}, map[Policy]Action{Never: Kept, IfUnchanged: Kept, Always: Kept}, ""},
	} {
		for policy, want := range tc.want {
			t.Run(name+"/"+string(policy), func(t *testing.T) {
				p := newPlace(t, policy)
				if tc.there != "" && policy != Never {
					p.put("d/a", tc.there, 0o644)
					p.last["d/a"] = snapshot.File{SHA256: snapshot.Sum([]byte(tc.there)), Mode: 0o644}
				}
				plan := p.Plan([]Wanted{p.file("d/a", "then", 0o644)})
				if plan[0].Action != Written {
					t.Fatalf("%+v", plan[0])
				}
				tc.change(p)
				standing, _ := p.disk("d/a")
				o := p.Do(plan)[0]
				if o.Action != want || (o.Reason == "") != (want == Written) {
					t.Errorf("%+v, want %s", o, want)
				}
				if want == Written {
					p.is("d/a", "644 then")
					if o.Was != standing.SHA256 {
						t.Errorf("was %q, but %q was overwritten", o.Was, standing.SHA256)
					}
					return
				}
				p.is("d/a", tc.is)
			})
		}
	}
}

// The folder appears when the bytes for writing are fetched: after the looks.
func TestDo_cleans_up_when_the_last_step_fails(t *testing.T) {
	p := newPlace(t, Always)
	plan := p.Plan([]Wanted{p.file("d/a", "then", 0o644)})
	p.Bytes = func(string) ([]byte, error) {
		must(t, os.MkdirAll(filepath.Join(p.dir, "d/a"), 0o755))
		return []byte("then"), nil
	}
	if o := p.Do(plan)[0]; o.Action != Failed {
		t.Errorf("%+v", o)
	}
	p.is("d/a", "folder")
	if list, _ := os.ReadDir(filepath.Join(p.dir, "d")); len(list) != 1 {
		t.Errorf("left behind: %v", list)
	}
}

// A restore whose bytes do not read back leaves what was there.
func TestDo_puts_back_what_does_not_verify(t *testing.T) {
	for there, why := range map[string]error{"": errors.New("the disk lies"), "now": fmt.Errorf("the disk lies: %w", syscall.ENOSPC)} {
		p := newPlace(t, Always)
		want := ""
		if there != "" {
			p.put("d/a", there, 0o640)
			want = "640 " + there
		}
		plan := p.Plan([]Wanted{p.file("d/a", "then", 0o644)})
		p.reread = func(string) (snapshot.File, error) {
			p.is("d/a", "644 then")
			return snapshot.File{}, why
		}
		if o := p.Do(plan)[0]; o.Action != Failed || o.NoRoom != errors.Is(why, syscall.ENOSPC) || !strings.Contains(o.Reason, why.Error()+"; it was put back") {
			t.Errorf("%+v", o)
		}
		p.is("d/a", want)
		list, _ := os.ReadDir(filepath.Join(p.dir, "d"))
		if n := len(list); n != len(there)/3 {
			t.Errorf("left behind: %v", list)
		}
	}
}

// What stood there is not taken for nothing when the name it was kept under is gone.
func TestDo_does_not_remove_what_it_cannot_put_back(t *testing.T) {
	p := newPlace(t, Always)
	p.put("d/a", "now", 0o640)
	plan := p.Plan([]Wanted{p.file("d/a", "then", 0o644)})
	p.reread = func(string) (snapshot.File, error) {
		kept, _ := filepath.Glob(filepath.Join(p.dir, "d", temporary+"*"+asBefore))
		if len(kept) != 1 {
			t.Fatalf("kept as %v", kept)
		}
		must(t, os.Remove(kept[0]))
		return snapshot.File{}, errors.New("the disk lies")
	}
	if o := p.Do(plan)[0]; o.Action != Failed || !strings.Contains(o.Reason, "the disk lies; what stood there before is kept in the store") {
		t.Errorf("%+v", o)
	}
	p.is("d/a", "644 then")
}

// A mode alone comes back without bytes, which stay as they are; where others
// stand there it does not.
func TestDo_mode_alone(t *testing.T) {
	p := newPlace(t, Always)
	w := p.file("a", "secret", 0o640)
	clear(p.blobs)
	w.Mode = true
	p.put("a", "secret", 0o600)
	p.outcome(w, Written, Written, "")
	p.is("a", "640 secret")
	p.outcome(w, Unchanged, Unchanged, "")
	p.put("a", "secret", 0o600)
	plan := p.Plan([]Wanted{w})
	p.put("a", "another", 0o600)
	if o := p.Do(plan)[0]; o.Action != Kept || o.Reason != changedMeanwhile {
		t.Errorf("%+v", o)
	}
	p.is("a", "600 another")
	p.outcome(w, Missing, Missing, "not kept")
	p.put("a", "secret", 0o600)
	plan = p.Plan([]Wanted{w})
	p.reread = func(string) (snapshot.File, error) { return snapshot.File{}, errors.New("the disk lies") }
	if o := p.Do(plan)[0]; o.Action != Failed || !strings.Contains(o.Reason, "the disk lies") {
		t.Errorf("%+v", o)
	}
	p.is("a", "600 secret")
}

// A batch syncs many files side by side; what one of them leaves in another's way
// is still seen, and so is a file that somebody writes meanwhile.
func TestDo_batches(t *testing.T) {
	p := newPlace(t, Never)
	var wanted []Wanted
	for i := range 3*batchFiles + 5 {
		wanted = append(wanted, p.file(fmt.Sprintf("d%d/f%03d", i%7, i), fmt.Sprint("text ", i), 0o640))
	}
	wanted = append(wanted, p.file("x", "a file", 0o644), p.file("x/y", "below it", 0o644))
	plan := p.Plan(wanted)
	p.Bytes = func(bytes func(string) ([]byte, error)) func(string) ([]byte, error) {
		return func(sum string) ([]byte, error) {
			if sum == wanted[7].File.SHA256 { // d0/f007, the second
				p.put("d0/f000", "somebody's", 0o600)
			}
			return bytes(sum)
		}
	}(p.Bytes)
	n := map[Action]int{}
	for _, o := range p.Do(plan) {
		n[o.Action]++
	}
	if n[Written] != len(wanted)-2 || n[Kept] != 2 {
		t.Errorf("%v of %d", n, len(wanted))
	}
	p.is("d0/f000", "600 somebody's")
	p.is("d1/f001", "640 text 1")
	p.is("x", "644 a file")
	left, err := filepath.Glob(filepath.Join(p.dir, "*", temporary+"*"))
	if len(left) > 0 || err != nil {
		t.Errorf("left behind: %v", left)
	}
}

func TestRestore_gives_files_to_their_owner(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root gives files away")
	}
	p := newPlace(t, Always)
	p.put("theirs/old", "x", 0o644)
	must(t, os.Chown(filepath.Join(p.dir, "theirs"), 1234, 1235), os.Chown(filepath.Join(p.dir, "theirs/old"), 1236, 1237))
	for name, want := range map[string]string{"theirs/old": "1236:1237", "theirs/new": "1234:1235", "theirs/deep/er/new": "1234:1235", "theirs/deep": "1234:1235", "mine": "0:0"} {
		if name != "theirs/deep" {
			p.outcome(p.file(name, "then", 0o755), Written, Written, "")
		} else {
			p.outcome(p.file("theirs/deep/x", "then", 0o644), Written, Written, "")
		}
		st, err := os.Lstat(filepath.Join(p.dir, name))
		must(t, err)
		uid, gid, _ := ownerOf(st)
		if got := fmt.Sprintf("%d:%d", uid, gid); got != want {
			t.Errorf("%s is of %s, want %s", name, got, want)
		}
	}
}

func TestRestore_keeps_a_mode_that_changed_since(t *testing.T) {
	p := newPlace(t, IfUnchanged)
	p.put("a.sh", "same", 0o644)
	p.last["a.sh"] = snapshot.File{SHA256: snapshot.Sum([]byte("same")), Mode: 0o755}
	p.outcome(p.file("a.sh", "same", 0o755), Kept, Kept, "it changed since")
	p.is("a.sh", "644 same")
}

func TestPlan_is_sorted_and_has_each_path_once(t *testing.T) {
	p := newPlace(t, Never)
	in := []Wanted{p.file("b", "1", 0o644), p.file("a/x", "2", 0o644), p.file("b", "3", 0o644), p.file("a", "4", 0o644)}
	before := slices.Clone(in)
	var got []string
	for _, o := range p.Plan(in) {
		got = append(got, o.File.Path+" "+p.blobs[o.File.SHA256])
	}
	if want := []string{"a 4", "a/x 2", "b 1"}; !slices.Equal(got, want) || !slices.Equal(in, before) {
		t.Errorf("%q, want %q; the files given: %v", got, want, in)
	}
	plan := p.Plan(in)
	done := p.Do(plan)
	if plan[1].Action != Written || done[1].Action != Kept { // a is a file now
		t.Errorf("planned %+v, done %+v", plan[1], done[1])
	}
}

func TestCurrent(t *testing.T) {
	p := newPlace(t, Always)
	p.put("a", "bytes", 0o644)
	p.put(".env", "KEY=clear", 0o600)
	must(t, os.Symlink(".env", filepath.Join(p.dir, "link")), os.Symlink("../canary", filepath.Join(p.dir, "out")))
	for name, want := range map[string]string{"a": "bytes", "link": ".env", "out": "../canary"} {
		o := p.Plan([]Wanted{p.file(name, "then", 0o644)})[0]
		if b, err := p.Current(o); string(b) != want || err != nil || snapshot.Sum(b) != o.Was {
			t.Errorf("%s: %q, %v", name, b, err)
		}
	}
	must(t, os.Truncate(filepath.Join(p.dir, "a"), maxCurrent+1))
	if _, err := p.Current(Outcome{Wanted: p.file("a", "then", 0o644)}); err == nil || !strings.Contains(err.Error(), "larger than") {
		t.Errorf("a huge file: %v", err)
	}
	if _, err := p.Current(Outcome{Wanted: p.file("nothing", "", 0)}); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

func TestRestore_without_the_right_to(t *testing.T) {
	p := newPlace(t, Always)
	p.put("unreadable", "x", 0o000)
	p.put("closed/a", "x", 0o644)
	p.put("folder/a", "x", 0o644)
	must(t, os.Chmod(filepath.Join(p.dir, "closed"), 0), os.Chmod(filepath.Join(p.dir, "folder"), 0o555), os.Chmod(p.dir, 0o555))
	t.Cleanup(func() {
		must(t, os.Chmod(p.dir, 0o755), os.Chmod(filepath.Join(p.dir, "closed"), 0o755), os.Chmod(filepath.Join(p.dir, "folder"), 0o755))
	})
	asNobody(t, func() {
		p.outcome(p.file("unreadable", "then", 0o644), Failed, Failed, "permission denied")
		p.outcome(p.file("closed/a", "then", 0o644), Failed, Failed, "permission denied")
		p.outcome(p.file("folder/a", "then", 0o644), Written, Failed, "permission denied")
		p.outcome(p.file("folder/new", "then", 0o644), Written, Failed, "permission denied")
		p.outcome(p.file("new/deep", "then", 0o644), Written, Failed, "permission denied")
		p.outcome(link("folder/link", "x"), Written, Failed, "permission denied")
	})
	p.is("folder/a", "644 x")
	p.is("folder/new", "")
	p.is("new", "")
}
