package pm2

import (
	"fmt"

	"healthaudit/audit"
)

// MemoryRestarts finds apps that PM2 restarts at their memory limit again and again.
var MemoryRestarts = &audit.Check{
	ID: "pm2-memory-restarts", System: "pm2", Title: "app keeps reaching its memory limit", Severity: audit.Medium,
	Doc: "`max_memory_restart` restarts an app that grows too large: a deliberate restart, and none that users should notice. Several a day are a leak, or a limit below what the app needs; " +
		"PM2 looks every 30 seconds only, so that the app may pass its limit by far meanwhile. Counted in PM2's own log over the last 24 hours.",
	Hint:          "Compare `max_memory_restart` with what the app needs just after its start. If it grows without end, take a heap snapshot (`node --heapsnapshot-signal=SIGUSR2`); if not, raise the limit.",
	Discriminator: "none: one finding per app",
	Source:        "https://github.com/Unitech/pm2 lib/Worker.js maxMemoryRestart",
	Limits:        []audit.Limit{{Name: "restarts", Default: 3, Unit: "restarts a day", Doc: "memory restarts in 24 hours that are tolerated less one"}},
	Judge: func(p *audit.Pass) {
		for _, app := range apps(p) {
			if tinyTold(p, app) {
				continue
			}
			n, ok := known(app, "memory-restarts")
			if !ok || n < p.Limit("restarts") {
				if !logged(p, app) {
					p.Doubt(app.Key, "")
				}
				continue
			}
			last, _ := known(app, "memory-restarts.last")
			p.Report(audit.Report{
				Item: app.Key, At: at(app),
				Message: fmt.Sprintf("PM2 restarted %s %s in the last 24 hours because it passed its memory limit, last at %s", app.Name, times(n), when(last)),
			})
		}
	},
}
