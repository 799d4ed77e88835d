package workflow

import (
	"slices"

	"healthaudit/snapshot"
)

// carryFacts keeps what was last known of a file that cannot be parsed or read
// now: its state says so, and nothing looks as if it had been taken away. The
// schedules that were salvaged of the file itself stand.
func carryFacts(it, old *snapshot.Item) {
	if old == nil || old.Kind != it.Kind {
		it.Torn = true
		return
	}
	it.Torn = old.Torn
	var cron []snapshot.Fact
	for _, f := range it.Facts.All() {
		if f.Name == "schedule.cron" {
			cron = append(cron, f)
		}
	}
	it.Facts = snapshot.PartsOf(cron...)
	for _, f := range old.Facts.All() {
		if len(cron) == 0 || f.Name != "schedule.cron" {
			it.Facts.Add(f)
		}
	}
	if it.State == "unreadable" {
		it.Schedules = slices.Clone(old.Schedules)
		for i := range it.Schedules {
			it.Schedules[i].Effective, it.Schedules[i].Why = false, "the file cannot be read"
		}
	}
}
