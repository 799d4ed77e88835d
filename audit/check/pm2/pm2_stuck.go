package pm2

import (
	"fmt"

	"healthaudit/audit"
	"healthaudit/snapshot"
)

// Stuck finds apps that neither start nor stop.
var Stuck = &audit.Check{
	ID: "pm2-stuck", System: "pm2", Title: "neither starts nor stops", Severity: audit.Medium,
	Doc: "`launching` and `stopping` are states of seconds: PM2 waits for `listen_timeout` at a start and for `kill_timeout` at a stop. " +
		"An app that is in one of them at two looks, with no restart between, has lost whoever was to go on with it.",
	Hint:          "See the end of pm2.log in PM2_HOME and of its error log; then `pm2 delete NAME` and start it again from its file.",
	Discriminator: "none: one finding per app",
	Source:        "https://github.com/Unitech/pm2 lib/God.js executeApp, lib/God/ActionMethods.js stopProcessId",
	Judge: func(p *audit.Pass) {
		processes := instances(p)
		for _, app := range apps(p) {
			if !watched(p, app) {
				continue
			}
			all := processes.of(app)
			patience := 60 + (number(app, "kill_timeout")+number(app, "listen_timeout"))/1000 // seconds
			var since float64
			doubt := false
			stuck := pick(all, func(it *snapshot.Item) bool {
				if it.State != "launching" && it.State != "stopping" {
					return false
				}
				old := p.Before.Item(it.Key)
				n, seconds, ok := crashed(old, it)
				if !ok || n > 0 || old.State != it.State || seconds < patience {
					doubt = true
					return false
				}
				since = max(since, seconds)
				return true
			})
			switch {
			case len(stuck) > 0:
				p.Report(audit.Report{
					Item: app.Key, At: at(app),
					Message: fmt.Sprintf("%s %s been %s for %s at least", subject(app, len(stuck), len(all)), plural(len(stuck), len(all), "has", "have"), stuck[0].State, duration(since)),
					Hint:    fmt.Sprintf("See the end of pm2.log in PM2_HOME and %s; then %s and start it again from its file.", command("logs", app, "--err", "--lines", "50"), command("delete", app)),
				})
			case doubt:
				p.Doubt(app.Key, "")
			}
		}
	},
}
