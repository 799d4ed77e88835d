//go:build unix

package collect

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"healthaudit/snapshot"
)

const oid = "60ac8c2cda9123fdc712f3ac0c63430ee1e39574"

func TestListed(t *testing.T) {
	for entry, want := range map[string]snapshot.TreePath{
		"H 100644 " + oid + " 0\ta":      {Path: "a", Kind: snapshot.PathFile, State: snapshot.Tracked},
		"H 100755 " + oid + " 0\ta b":    {Path: "a b", Kind: snapshot.PathExec, State: snapshot.Tracked},
		"H 120000 " + oid + " 0\ta\tb\n": {Path: "a\tb\n", Kind: snapshot.PathLink, State: snapshot.Tracked},
		"H 160000 " + oid + " 0\tm":      {Path: "m", Kind: snapshot.PathModule, State: snapshot.Tracked},
		"M 100755 " + oid + " 3\ta":      {Path: "a", Kind: snapshot.PathExec, State: snapshot.Tracked},
		"S 100644 " + oid + " 0\ts":      {Path: "s", Kind: snapshot.PathFile, State: snapshot.Tracked},
		"h 100755 " + oid + " 0\tS":      {Path: "S", Kind: snapshot.PathExec, State: snapshot.Tracked},
		"H 100644 " + oid + " 0\t? a":    {Path: "? a", Kind: snapshot.PathFile, State: snapshot.Tracked},
		"":                               {}, "? ": {}, "? /": {}, "H": {}, "H 100644": {}, "H 1006\ta": {}, "H 100644 " + oid + " 0\t": {}, "\t": {}, "\ta": {},
	} {
		got, unseen, ok := listed(entry)
		if ok != (want.Path != "") || ok && (got != want || unseen != (entry[0] == 'S' || entry[0] == 'h')) {
			t.Errorf("%q: %+v %v %v, want %+v", entry, got, unseen, ok, want)
		}
	}
}

func FuzzListed(f *testing.F) {
	for _, p := range []string{"a", "a\tb\n\"é", "? x", "-", "H 100644 x 0\ty", "dir/", " "} {
		f.Add(p, uint8(0), uint8(0))
		f.Add("S 100755 "+oid+" 0\t"+p, uint8(2), uint8(3))
	}
	tags := "HSMCKhm"
	modes := []string{"100644", "100755", "120000", "160000"}
	kinds := []snapshot.PathKind{snapshot.PathFile, snapshot.PathExec, snapshot.PathLink, snapshot.PathModule}
	f.Fuzz(func(t *testing.T, p string, tag, mode uint8) {
		if e, _, ok := listed(p); ok && (e.Path == "" || !strings.Contains(p, e.Path)) { // as it stands
			t.Errorf("%q gives %+v", p, e)
		}
		if p == "" || strings.ContainsRune(p, 0) {
			return
		}
		c, m := tags[int(tag)%len(tags)], int(mode)%len(modes)
		want := snapshot.TreePath{Path: p, Kind: kinds[m], State: snapshot.Tracked}
		got, unseen, ok := listed(fmt.Sprintf("%c %s %s 0\t%s", c, modes[m], oid, p))
		if !ok || got != want || unseen != strings.ContainsRune("Shm", rune(c)) {
			t.Errorf("%c %q: %+v %v %v, want %+v", c, p, got, unseen, ok, want)
		}
	})
}

// status writes what git status --porcelain=v2 --branch -z prints.
func statusText(commit, branch string, entries ...string) string {
	return strings.Join(append([]string{"# branch.oid " + commit, "# branch.head " + branch, "# branch.upstream origin/x", "# branch.ab +1 -2"}, entries...), "\x00") + "\x00"
}

