package collect

import (
	"fmt"
	"maps"
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
		"R 100755 " + oid + " 0\ta":      {Path: "a", Kind: snapshot.PathMissing, State: snapshot.Tracked},
		"R 160000 " + oid + " 0\tm":      {Path: "m", Kind: snapshot.PathMissing, State: snapshot.Tracked},
		"? a":                            {Path: "a", Kind: snapshot.PathFile, State: snapshot.Untracked},
		"? H 100644 x\ty":                {Path: "H 100644 x\ty", Kind: snapshot.PathFile, State: snapshot.Untracked},
		"? nested/":                      {Path: "nested", Kind: snapshot.PathModule, State: snapshot.Untracked},
		"H 100644 " + oid + " 0\t? a":    {Path: "? a", Kind: snapshot.PathFile, State: snapshot.Tracked},
		"":                               {}, "? ": {}, "? /": {}, "H": {}, "H 100644": {}, "H 1006\ta": {}, "H 100644 " + oid + " 0\t": {}, "\t": {}, "\ta": {},
	} {
		if got, ok := listed(entry); ok != (want.Path != "") || ok && got != want {
			t.Errorf("%q: %+v %v, want %+v", entry, got, ok, want)
		}
	}
}

func FuzzListed(f *testing.F) {
	for _, p := range []string{"a", "a\tb\n\"é", "? x", "-", "H 100644 x 0\ty", "dir/", " "} {
		f.Add(p, uint8(0), uint8(0))
		f.Add("R 100755 "+oid+" 0\t"+p, uint8(2), uint8(3))
	}
	tags := "HSMRCK"
	modes := []string{"100644", "100755", "120000", "160000"}
	kinds := []snapshot.PathKind{snapshot.PathFile, snapshot.PathExec, snapshot.PathLink, snapshot.PathModule}
	f.Fuzz(func(t *testing.T, p string, tag, mode uint8) {
		if e, ok := listed(p); ok && (e.Path == "" || !strings.Contains(p, e.Path)) { // as it stands
			t.Errorf("%q gives %+v", p, e)
		}
		if p == "" || strings.ContainsRune(p, 0) {
			return
		}
		c, m := tags[int(tag)%len(tags)], int(mode)%len(modes)
		want := snapshot.TreePath{Path: p, Kind: kinds[m], State: snapshot.Tracked}
		if c == 'R' {
			want.Kind = snapshot.PathMissing
		}
		if got, ok := listed(fmt.Sprintf("%c %s %s 0\t%s", c, modes[m], oid, p)); !ok || got != want {
			t.Errorf("tracked %q: %+v %v, want %+v", p, got, ok, want)
		}
		if strings.HasSuffix(p, "/") {
			return
		}
		want = snapshot.TreePath{Path: p, Kind: snapshot.PathFile, State: snapshot.Untracked}
		if got, ok := listed("? " + p); !ok || got != want {
			t.Errorf("untracked %q: %+v %v", p, got, ok)
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
		"changed":          {statusText(oid, "main", one+"a b\tc\n"), Repository{oid, "main", true}, map[string]string{"a b\tc\n": "100755"}},
		"conflict":         {statusText(oid, "main", both+"a b"), Repository{oid, "main", true}, map[string]string{"a b": "120000"}},
		"renamed": {statusText(oid, "main", two+"new name", "# branch.oid evil", one+"x", two+"b", "# branch.head evil"), Repository{oid, "main", true},
			map[string]string{"new name": "100644", "x": "100755", "b": "100644"}},
		"renamed from what looks like a change": {statusText(oid, "main", two+"b", one+"evil"), Repository{oid, "main", true}, map[string]string{"b": "100644"}},
		"untracked and ignored only":            {statusText(oid, "main", "? a", "! b"), Repository{Commit: oid, Branch: "main"}, nil},
		"torn":                                  {statusText(oid, "main", "1 .M N... 100644"), Repository{oid, "main", true}, nil},
	} {
		got, modes := parseStatus(tc.out)
		if *got != tc.want || !maps.Equal(modes, tc.modes) {
			t.Errorf("%s: %+v %q, want %+v %q", name, *got, modes, tc.want, tc.modes)
		}
	}
}

func FuzzParseStatus(f *testing.F) {
	f.Add("main", "a", "b", uint8(0))
	f.Add("feature/(x)", "# branch.oid evil", "1 .M N... 100644 100644 100755 x y evil", uint8(1))
	f.Add("m", "a b", "? c", uint8(2))
	f.Fuzz(func(t *testing.T, branch, p, orig string, kind uint8) {
		parseStatus(p)
		parseStatus(orig + "\x00" + p)
		if strings.ContainsRune(branch+p+orig, 0) || branch == "" || branch == "(detached)" || p == "" || orig == "" {
			return
		}
		entries := [][]string{
			{"1 .M N... 100644 100644 100755 " + oid + " " + oid + " " + p},
			{"2 RM N... 100644 100644 100755 " + oid + " " + oid + " R9 " + p, orig},
			{"u UU N... 1 2 3 100755 " + oid + " " + oid + " " + oid + " " + p},
			nil,
		}[kind%4]
		got, modes := parseStatus(statusText(oid, branch, entries...))
		if want := (Repository{oid, branch, len(entries) > 0}); *got != want {
			t.Errorf("%+v, want %+v", *got, want)
		}
		if len(entries) == 0 && len(modes) > 0 || len(entries) > 0 && (len(modes) != 1 || modes[p] != "100755") {
			t.Errorf("modes %q, want one of %q", modes, p)
		}
	})
}

func TestNoFilters(t *testing.T) {
	names := "system\x00filter.lfs.process\x00global\x00filter.lfs.clean\x00command\x00filter.c.clean\x00local\x00filter.x.clean\x00" +
		"worktree\x00filter.a=b.c.process\x00local\x00filter.y.smudge\x00local\x00filter.clean\x00local\x00core.bare\x00local"
	var got []string
	for _, s := range noFilters(names) {
		got = append(got, s[0]+"="+s[1])
	}
	same(t, got, "filter.x.clean=", "filter.x.process=", "filter.x.required=false",
		"filter.a=b.c.clean=", "filter.a=b.c.process=", "filter.a=b.c.required=false")
}
