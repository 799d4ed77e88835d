package self

import (
	"fmt"
	"time"

	"healthaudit/audit"
	"healthaudit/snapshot"
)

// RunsMissed reports runs that should have been and were not.
var RunsMissed = &audit.Check{
	ID:       "audit-runs-missed",
	Title:    "runs are missing",
	Severity: audit.Low,
	Doc: "`cadence.every` in audit.yaml says how often audit is to run, and it did not: what broke meanwhile was seen late. One missing run of the last " +
		"24 hours is low, three are medium, a gap of a day is high. While the machine was down nothing could run: that is told for information. " +
		"Without the key nobody knows what is late, and nothing is told; a gap counts only when the run before it knew the same cadence.",
	Hint:          "See what should have started it: `crontab -l`, `systemctl list-timers`, the mail and log of cron. A run that takes longer than the cadence makes the next one end with exit 75.",
	Discriminator: "empty: one for the auditor",
	Source:        "missed = ceil((gap − grace) / every) − 1, of the times at which runs began",
	Judge: func(p *audit.Pass) {
		self := snapshot.Pseudo(snapshot.Auditor)
		if p.Self == nil {
			p.DoubtAll(self)
			return
		}
		l := p.Self.Lost(p.Now.At)
		if l.Runs+l.Down == 0 {
			return
		}
		between := fmt.Sprintf("none began between %s and %s UTC", minute(l.From), minute(l.To))
		r := audit.Report{Item: self, At: p.Self.EveryAt, Evidence: []audit.Evidence{{Name: "longest gap", Value: minute(l.From) + " to " + minute(l.To)}}}
		if l.Runs == 0 {
			r.Severity, r.Title, r.Hint = audit.Info, "host was down", "Nothing, if it was meant. A systemd timer with Persistent=true catches up at once."
			r.Message = fmt.Sprintf("%s because the machine was down (it started at %s UTC): %s", missing(l.Down), minute(p.Self.Boot), between)
			p.Report(r)
			return
		}
		switch {
		case l.To.Sub(l.From) >= audit.MissedWindow:
			r.Severity = audit.High
		case l.Runs >= 3:
			r.Severity = audit.Medium
		}
		r.Message = fmt.Sprintf("In the last 24 hours %s (one is due every %s): %s", missing(l.Runs), short(p.Self.Every), between)
		if l.Down > 0 {
			r.Message += fmt.Sprintf("; %d more could not be, as the machine was down", l.Down)
		}
		p.Report(r)
	},
}

func missing(n int) string {
	if n == 1 {
		return "1 run is missing"
	}
	return fmt.Sprintf("%d runs are missing", n)
}

func minute(t time.Time) string { return t.UTC().Format("2006-01-02 15:04") }

// short writes a duration without units that are zero.
func short(d time.Duration) string {
	switch {
	case d%time.Hour == 0:
		return fmt.Sprintf("%dh", d/time.Hour)
	case d%time.Minute == 0:
		return fmt.Sprintf("%dm", d/time.Minute)
	}
	return d.String()
}