func TestParseStatus(t *testing.T) {
	one := "1 .M N... 100644 100644 100755 " + oid + " " + oid + " "
	two := "2 R. N... 100644 100644 100644 " + oid + " " + oid + " R100 "
	both := "u UU N... 100644 100644 100644 120000 " + oid + " " + oid + " " + oid + " "
	for name, tc := range map[string]struct {
		out   string
		want  Repository
		modes map[string]string
	}{
		"nothing":          {"", Repository{}, nil},
		"clean":            {statusText(oid, "main"), Repository{Commit: oid, Branch: "main"}, nil},
		"before the first": {statusText("(initial)", "main"), Repository{Branch: "main"}, nil},
		"detached":         {statusText(oid, "(detached)"), Repository{Commit: oid}, nil},
		"changed":          {statusText(oid, "main", one+"a b\tc\n"), Repository{oid, "main", true, ""}, map[string]string{"a b\tc\n": "100755"}},
		"conflict":         {statusText(oid, "main", both+"a b"), Repository{oid, "main", true, ""}, map[string]string{"a b": "120000"}},
		"renamed": {statusText(oid, "main", two+"new name", "# branch.oid evil", one+"x", two+"b", "# branch.head evil"), Repository{oid, "main", true, ""},
			map[string]string{"new name": "100644", "x": "100755", "b": "100644"}},
		"renamed from what looks like a change": {statusText(oid, "main", two+"b", one+"evil"), Repository{oid, "main", true, ""}, map[string]string{"b": "100644"}},
		"untracked and ignored only":            {statusText(oid, "main", "? a", "! b"), Repository{Commit: oid, Branch: "main"}, nil},
		"torn":                                  {statusText(oid, "main", "1 .M N... 100644"), Repository{oid, "main", true, ""}, nil},
	} {
		got := parseStatus(tc.out, "")
		if got.Repository != tc.want || !maps.Equal(got.modes, tc.modes) {
			t.Errorf("%s: %+v, want %+v %q", name, got, tc.want, tc.modes)
		}
	}
}

func TestParseStatus_others(t *testing.T) {
	for _, tc := range []struct {
		prefix, out string
		want        []string
		whole       bool
	}{
		{"", "? a b\x00? nested/\x00! x.log\x00! out/\x00", []string{`uf "a b"`, `um "nested"`, `if "x.log"`, `id "out"`}, false},
		{"sub/", "? sub/a\x00! sub/out/\x00", []string{`uf "a"`, `id "out"`}, false},
		{"a/b/", "! a/b/\x00", nil, true},
		{"a/b/", "! a/\x00", nil, true},
		{"a/b/", "? a/b/\x00", nil, false},
		{"a/b/", "! a/b/a/b/\x00", []string{`id "a/b"`}, false},
	} {
		w := parseStatus(statusText(oid, "main")+tc.out, tc.prefix)
		var got []string
		for _, e := range w.others {
			got = append(got, fmt.Sprintf("%c%c %q", e.State, e.Kind, e.Path))
		}
		if !slices.Equal(got, tc.want) || w.whole != tc.whole || w.Dirty {
			t.Errorf("%q in %q: %q %v", tc.out, tc.prefix, got, w.whole)
		}
	}
}

func FuzzParseStatus(f *testing.F) {
	f.Add("main", "a", "b", uint8(0))
	f.Add("feature/(x)", "# branch.oid evil", "1 .M N... 100644 100644 100755 x y evil", uint8(1))
	f.Add("m", "a b", "? c", uint8(2))
	f.Fuzz(func(t *testing.T, branch, p, orig string, kind uint8) {
		parseStatus(p, orig)
		parseStatus(orig+"\x00"+p, "")
		if strings.ContainsRune(branch+p+orig, 0) || branch == "" || branch == "(detached)" || p == "" || orig == "" {
			return
		}
		entries := [][]string{
			{"1 .M N... 100644 100644 100755 " + oid + " " + oid + " " + p},
			{"2 RM N... 100644 100644 100755 " + oid + " " + oid + " R9 " + p, orig},
			{"u UU N... 1 2 3 100755 " + oid + " " + oid + " " + oid + " " + p},
			nil,
		}[kind%4]
		got := parseStatus(statusText(oid, branch, entries...), "")
		if want := (Repository{oid, branch, len(entries) > 0, ""}); got.Repository != want {
			t.Errorf("%+v, want %+v", got.Repository, want)
		}
		if modes := got.modes; len(entries) == 0 && len(modes) > 0 || len(entries) > 0 && (len(modes) != 1 || modes[p] != "100755") {
			t.Errorf("modes %q, want one of %q", modes, p)
		}
	})
}

func TestNoFilters(t *testing.T) {
	names := "system\x00filter.lfs.process\ngit-lfs x\x00global\x00filter.lfs.clean\x00command\x00filter.c.clean\x00local\x00filter.x.clean\nfilter.z.clean\nsed\x00" +
		"worktree\x00filter.a=b.c.process\x00local\x00filter.y.smudge\x00local\x00filter.clean\x00local\x00core.bare\x00local"
	var got []string
	for _, s := range noFilters(names) {
		got = append(got, s[0]+"="+s[1])
	}
	same(t, got, "filter.x.clean=", "filter.x.process=", "filter.x.required=false",
		"filter.a=b.c.clean=", "filter.a=b.c.process=", "filter.a=b.c.required=false")
}
