package workflow

import (
	"path/filepath"
	"strings"
	"testing"

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
