package workflow

import (
	"fmt"

	"healthaudit/audit"
	"healthaudit/snapshot"
	model "healthaudit/snapshot/analyze/workflow"
)

// ScheduleComment finds schedules that are not what is written beside them.
var ScheduleComment = &audit.Check{
	ID:       "workflow-schedule-comment",
	Version:  2,
	System:   snapshot.Workflows,
	Title:    "schedule differs from its comment",
	Severity: audit.Low,
	Doc: "The comment beside a cron says one time and the cron another, so that whoever reads the file expects runs that never come, or misses that it runs far too often. " +
		"Only comments that can be understood in one way are compared, and times of day only where they say UTC.",
	Hint:          "Decide which of the two is meant and correct the other.",
	Discriminator: "the cron expression",
	Source:        "seen in the wild: \"every 6 hours\" over `0 0 * * *`, \"every 5 minutes\" over `0 */5 * * *`",
	Still:         true,
	Judge: func(p *audit.Pass) {
		for _, n := range newJudge(p).notes(model.NoteComment) {
			p.Report(audit.Report{Item: n.it.Key, Discriminator: n.Subject, At: locate(n.it, n.Pos),
				Message: fmt.Sprintf("%s: %s", short(n.it), n.Text)})
		}
	},
}
