package workflow

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"healthaudit/snapshot"
	"healthaudit/snapshot/collect"
	"healthaudit/snapshot/collect/collecttest"
)

// Filters that name no branch are told of a clone that knows all branches, and of no other.
func TestBranches(t *testing.T) {
	p := newPast(t)
	job := "\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - run: make\n"
	for name, on := range map[string]string{
		"gone.yml": "{push: {branches: [master, production]}, pull_request: {branches: [main]}}", "there.yml": "{push: {branches: [release]}}", "either.yml": "{push: {branches: [master, main]}}",
		"pattern.yml": "{push: {branches: [master, 'v*']}}", "all.yml": "push", "minus.yml": "{push: {branches-ignore: [master]}}",
	} {
		collecttest.WriteFile(t, p.dir, filepath.Join(Folder, name), []byte("on: "+on+job))
	}
	p.git("add", "-A")
	p.git("commit", "-qm", "x")
	p.git("branch", "release")
	from := p.dir
	told := func() string {
		var out []string
		for _, it := range collecttest.Snapshot(t, collecttest.Session(t, p.dir), Collector).Items {
			for _, f := range it.Facts.All() {
				if strings.HasSuffix(f.Name, NoBranch) {
					out = append(out, it.Name+" "+f.Name+" "+strings.Join(f.Value.Strings(), " "))
				}
			}
		}
		return strings.Join(out, ", ")
	}
	if got := told(); got != "" {
		t.Errorf("of a repository that was cloned from nowhere: %s", got)
	}
	for _, c := range []struct{ options, want string }{
		{"-q", "gone.yml on.push.no-branch master production"},
		{"-q --depth=1 --no-single-branch", ""},
		{"-q --single-branch", ""},
	} {
		p.dir = t.TempDir()
		p.git(append(append([]string{"clone"}, strings.Fields(c.options)...), "file://"+from, ".")...)
		if got := told(); got != c.want {
			t.Errorf("clone %s: %q, want %q", c.options, got, c.want)
		}
	}
}

// What git told once stays where it cannot tell any more; of another filter, that it is
// not known.
func TestBranchesNotToldAgain(t *testing.T) {
	p := newPast(t)
	write := func(dir, branch string) {
		collecttest.WriteFile(t, dir, filepath.Join(Folder, "a.yml"), []byte("on: {push: {branches: ["+branch+"]}}\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - run: make\n"))
	}
	write(p.dir, "master")
	p.git("add", "-A")
	p.git("commit", "-qm", "x")
	from := p.dir
	p.dir = t.TempDir()
	p.git("clone", "-q", "file://"+from, ".")
	before := collecttest.Snapshot(t, collecttest.Session(t, p.dir), Collector)
	p.git("config", "--unset", "remote.origin.fetch") // no longer known to have all branches
	for _, c := range []struct {
		name, branch string
		git          bool
		want         string
	}{
		{"as it was", "master", true, "[master]"},
		{"another filter", "production", true, "[]"},
		{"the branch that is checked out", "main", true, "none"},
		{"as it was, without git", "master", false, "[master]"},
		{"another filter, without git", "production", false, "[]"},
	} {
		write(p.dir, c.branch)
		s := collecttest.Session(t, p.dir)
		s.Previous = before
		if !c.git {
			s.Repository = nil
		}
		got := "none"
		if v, ok := collecttest.Snapshot(t, s, Collector).Item("workflows/a.yml").Fact("on.push" + NoBranch); ok {
			got = fmt.Sprint(v.Strings())
		}
		if got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// Which repository this is stays known where git cannot be asked, and another name makes
// the items anew.
func TestOwnCalls(t *testing.T) {
	dir := t.TempDir()
	collecttest.WriteFile(t, dir, filepath.Join(Folder, "a.yml"), []byte("on: push\njobs:\n  a: {uses: Acme/shop/.github/workflows/b.yml@main}\n  never: {if: false, uses: acme/shop/.github/workflows/c.yml@main}\n"))
	var last *snapshot.Snapshot
	cursors := map[string]json.RawMessage{}
	for i, c := range []struct {
		repository *collect.Repository
		want       string
	}{
		{&collect.Repository{Slug: "acme/shop"}, "b.yml"},
		{nil, "b.yml"},
		{&collect.Repository{Slug: "ada/shop"}, ""},
		{nil, ""},
		{&collect.Repository{Slug: "acme/shop"}, "b.yml"},
	} {
		s := collecttest.Session(t, dir)
		s.Repository = c.repository
		if last != nil {
			s.Previous = last
		}
		s.Cursors = func(_ snapshot.System, name string) json.RawMessage { return cursors[name] }
		res, err := Collector.Collect(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, r := range res.Items[0].Refs.All() {
			got += r.Name
		}
		if got != c.want {
			t.Errorf("%d: %q, want %q", i, got, c.want)
		}
		cursors = res.Cursors
		last = &snapshot.Snapshot{Items: res.Items}
	}
}
