package self

import (
	"fmt"
	"time"

	"healthaudit/audit"
	"healthaudit/snapshot"
)

// DrillDue reports archives of which none was proven to come back.
var DrillDue = &audit.Check{
	ID:       "audit-drill-due",
	Title:    "backups not proven",
	Severity: audit.Medium,
	Needs:    []snapshot.System{snapshot.Auditor},
	Doc: "Archives are made, and for longer than archive.drill_every (30 days unless the configuration says otherwise) none of them was brought back for a try. " +
		"Whether the key is still known, the folder still readable and the content whole, only bringing one back tells. " +
		"Where audit.yaml says nothing of archives this is a low finding.",
	Hint:          "Run audit archive drill: it restores the newest archive into a temporary folder and compares. Once a month, by cron, is a good habit.",
	Discriminator: "none: there is one per run",
	Source:        "audit: a backup that was never restored is a hope",
	Judge: func(p *audit.Pass) {
		item := snapshot.Pseudo(snapshot.Auditor)
		b := p.Backups
		if b == nil {
			p.DoubtAll(item)
			return
		}
		since, what := b.First, "None of the archives was brought back for a try; the first was made on"
		if !b.Drilled.IsZero() {
			since, what = b.Drilled, "No archive was brought back for a try since"
		}
		if b.Every <= 0 || since.IsZero() || p.Now.At.Sub(since) < b.Every {
			return
		}
		severity := audit.Low
		if b.Configured {
			severity = audit.Medium
		}
		p.Report(audit.Report{Item: item, At: b.At, Severity: severity, Evidence: []audit.Evidence{{Name: "since", Value: since.UTC().Format(time.DateOnly)}},
			Message: fmt.Sprintf("%s %s (UTC).", what, since.UTC().Format(time.DateOnly))})
	},
}
