package pm2

import (
	"fmt"
	"time"

	"healthaudit/audit"
	"healthaudit/snapshot"
	"healthaudit/snapshot/cron"
)

// CronMissed finds apps whose schedule no longer starts them.
var CronMissed = &audit.Check{
	ID: "pm2-cron-missed", System: "pm2", Title: "schedule does not fire", Severity: audit.Medium, Confidence: audit.Likely,
	Doc: "PM2 keeps the timer of `cron_restart` in its memory. A restart that fails (of an app that is waiting for its next start, for example) takes the timer away and does not set it again: " +
		"the app still shows its schedule, and nothing happens. Every run of the schedule sets the time of the app's last start anew, so a start that is too old proves it. " +
		"In which time zone the daemon lives is not known: the finding waits until the run is overdue in all of them.",
	Hint:          "`pm2 restart NAME` starts it now and sets the timer anew. pm2.log in PM2_HOME says when it was lost (\"Deregistering a cron job\").",
	Discriminator: "none: one finding per app",
	Source:        "https://github.com/Unitech/pm2 lib/God/ActionMethods.js restartProcessId, lib/Worker.js registerCron; issues 5443, 5604",
	Limits:        []audit.Limit{{Name: "grace", Default: 10, Unit: "minutes", Doc: "how late a run may be"}},
	Judge: func(p *audit.Pass) {
		processes := instances(p)
		for _, app := range apps(p) {
			if !watched(p, app) {
				continue
			}
			for _, sched := range app.Schedules {
				if !sched.Effective || sched.Dialect != string(cron.PM2) {
					continue
				}
				s, err := cron.Parse(cron.PM2, sched.Expression)
				if err != nil {
					continue
				}
				late := pick(processes.of(app), func(it *snapshot.Item) bool {
					return overdue(s, app, it, p.Now.At.Add(-time.Duration(p.Limit("grace")*float64(time.Minute))))
				})
				if len(late) == 0 {
					continue
				}
				ago := p.Now.At.Sub(time.UnixMilli(int64(metric(late[0], "started")))).Seconds()
				p.Report(audit.Report{
					Item: app.Key, At: at(app),
					Message: fmt.Sprintf("the schedule of %s (%s) does not fire any more: its last start was %s ago", app.Name, sched.Expression, duration(ago)),
					Hint:    fmt.Sprintf("%s starts it now and sets the timer anew. pm2.log in PM2_HOME says when it was lost (\"Deregistering a cron job\").", command("restart", app)),
				})
			}
		}
	},
}

// The offsets of the time zones of the world, and the step between them
// (https://www.iana.org/time-zones).
const (
	west, east = -12 * time.Hour, 14 * time.Hour
	step       = 15 * time.Minute
)

// overdue reports whether a process should have been started by its schedule
// before now, wherever its daemon lives.
func overdue(s *cron.Schedule, app, it *snapshot.Item, now time.Time) bool {
	if it.State != "online" && !(it.State == "stopped" && isFalse(app, "autorestart")) {
		return false
	}
	ms := metric(it, "started")
	if ms <= 0 {
		return false
	}
	for off := west; off <= east; off += step {
		start := time.UnixMilli(int64(ms)).In(time.FixedZone("", int(off/time.Second)))
		if next, ok := s.Next(start); !ok || next.After(now) {
			return false
		}
	}
	return true
}
