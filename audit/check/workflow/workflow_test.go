package workflow

import (
	"testing"

	"healthaudit/audit/check/checktest"
	"healthaudit/snapshot"
	model "healthaudit/snapshot/analyze/workflow"
	collect "healthaudit/snapshot/collect/workflow"
)

func TestCases(t *testing.T) { checktest.Run(t, All, collect.Collector) }

func TestStepName(t *testing.T) {
	ci := &snapshot.Item{Kind: string(model.Workflow)}
	action := &snapshot.Item{Kind: string(model.Action)}
	for _, c := range []struct {
		it          *snapshot.Item
		where, want string
	}{
		{ci, "build", `job "build"`},
		{ci, "build/Run tests", `step "Run tests" of job "build"`},
		{ci, "build/run:npm test~1", `a step of job "build"`},
		{action, "Compare versions", `step "Compare versions"`},
		{action, "Build a/b", `step "Build a/b"`},
		{action, "run:make~1", "a step"},
	} {
		if got := stepName(c.it, c.where); got != c.want {
			t.Errorf("%s: %s, want %s", c.where, got, c.want)
		}
	}
}
