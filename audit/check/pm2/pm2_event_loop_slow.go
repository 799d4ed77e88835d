package pm2

import (
	"fmt"

	"healthaudit/audit"
	"healthaudit/snapshot"
)

// EventLoopSlow finds Node apps that answer late whatever they are asked.
var EventLoopSlow = &audit.Check{
	ID: "pm2-event-loop-slow", System: "pm2", Title: "event loop is blocked", Severity: audit.Low, Confidence: audit.Guess,
	Doc: "A Node app does one thing at a time. When its event loop is late by half a second, every request waits at least that long, and health checks begin to fail. " +
		"The app measures it itself; an app that is meant to compute (a worker without requests) may be late and healthy.",
	Hint:          "Look for work that does not yield: synchronous files or cryptography, large JSON, long loops. `pm2 monit` shows the latency; a CPU profile shows the function.",
	Discriminator: "none: one finding per app",
	Source:        "https://github.com/Unitech/pm2 modules/pm2-io-bpm/metrics/eventLoopMetrics.js: \"Event Loop Latency p95\"",
	Limits:        []audit.Limit{{Name: "latency", Default: 500, Unit: "milliseconds", Doc: "the latency that one in twenty turns may have"}},
	Judge: func(p *audit.Pass) {
		processes := instances(p)
		for _, app := range apps(p) {
			all := processes.of(app)
			worst := 0.0
			slow := pick(all, func(it *snapshot.Item) bool {
				m := metric(it, "event-loop")
				if it.State != "online" || m < p.Limit("latency") || metric(it, "uptime") < busy {
					return false
				}
				worst = max(worst, m)
				return true
			})
			if len(slow) > 0 {
				p.Report(audit.Report{
					Item: app.Key, At: at(app),
					Message: fmt.Sprintf("the event loop of %s is late by %.0f ms or more in one of twenty turns", subject(app, len(slow), len(all)), worst),
				})
			}
		}
	},
}

// busy is how many seconds an app may be busy with its start.
const busy = 60
