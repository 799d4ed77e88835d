package pm2

import (
	"fmt"
	"maps"
	"slices"

	"healthaudit/audit"
	"healthaudit/snapshot"
)

// RestartsDisabled finds daemons that no longer restart what crashes.
var RestartsDisabled = &audit.Check{
	ID: "pm2-restarts-disabled", System: "pm2", Title: "PM2 restarts nothing any more", Severity: audit.High, Confidence: audit.Likely,
	Doc: "A `pm2 kill` or `pm2 update` that did not come to its end leaves the daemon alive, but in the belief that it is being ended: whatever exits stays down, and nothing says so. " +
		"The trace is an app that is `stopped` and still has the pid of its dead process: whoever stops an app takes the pid away, and so does PM2 where it means the app to stay down.",
	Hint:          "Run `pm2 update` in a quiet moment: it replaces the daemon, and every app restarts. What is down now stays down: `pm2 restart NAME` afterwards.",
	Discriminator: "none: one finding per daemon",
	Source:        "https://github.com/Unitech/pm2 lib/God.js handleExit, lib/God/ActionMethods.js notifyKillPM2",
	Judge: func(p *audit.Pass) {
		for _, d := range daemons(p) {
			if d.State != alive && !slices.Contains(dead, d.State) {
				p.Doubt(d.Key, "")
			}
		}
		processes := instances(p)
		down := map[snapshot.Key][]string{}
		for _, app := range apps(p) {
			if watched(p, app) && !isFalse(app, "autorestart") && len(leftDown(processes.of(app))) > 0 {
				down[daemon(p, app).Key] = append(down[daemon(p, app).Key], app.Name)
			}
		}
		for _, key := range slices.Sorted(maps.Keys(down)) {
			names := down[key]
			were := "were"
			if len(names) == 1 {
				were = "was"
			}
			p.Report(audit.Report{
				Item:    key,
				Message: fmt.Sprintf("%s exited and %s not started again: the PM2 daemon restarts nothing any more, as if it were being ended", list(names), were),
			})
		}
	},
}

// dead are the states of a daemon that restarts nothing because it is gone.
var dead = []string{"crashed", "stale-socket", notRunning}

// leftDown returns the processes that exited and that PM2 did not start again,
// although nobody stopped them.
func leftDown(processes []*snapshot.Item) []*snapshot.Item {
	return pick(processes, func(it *snapshot.Item) bool { return it.State == "stopped" && hasPID(it) })
}
