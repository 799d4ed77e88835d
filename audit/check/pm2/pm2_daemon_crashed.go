package pm2

import (
	"fmt"

	"healthaudit/audit"
)

// DaemonCrashed finds daemons that died or failed and were replaced since.
var DaemonCrashed = &audit.Check{
	ID: "pm2-daemon-crashed", System: "pm2", Title: "PM2 daemon crashed and was replaced", Severity: audit.High,
	Doc: "A daemon that catches an error of its own replaces itself and restarts every app; its counters begin again, so that nothing in `pm2 list` shows it. " +
		"One that was killed, mostly for lack of memory, and then started again by a unit or a pm2 command leaves as little. PM2's own log tells both. Counted are the last 24 hours.",
	Hint:          "Read pm2.log in PM2_HOME around that time, and `journalctl -k | grep -i 'out of memory'`. Errors of PM2 itself are mostly cured by its latest version: `npm install -g pm2`, then `pm2 update` (it restarts every app).",
	Discriminator: "\"error\" for an error that the daemon caught, \"death\" for one that ended without a word",
	Source:        "https://github.com/Unitech/pm2 lib/Daemon.js start, innerStart, gracefullExit",
	Judge: func(p *audit.Pass) {
		for _, d := range daemons(p) {
			if text(d, "log") != "" { // absent or unread
				p.Doubt(d.Key, "error")
				p.Doubt(d.Key, "death")
				continue
			}
			if n, ok := known(d, "log.errors"); ok {
				last, _ := known(d, "log.errors.last")
				p.Report(audit.Report{
					Item: d.Key, Discriminator: "error",
					Message: fmt.Sprintf("the PM2 daemon failed and restarted itself with every app, %s in the last 24 hours, last at %s", times(n), when(last)),
				})
			}
			if n, ok := known(d, "log.deaths"); ok {
				last, _ := known(d, "log.deaths.last")
				p.Report(audit.Report{
					Item: d.Key, Discriminator: "death", Severity: audit.Medium, Confidence: audit.Likely,
					Message: fmt.Sprintf("a new PM2 daemon was started %s in the last 24 hours although the one before had not ended in order (killed, or the machine went down), last at %s", times(n), when(last)),
				})
			}
		}
	},
}
