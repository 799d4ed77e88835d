package workflow

import (
	"fmt"
	"testing"

	"healthaudit/audit"
	"healthaudit/snapshot"
	"healthaudit/snapshot/collect/collecttest"
	collect "healthaudit/snapshot/collect/workflow"
)

// A filter that names no branch is told, unless tags start the workflow as well; what git
// could not tell again is neither told nor gone.
func TestDeadBranches(t *testing.T) {
	for _, c := range []struct {
		on   string
		gone map[string][]string // events, and the branches that there are not
		want string
	}{
		{"{push: {branches: [master]}}", map[string][]string{"push": {"master"}}, "medium branches of push"},
		{"{push: {branches: [master]}, workflow_dispatch: }", map[string][]string{"push": {"master"}}, "medium branches of push"},
		{"{push: {branches: [master], tags: ['v*']}}", map[string][]string{"push": {"master"}}, ""},
		{"{push: {branches: [master], tags-ignore: ['x*']}}", map[string][]string{"push": {"master"}}, ""},
		{"{push: {branches: [master], tags: ['v*']}, pull_request: {branches: [master]}}", map[string][]string{"push": {"master"}, "pull_request": {"master"}}, "low branches of pull_request"},
		{"{push: {branches: [other]}}", map[string][]string{"push": nil}, "in doubt"},
	} {
		dir := t.TempDir()
		collecttest.WriteFile(t, dir, ".github/workflows/a.yml", []byte("on: "+c.on+"\njobs: {a: {runs-on: ubuntu-latest, steps: [{run: make}]}}\n"))
		now := collecttest.Snapshot(t, collecttest.Session(t, dir), collect.Collector)
		it := now.Item("workflows/a.yml")
		for event, names := range c.gone {
			it.Add(snapshot.Detail, "on."+event+collect.NoBranch, snapshot.SetOf(names...))
		}
		it.Sort()
		j := audit.Judge([]*audit.Check{DeadTrigger}, &audit.World{Before: snapshot.Nothing, Now: now, Derived: &snapshot.Derived{}})
		got := ""
		for _, f := range j.Findings {
			got += fmt.Sprintf("%s %s", f.Severity, f.Discriminator)
		}
		if j.Doubts[audit.FindingID(snapshot.Workflows, it.Key, DeadTrigger.ID, "branches of push")] {
			got += "in doubt"
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", c.on, got, c.want)
		}
	}
}
