package pm2

import (
	"fmt"

	"healthaudit/audit"
	"healthaudit/snapshot"
)

// ErrorsGrow finds apps that write much into a log of errors of their own.
var ErrorsGrow = &audit.Check{
	ID: "pm2-errors-grow", System: "pm2", Title: "error log grows fast", Severity: audit.Low, Confidence: audit.Likely,
	Doc: "An app that stays up and fails at everything it is asked shows in one place only: what it writes to its error log. Found are apps whose error log, kept apart from the output log, " +
		"grew by more than its limit an hour between two looks without a crash in between. Some programs write all they say to the error log: for those raise the limit, or waive this.",
	Hint:          "`pm2 logs NAME --err --lines 50` shows what it complains of.",
	Discriminator: "none: one finding per app",
	Source:        "growth of pm_err_log_path between two looks",
	Limits: []audit.Limit{
		{Name: "mb", Default: 5, Unit: "MB per hour", Doc: "what an error log may grow"},
		{Name: "minutes", Default: 10, Unit: "minutes", Doc: "the least time between two looks that tells anything"},
	},
	Judge: func(p *audit.Pass) {
		processes := instances(p)
		for _, app := range apps(p) {
			all := processes.of(app)
			var fastest float64
			n := 0
			for _, it := range all {
				rate := errorsPerHour(p.Before.Item(it.Key), it, p.Limit("minutes")*60)
				if rate > p.Limit("mb")*1e6 {
					n++
				}
				fastest = max(fastest, rate)
			}
			if n > 0 {
				p.Report(audit.Report{Item: app.Key, At: at(app), Hint: command("logs", app, "--err --lines 50") + " shows what it complains of.",
					Message:  fmt.Sprintf("%s %s %s an hour into the error log", subject(app, n, len(all)), plural(n, len(all), "writes", "write up to"), room(fastest)),
					Evidence: []audit.Evidence{{Name: "growth per hour", Value: room(fastest)}}})
			}
		}
	},
}

// errorsPerHour returns by how many bytes an hour the error log of a process
// grew between two looks; 0 where that cannot be told, where it is the output
// log as well, and where a crash explains it.
func errorsPerHour(old, now *snapshot.Item, least float64) float64 {
	if !sameLife(old, now, "log.err") || !sameLife(old, now, "age") || !sameLife(old, now, "restarts") || metric(now, "restarts") > metric(old, "restarts") {
		return 0
	}
	out, ok := now.Metric("log.out")
	if err, _ := now.Metric("log.err"); ok && out.Incarnation == err.Incarnation {
		return 0
	}
	seconds := metric(now, "age") - metric(old, "age")
	if seconds < least {
		return 0
	}
	return (metric(now, "log.err") - metric(old, "log.err")) / seconds * 3600
}
