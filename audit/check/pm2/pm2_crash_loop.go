package pm2

import (
	"fmt"
	"math"
	"time"

	"healthaudit/audit"
	"healthaudit/snapshot"
)

// CrashLoop finds apps that crash and are started again, over and over.
var CrashLoop = &audit.Check{
	ID: "pm2-crash-loop", System: "pm2", Title: "crash loop", Severity: audit.High,
	Doc: "An app that lives longer than a second before each crash is `online` whenever one looks, for ever: PM2 counts only faster crashes against it. " +
		"Its restart counter tells the truth. Restarts that someone asked for (deploy, cron, memory limit, watch, reload) set the app's creation time anew and do not count; " +
		"neither does a counter that began again because the daemon or the app was replaced.",
	Hint:          "Read its error log from before each restart (`pm2 logs NAME --err --lines 200`); PM2's own log names the signals (`pm2.log` in PM2_HOME).",
	Discriminator: "none: one finding per app",
	Source:        "https://github.com/Unitech/pm2 lib/God.js handleExit, lib/God/ActionMethods.js restartProcessId",
	Limits:        []audit.Limit{{Name: "restarts", Default: 3, Unit: "restarts", Doc: "crashes between two runs that are tolerated less one"}},
	Judge: func(p *audit.Pass) {
		for _, app := range apps(p) {
			var crashes, span float64
			since := false
			for _, it := range instances(p, app) {
				n, seconds, ok := crashed(p.Before.Item(it.Key), it)
				if !ok {
					continue
				}
				crashes += n
				if n > 0 {
					span, since = math.Max(span, seconds), true
				}
			}
			if !since || crashes < p.Limit("restarts") {
				continue
			}
			p.Report(audit.Report{
				Item: app.Key, At: at(app),
				Message:  fmt.Sprintf("%s crashed and was started again %.0f times in %s", app.Name, crashes, duration(span)),
				Evidence: []audit.Evidence{{Name: "state", Value: app.State}},
			})
		}
	},
}

// crashed returns how often a process crashed since it was last seen, and in
// how many seconds; ok is false when the two counters are not comparable: the
// app or the daemon is another one, or someone restarted it in between.
func crashed(old, now *snapshot.Item) (n, seconds float64, ok bool) {
	if old == nil {
		return 0, 0, false
	}
	was, ok1 := old.Metric("restarts")
	is, ok2 := now.Metric("restarts")
	made, ok3 := old.Metric("created")
	remade, ok4 := now.Metric("created")
	if !ok1 || !ok2 || !ok3 || !ok4 || was.Incarnation != is.Incarnation || made.Value != remade.Value || is.Value < was.Value {
		return 0, 0, false
	}
	before, _ := old.Metric("age")
	after, _ := now.Metric("age")
	return is.Value - was.Value, math.Max(after.Value-before.Value, 0), true
}

// duration writes seconds for a person: "40 seconds", "15 minutes", "3 hours", "2 days".
func duration(seconds float64) string {
	d := time.Duration(seconds * float64(time.Second))
	for _, u := range []struct {
		of   time.Duration
		name string
	}{{24 * time.Hour, "day"}, {time.Hour, "hour"}, {time.Minute, "minute"}} {
		if d >= 2*u.of {
			return fmt.Sprintf("%d %ss", int(math.Round(float64(d)/float64(u.of))), u.name)
		}
	}
	return fmt.Sprintf("%.0f seconds", seconds)
}
