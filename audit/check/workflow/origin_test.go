package workflow

import (
	"strings"
	"testing"

	"healthaudit/audit"
	"healthaudit/snapshot"
)

func TestSince(t *testing.T) {
	by := snapshot.List("0123456789abcdef", "Ada", "2026-11-04")
	for name, c := range map[string]struct {
		facts         []snapshot.Fact
		message, hint string
	}{
		"nothing_known":   {nil, "It is broken", "the check's"},
		"never_committed": {[]snapshot.Fact{{Name: "broken-by", Value: snapshot.List()}, {Name: "valid-at", Value: snapshot.List()}}, "It is broken", "the check's"},
		"by_a_commit": {[]snapshot.Fact{{Name: "broken-by", Value: by}, {Name: "valid-at", Value: snapshot.List("fedcba9876543210", "2026-11-01", "x/a b.yml")}, {Name: "broken-with", Value: snapshot.SetOf("x/c.yml", "x/d.yml")}},
			"It is broken. Broken since commit 0123456789 (Ada, 2026-11-04), together with 2 other files; the last valid version is that of commit fedcba9876 (2026-11-01)",
			"`git diff fedcba9876 -- 'x/a b.yml'` shows what changed since the last valid version, `git checkout fedcba9876 -- 'x/a b.yml'` brings it back; or correct the file."},
		"with_more_than_are_told": {[]snapshot.Fact{{Name: "broken-by", Value: by}, {Name: "valid-at", Value: snapshot.List()}, {Name: "broken-with", Value: snapshot.SetOf("1", "2", "3", "4", "5", "6")}, {Name: "broken-with-more", Value: snapshot.Number(90)}},
			"It is broken. It never worked since it was added in commit 0123456789 (Ada, 2026-11-04), together with 96 other files", "the check's"},
		"at_no_time": {[]snapshot.Fact{{Name: "broken-by", Value: snapshot.List("0123456789abcdef", "Ada", "")}, {Name: "valid-at", Value: snapshot.List("fedcba9876543210", "", "x/a.yml")}},
			"It is broken. Broken since commit 0123456789 (Ada); the last valid version is that of commit fedcba9876", "`git show fedcba9876:./x/a.yml` shows the last valid version; correct the file, or take that one over."},
		"not_committed": {[]snapshot.Fact{{Name: "broken-by", Value: snapshot.List()}, {Name: "valid-at", Value: snapshot.List("fedcba9876543210", "2026-11-01", "x/old.yml")}},
			"It is broken. The change that did this is not committed; the last valid version is that of commit fedcba9876 (2026-11-01)",
			"`git show fedcba9876:./x/old.yml` shows the last valid version; correct the file, or take that one over."},
		"never_valid": {[]snapshot.Fact{{Name: "broken-by", Value: by}, {Name: "valid-at", Value: snapshot.List()}},
			"It is broken. It never worked since it was added in commit 0123456789 (Ada, 2026-11-04)", "the check's"},
	} {
		t.Run(name, func(t *testing.T) {
			it := &snapshot.Item{Key: "workflows/a b.yml", Path: "x/a b.yml", Facts: snapshot.PartsOf(c.facts...)}
			it.Sort()
			r := since(it, audit.Report{Message: "It is broken", Hint: "the check's"})
			if r.Message != c.message || r.Hint != c.hint {
				t.Errorf("%s\n%s", r.Message, r.Hint)
			}
			for _, e := range r.Evidence {
				if e.Name == "" || strings.TrimSpace(e.Value) == "" {
					t.Errorf("evidence %+v", e)
				}
			}
		})
	}
}

func TestSinceAll(t *testing.T) {
	file := func(by string) damage {
		l := snapshot.List()
		if by != "" {
			l = snapshot.List(by, "Ada", "2026-11-04")
		}
		return damage{file: &snapshot.Item{Facts: snapshot.PartsOf(snapshot.Fact{Name: "broken-by", Value: l})}}
	}
	for name, c := range map[string]struct {
		list []damage
		want string
	}{
		"nothing_known": {[]damage{file(""), file("")}, "Broken"},
		"all":           {[]damage{file("a"), file("a")}, "Broken; all of them since commit a (Ada, 2026-11-04)"},
		"most":          {[]damage{file("b"), file("a"), file("b"), file("")}, "Broken; 2 of them since commit b (Ada, 2026-11-04)"},
		"alike":         {[]damage{file("b"), file("a")}, "Broken; 1 of them since commit a (Ada, 2026-11-04)"},
		"no_file":       {[]damage{file("a"), {}}, "Broken"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := sinceAll(c.list, audit.Report{Message: "Broken"}, "look"); got.Message != c.want || (got.Hint == "look") != (c.want == "Broken") {
				t.Errorf("%s\n%s", got.Message, got.Hint)
			}
		})
	}
}
