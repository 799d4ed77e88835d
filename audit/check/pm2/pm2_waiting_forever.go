package pm2

import (
	"fmt"

	"healthaudit/audit"
	"healthaudit/snapshot"
)

// WaitingForever finds apps that are shown as waiting for a restart that never comes.
var WaitingForever = &audit.Check{
	ID: "pm2-waiting-forever", System: "pm2", Title: "waits for a restart that never comes", Severity: audit.High,
	Doc: "PM2 gives up an app that crashes too fast too often, but with `restart_delay` or `exp_backoff_restart_delay` set it then writes `waiting restart` over `errored`. " +
		"Such an app looks as if it would come back any moment, and no timer runs for it. The trace is that PM2 has no pid for it: an app that truly waits keeps that of the process that died.",
	Hint:          "Read the end of its error log (`pm2 logs NAME --err --lines 50`), mend the cause, then `pm2 restart NAME`.",
	Discriminator: "none: one finding per app",
	Source:        "https://github.com/Unitech/pm2 lib/God.js handleExit: restart_delay is looked at after the status was set",
	Judge: func(p *audit.Pass) {
		processes := instances(p)
		for _, app := range apps(p) {
			all := processes.of(app)
			dead := pick(all, func(it *snapshot.Item) bool { return it.State == waiting && !hasPID(it) })
			if len(dead) == 0 || !watched(p, app) || mayStop(app, dead) {
				continue
			}
			n := len(dead)
			r := audit.Report{
				Item: app.Key, At: at(app),
				Message: fmt.Sprintf("%s %s given up by PM2 after too many crashes: \"waiting restart\" is shown, but nothing will start %s", subject(app, n, len(all)),
					plural(n, len(all), "was", "were"), plural(n, len(all), "it", "them")),
				Hint: fmt.Sprintf("Read the end of its error log (%s), mend the cause, then %s.", command("logs", app, "--err", "--lines", "50"), command("restart", app)),
			}
			if _, lives := dead[0].Metric("created"); lives { // PM2 takes the creation time from an app that it gives up
				r.Severity = audit.Medium
				r.Message = fmt.Sprintf("%s %s stopped: \"waiting restart\" is shown, but nothing will start %s", subject(app, n, len(all)),
					plural(n, len(all), "was", "were"), plural(n, len(all), "it", "them"))
				r.Hint = fmt.Sprintf("If that is not on purpose: %s.", command("restart", app))
			}
			if code := text(dead[0], "exit_code"); code != "" && code != "0" {
				r.Evidence = append(r.Evidence, audit.Evidence{Name: "exit code", Value: code})
			}
			p.Report(r)
		}
	},
}
