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
	ID: "pm2-crash-loop", System: "pm2", Title: "crash loop", Severity: audit.High, Version: 4,
	Doc: "An app that lives longer than a second before each crash is `online` whenever one looks, for ever: PM2 counts only faster crashes against it. " +
		"Its restart counter tells the truth. Restarts that someone asked for (deploy, cron, memory limit, watch, reload) set the app's creation time anew and do not count; " +
		"neither does a counter that began again because the daemon or the app was replaced. " +
		"A loop of several crashes a second is seen at the first look. PM2 ends one only in the first 16 seconds of an app: after `pm2 resurrect` never, because the creation time comes from the dump. The finding ends when the app has lived for ten minutes, was stopped, or was given up by PM2.",
	Hint:          "Read its error log from before each restart (`pm2 logs NAME --err --lines 200`); PM2's own log names the signals (`pm2.log` in PM2_HOME).",
	Discriminator: "none: one finding per app",
	Source:        "https://github.com/Unitech/pm2 lib/God.js handleExit, lib/God/ActionMethods.js restartProcessId; issue 3258",
	Limits:        []audit.Limit{{Name: "restarts", Default: 3, Unit: "restarts", Doc: "crashes between two runs that are tolerated less one"}},
	Judge: func(p *audit.Pass) {
		processes := instances(p)
		for _, app := range apps(p) {
			l := look(p, processes.of(app))
			switch {
			case pausing(p, app, processes.of(app)): // pm2-backoff-loop says it
			case l.crashes > 0 && l.crashes >= p.Limit("restarts"):
				r := audit.Report{
					Item: app.Key, At: at(app),
					Message:  fmt.Sprintf("%s crashed and was started again %.0f times in %s", app.Name, l.crashes, duration(l.span)),
					Evidence: []audit.Evidence{{Name: "state", Value: app.State}},
					Hint:     fmt.Sprintf("Read its error log from before each restart (%s); PM2's own log names the signals (`pm2.log` in PM2_HOME).", command("logs", app, "--err", "--lines", "200")),
				}
				if l.burst >= p.Limit("restarts") && l.age >= breaker {
					l.endless(app, &r)
				}
				p.Report(r)
			case !l.over:
				p.Doubt(app.Key, "")
			}
		}
	},
}

// calm is how many seconds an app must have lived for its loop to be over. A
// loop is three crashes between two runs, which are minutes apart.
const calm = 600

// A looked is what the processes of an app say.
type looked struct {
	crashes, span float64 // since they were last seen, and in how many seconds
	over          bool    // none of them can be in a loop

	burst float64 // restarts in the time between the two looks of a run
	age   float64 // seconds since the last start that someone asked for, of the one that bursts
	old   bool    // that start was before the birth of the daemon: the app was resurrected
}

// breaker is how many seconds after a start that someone asked for PM2 counts
// fast crashes at all: min_uptime × max_restarts, with their defaults.
const breaker = 16

// blink is how many seconds lie between the two looks of one run, rounded up.
const blink = 2

// endless says of a loop of several crashes a second why PM2 does not end it.
func (l looked) endless(app *snapshot.Item, r *audit.Report) {
	r.Message += fmt.Sprintf(", about %.0f times every %d seconds, and PM2 will not give it up", l.burst, blink)
	why := "PM2 gives up only what crashes in its first 16 seconds after a start that someone asked for"
	if l.old {
		why += ", and `pm2 resurrect` took that time from the dump"
	}
	r.Hint = fmt.Sprintf("%s. %s ends the loop; read %s, mend the cause, then %s, which sets that time anew.",
		why, command("stop", app), command("logs", app, "--err", "--lines", "200"), command("restart", app))
}

func look(p *audit.Pass, processes []*snapshot.Item) looked {
	l := looked{over: true}
	for _, it := range processes {
		if n, seconds, ok := crashed(p.Before.Item(it.Key), it); ok && n > 0 {
			l.crashes += n
			l.span = math.Max(l.span, seconds)
		} else if burst := metric(it, "burst"); burst > 0 {
			l.crashes += burst
			l.span = math.Max(l.span, blink)
		}
		if burst := metric(it, "burst"); burst > l.burst {
			_, old := it.Metric("resurrected")
			l.burst, l.age, l.old = burst, metric(it, "age"), old
		}
		l.over = l.over && settled(p, it)
	}
	return l
}

// settled reports whether a process is in no loop: it lives long enough, or
// nothing starts it any more. That the counter has not moved proves nothing:
// the last look may be a second ago, the app restarted by hand or its counter
// reset. The state of a process says nothing where no daemon watches it.
func settled(p *audit.Pass, it *snapshot.Item) bool {
	switch it.State {
	case "online":
		m, ok := it.Metric("uptime")
		return ok && m.Value >= calm
	case "errored", "stopped", notRunning:
		d := daemon(p, it)
		return d != nil && d.State == alive
	}
	return false
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
