package workflow

import (
	"slices"
	"strings"

	"healthaudit/audit"
	"healthaudit/snapshot"
	model "healthaudit/snapshot/analyze/workflow"
)

// NoDispatch finds scheduled workflows that nobody can start by hand.
var NoDispatch = &audit.Check{
	ID:       "workflow-no-dispatch",
	System:   snapshot.Workflows,
	Title:    "no start by hand",
	Severity: audit.Info,
	Doc: "A workflow that runs by schedule alone cannot be tried after a change, nor run again after GitHub dropped or delayed its run: " +
		"one has to wait for the next time. workflow_dispatch adds the button.",
	Hint:          "Add workflow_dispatch: beside schedule:.",
	Discriminator: "none: one finding for the repository",
	Source:        "measured: 5 % of 283 workflows",
	Still:         true,
	Judge: func(p *audit.Pass) {
		var list []*snapshot.Item
		for _, it := range files(p) {
			if on := onOf(it); slices.Contains(on, "schedule") && len(on) == 1 && it.State == "active" {
				list = append(list, it)
			}
		}
		if len(list) == 0 {
			return
		}
		p.Report(audit.Report{Item: snapshot.Pseudo(snapshot.Workflows), At: scheduleOf(list[0]), Wide: len(list) > 1,
			Message:  say(len(list), "runs", "run") + " by schedule only and cannot be started by hand: " + and(shorts(list)),
			Evidence: []audit.Evidence{{Name: "workflows", Value: strings.Join(shorts(list), ", ")}}})
	},
}

// scheduleOf is the place of the first schedule of an item.
func scheduleOf(it *snapshot.Item) audit.Location {
	if len(it.Schedules) == 0 {
		return locate(it, model.Pos{Line: 1, Column: 1})
	}
	return locate(it, model.Pos{Line: it.Schedules[0].Line, Column: it.Schedules[0].Column})
}
