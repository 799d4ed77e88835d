package refs

import (
	"testing"

	"healthaudit/snapshot"
)

func TestStarted(t *testing.T) {
	file := func(p string) snapshot.Ref { return snapshot.Ref{Kind: snapshot.RefFile, Path: p} }
	script := func(p string, to ...snapshot.Ref) *snapshot.Item {
		return &snapshot.Item{Key: snapshot.NewKey(snapshot.Scripts, p), Kind: "script", Path: p, Refs: snapshot.PartsOf(to...)}
	}
	now := &snapshot.Snapshot{
		Tree: snapshot.NewTree(true, []snapshot.TreePath{{Path: "a.sh", Kind: 'f', State: 't'}, {Path: "b.sh", Kind: 'f', State: 't'}, {Path: "c.sh", Kind: 'f', State: 't'},
			{Path: "alone.sh", Kind: 'f', State: 't'}}),
		Items: []*snapshot.Item{
			{Key: "pm2/api", Kind: "app", Refs: snapshot.PartsOf(file("c.sh"))},
			script("a.sh", file("b.sh")), script("alone.sh"), script("b.sh", file("a.sh"), file("c.sh")), script("c.sh"),
			{Key: "workflows/ci.yml", Kind: "workflow", Refs: snapshot.PartsOf(file("a.sh"))},
			{Key: "workflows/night.yml", Kind: "workflow", Refs: snapshot.PartsOf(file("b.sh")), Schedules: []snapshot.Schedule{{Expression: "7 3 * * *", Effective: true}}},
			{Key: "workflows/off.yml", Kind: "workflow", Refs: snapshot.PartsOf(file("alone.sh")), Schedules: []snapshot.Schedule{{Expression: "7 3 * * *"}}},
		},
	}
	got := NewTable(now, nil).Started()
	for key, want := range map[snapshot.Key]Started{
		"scripts/a.sh":     {Workflow: "workflows/ci.yml", Clock: "workflows/night.yml"},
		"scripts/b.sh":     {Workflow: "workflows/ci.yml", Clock: "workflows/night.yml"},
		"scripts/c.sh":     {Workflow: "workflows/ci.yml", Clock: "workflows/night.yml", App: "pm2/api"},
		"scripts/alone.sh": {Workflow: "workflows/off.yml"},
		"pm2/api":          {App: "pm2/api"},
	} {
		if got[key] != want {
			t.Errorf("%s: %+v, want %+v", key, got[key], want)
		}
	}
	if by := got["scripts/c.sh"].By(); by != "workflows/night.yml" {
		t.Errorf("c.sh is started by %s: a schedule comes first", by)
	}
	if got["scripts/c.sh"].Elsewhere() != "workflows/ci.yml" || got["pm2/api"].Elsewhere() != "" {
		t.Error("a workflow runs on another machine, PM2 does not")
	}
}
