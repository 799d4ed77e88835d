package workflow

import (
	"strings"

	"healthaudit/audit"
	"healthaudit/snapshot"
	model "healthaudit/snapshot/analyze/workflow"
)

// OnTheHour counts schedules at minute 0, when GitHub starts late or not at all.
var OnTheHour = &audit.Check{
	ID:       "workflow-on-the-hour",
	System:   snapshot.Workflows,
	Title:    "schedules on the hour",
	Severity: audit.Info,
	Doc: "GitHub says that scheduled runs are delayed, and in times of high load dropped, above all at the start of every hour. " +
		"Any other minute is served sooner.",
	Hint:          "Move them to a minute of your own choice, each to another.",
	Discriminator: "none: one finding for the repository",
	Source:        "https://docs.github.com/actions/reference/workflows-and-actions/events-that-trigger-workflows#schedule; measured: 35 of 49 schedules",
	Still:         true,
	Judge: func(p *audit.Pass) {
		var names []string
		var at audit.Location
		for _, it := range files(p) {
			for _, s := range it.Schedules {
				minute, rest, _ := strings.Cut(strings.TrimSpace(s.Expression), " ")
				if minute != "0" && minute != "00" || rest == "" || !s.Effective {
					continue
				}
				if len(names) == 0 {
					at = locate(it, model.Pos{Line: s.Line, Column: s.Column})
				}
				names = append(names, short(it))
				break
			}
		}
		if len(names) > 0 {
			p.Report(audit.Report{Item: snapshot.Pseudo(snapshot.Workflows), At: at, Wide: len(names) > 1,
				Message:  say(len(names), "is", "are") + " scheduled at minute 0, when GitHub is slowest: " + and(names),
				Evidence: []audit.Evidence{{Name: "workflows", Value: strings.Join(names, ", ")}}})
		}
	},
}
