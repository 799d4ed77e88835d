package pm2

import (
	"fmt"

	"healthaudit/audit"
)

// DaemonMemory finds daemons that need far more memory than one does.
var DaemonMemory = &audit.Check{
	ID: "pm2-daemon-memory", System: "pm2", Title: "PM2 daemon needs too much memory", Severity: audit.Medium,
	Doc: "The daemon itself needs 60 to 90 MB, with a hundred apps too. One that holds hundreds leaks, mostly from logs that flow through it faster than they can be written or from modules, " +
		"and in the end the kernel kills it, and with it every app.",
	Hint:          "Run `pm2 update` as the user who owns the apps, at a quiet hour: it replaces the daemon and restarts every app. See which app writes much, and which modules run (`pm2 list`).",
	Discriminator: "none: one finding per daemon",
	Source:        "measured: 60 MiB fresh, 90 MiB with 100 apps; https://github.com/Unitech/pm2/issues/6113 (5.7 GB after 22 days)",
	Limits:        []audit.Limit{{Name: "mb", Default: 500, Unit: "MB", Doc: "memory from which a daemon is too large"}},
	Judge: func(p *audit.Pass) {
		for _, d := range daemons(p) {
			m, ok := d.Metric("memory")
			if !ok {
				p.Doubt(d.Key, "")
				continue
			}
			if m.Value >= p.Limit("mb")*(1<<20) {
				p.Report(audit.Report{Item: d.Key, Message: fmt.Sprintf("the PM2 daemon itself holds %s of memory; 60 to 90 MB are usual", size(m.Value))})
			}
		}
	},
}
