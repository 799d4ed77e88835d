package workflow

import (
	"fmt"
	"strings"
	"time"

	"healthaudit/snapshot/cron"
)

// scheduleMessages tells schedules that never fire, and those that ask for more
// than GitHub gives. The linter compares the first two runs only, so that it
// misses "0,58 * * * *" and calls a day that never comes "every 0 seconds".
func scheduleMessages(m *Model) []Message {
	var out []Message
	for _, s := range m.Schedules {
		c, err := cron.Parse(cron.GitHub, s.Cron)
		if err != nil {
			continue // the linter tells
		}
		if _, fires := c.Next(sampleStart); !fires {
			out = append(out, Message{Pos: s.Pos, Family: "cron-never", Subject: s.Cron, Text: "the schedule never runs: no such day exists"})
			continue
		}
		if minute, _, _ := strings.Cut(c.String(), " "); isNumber(minute) {
			continue // hours lie between its runs
		}
		if gap := c.SmallestGap(); gap > 0 && gap < cron.GitHubInterval {
			unit := "minutes"
			if gap == time.Minute {
				unit = "minute"
			}
			out = append(out, Message{Pos: s.Pos, Family: "cron-too-often", Subject: s.Cron,
				Text: fmt.Sprintf("the schedule has runs %d %s apart; GitHub runs at most every 5 minutes", int(gap/time.Minute), unit)})
		}
	}
	return out
}
