package self

import (
	"fmt"
	"time"

	"healthaudit/audit"
	"healthaudit/snapshot"
)

// ClockBackwards reports a clock that stands before the run before.
var ClockBackwards = &audit.Check{
	ID:       "audit-clock-backwards",
	Title:    "clock went backwards",
	Severity: audit.Medium,
	Doc: "The run before began later than this one, on the same host: the clock was set back, or was wrong then. The order of snapshots is by number, so nothing " +
		"is lost; but ages, ends of waivers and missing runs are wrong until the clock has caught up.",
	Hint:          "Set the clock and see that it is kept: `timedatectl`. If it was wrong at the run before, the next run finds everything in order.",
	Discriminator: "empty: one for the auditor",
	Source:        "audit: the number decides the order of snapshots, not the time",
	Limits:        []audit.Limit{{Name: "seconds", Default: 2, Unit: "seconds", Doc: "what a clock may be set back without a word"}},
	Judge: func(p *audit.Pass) {
		self := snapshot.Pseudo(snapshot.Auditor)
		if p.Self == nil {
			p.DoubtAll(self)
			return
		}
		n := len(p.Self.Runs)
		if n == 0 || p.Self.Runs[n-1].Host != p.Self.Host {
			return
		}
		last := p.Self.Runs[n-1]
		if back := last.At.Sub(p.Now.At); back > time.Duration(p.Limit("seconds")*float64(time.Second)) {
			p.Report(audit.Report{Item: self, Message: fmt.Sprintf("Run #%d before this one says that it began at %s UTC, which is still to come: the clock says %s",
				last.Seq, last.At.UTC().Format(time.DateTime), p.Now.At.UTC().Format(time.DateTime))})
		}
	},
}
