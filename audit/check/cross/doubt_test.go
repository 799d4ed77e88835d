package cross

import (
	"testing"

	"healthaudit/audit"
	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/trait"
)

// While a workflow cannot be read nobody knows what it starts: what is still in a
// script stays. What is no longer in it is mended all the same.
func TestDoubt(t *testing.T) {
	script := func(name string, marks ...trait.Mark) *snapshot.Item {
		it := &snapshot.Item{Key: snapshot.NewKey(snapshot.Scripts, name), Kind: "script", Path: name}
		trait.Keep(it, marks)
		it.Sort()
		return it
	}
	for _, c := range []struct {
		name, state string
		still, gone bool // in doubt
	}{{"whole", "", false, false}, {"a workflow that does not load", "invalid", true, false}} {
		t.Run(c.name, func(t *testing.T) {
			now := &snapshot.Snapshot{Items: []*snapshot.Item{script("gone.sh"), script("still.sh", trait.Mark{Kind: trait.Idle, Line: 1, Column: 1}),
				{Key: "workflows/ci.yml", Kind: "workflow", State: c.state}}}
			j := audit.Judge([]*audit.Check{FakeSuccess}, &audit.World{Now: now, Before: snapshot.Nothing, Derived: &snapshot.Derived{}})
			for key, want := range map[snapshot.Key]bool{"scripts/still.sh": c.still, "scripts/gone.sh": c.gone} {
				if got := j.Blind[audit.Sight{Check: FakeSuccess.ID, Item: key}]; got != want {
					t.Errorf("%s in doubt: %v, want %v", key, got, want)
				}
			}
		})
	}
}
