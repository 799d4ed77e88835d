package pipeline

import (
	"slices"
	"testing"

	"healthaudit/audit"
	"healthaudit/snapshot"
)

func TestExplained(t *testing.T) {
	tree := snapshot.NewTree(true, []snapshot.TreePath{
		{Path: "app.py", Kind: snapshot.PathFile, State: snapshot.Tracked},
		{Path: "lost.sh", Kind: snapshot.PathMissing, State: snapshot.Tracked},
		{Path: "package.json", Kind: snapshot.PathFile, State: snapshot.Tracked}})
	before := snapshot.NewTree(true, append(slices.Clone(tree.All()), snapshot.TreePath{Path: "old.sh", Kind: snapshot.PathFile, State: snapshot.Tracked},
		snapshot.TreePath{Path: "draft.sh", Kind: snapshot.PathFile, State: snapshot.Untracked}))
	for _, c := range []struct {
		name string
		gone audit.Gone
		git  deletions
		want bool
	}{
		{"a broken script that nothing starts any more", audit.Gone{Item: "scripts/app.py", Path: "app.py", Level: audit.LevelFailing}, deletions{}, true},
		{"a healthy script deleted in a commit", audit.Gone{Item: "scripts/old.sh", Path: "old.sh", Level: audit.LevelOK}, deletions{}, true},
		{"a healthy script that was never committed, deleted", audit.Gone{Item: "scripts/draft.sh", Path: "draft.sh", Level: audit.LevelOK}, deletions{}, false},
		{"a dangling npm script taken out of its file", audit.Gone{Item: "scripts/npm:a", Path: "package.json", Level: audit.LevelDegraded}, deletions{}, true},
		{"a broken script deleted in a commit", audit.Gone{Item: "scripts/old.sh", Path: "old.sh", Level: audit.LevelFailing}, deletions{}, false},
		{"a script missing on disk only", audit.Gone{Item: "scripts/lost.sh", Path: "lost.sh", Level: audit.LevelOK}, deletions{}, false},
		{"a healthy npm script taken out of its file", audit.Gone{Item: "scripts/npm:a", Path: "package.json", Level: audit.LevelOK}, deletions{}, true},
		{"a broken npm script taken out of its file", audit.Gone{Item: "scripts/npm:a", Path: "package.json", Level: audit.LevelFailing}, deletions{}, false},
		{"what has no file", audit.Gone{Item: "pm2/api"}, deletions{}, false},
		{"deleted in the index only, as git says", audit.Gone{Item: "scripts/old.sh", Path: "old.sh", Level: audit.LevelOK}, deletions{known: true}, false},
		{"not in the commit of another branch", audit.Gone{Item: "scripts/old.sh", Path: "old.sh", Level: audit.LevelOK}, deletions{known: true, by: map[string]string{"old.sh": ""}}, true},
		{"committed after it was deleted in the index", audit.Gone{Item: "scripts/draft.sh", Path: "draft.sh", Level: audit.LevelOK}, deletions{known: true, by: map[string]string{"draft.sh": "9f8b7a6c"}}, true},
		{"a broken one of which the commit is known", audit.Gone{Item: "scripts/old.sh", Path: "old.sh", Level: audit.LevelFailing}, deletions{known: true, by: map[string]string{"old.sh": "9f8b7a6c"}}, false},
	} {
		if got := explained(c.gone, before, tree, c.git); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

func TestRegressed(t *testing.T) {
	v := &View{Regressions: []*audit.Regression{{Item: "scripts/a", Code: "R1"}, {Item: "scripts/a", Code: "R2"}, {Item: "scripts/b", Code: "R6"}}}
	if n := v.regressed(func(snapshot.System) bool { return true }); n != 2 {
		t.Errorf("%d items regressed, want 2", n)
	}
}

func TestQuiet(t *testing.T) {
	before := &Moment{Score: 88, Worst: audit.Medium}
	for _, c := range []struct {
		name string
		now  Moment
		want bool
	}{
		{"only a shared file changed", Moment{Score: 88, Worst: audit.Medium}, true},
		{"its own text changed", Moment{Score: 88, Worst: audit.Medium, Files: []string{"a.sh"}}, false},
		{"a finding became worse", Moment{Score: 70, Worst: audit.High}, false},
		{"it changed", Moment{Score: 88, Worst: audit.Medium, Change: &snapshot.Change{}}, false},
	} {
		if got := c.now.quiet(before); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}
