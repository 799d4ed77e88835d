package pm2

import (
	"fmt"
	"math"
	"slices"

	"healthaudit/audit"
	"healthaudit/snapshot"
)

// BackoffLoop finds apps that crash at every start, with a pause between.
var BackoffLoop = &audit.Check{
	ID: "pm2-backoff-loop", System: "pm2", Title: "crash loop with pauses", Severity: audit.High,
	Doc: "With `exp_backoff_restart_delay` PM2 waits longer after every crash, up to 15 seconds, and with `restart_delay` always the same time. " +
		"Because of the pauses the app never crashes fast enough to be given up, so this goes on for ever. " +
		"PM2 forgets the delay when the app has lived for 30 seconds; a delay that has grown at least twice means three crashes in a row, none of which left the app that long to live.",
	Hint:          "Read its error log from before each restart (`pm2 logs NAME --err --lines 200`) and mend the cause. To start it before the pause ends, `pm2 stop NAME` first: `pm2 restart NAME` alone fails while it waits.",
	Discriminator: "none: one finding per app",
	Source:        "https://github.com/Unitech/pm2 lib/God.js handleExit, lib/Worker.js tasks, constants.js EXP_BACKOFF_RESET_TIMER",
	Judge: func(p *audit.Pass) {
		processes := instances(p)
		for _, app := range apps(p) {
			all := processes.of(app)
			bad, over := 0, true
			var worst backoff
			for _, it := range all {
				if b := backsOff(p, app, it); b.loops {
					bad++
					if b.delay >= worst.delay {
						worst = b
					}
				}
				over = over && settled(p, it)
			}
			if bad == 0 {
				if !over {
					p.Doubt(app.Key, "")
				}
				continue
			}
			p.Report(audit.Report{
				Item: app.Key, At: at(app),
				Message: fmt.Sprintf("%s %s again and again: %s", subject(app, bad, len(all)), plural(bad, len(all), "crashes", "crash"), worst.words()),
				Hint: fmt.Sprintf("Read its error log (%s) and mend the cause. To start it before the pause ends, %s first: %s alone fails while it waits.",
					command("logs", app, "--err", "--lines", "200"), command("stop", app), command("restart", app)),
				Evidence: []audit.Evidence{{Name: "state", Value: app.State}},
			})
		}
	},
}

// A backoff is how PM2 pauses between the crashes of a process.
type backoff struct {
	loops   bool
	row     int     // crashes in a row that the delay proves
	crashes float64 // since the last look
	delay   float64 // milliseconds; 0 unknown
}

func (b backoff) words() string {
	s := fmt.Sprintf("%d times in a row at least", b.row)
	if b.crashes >= float64(b.row) {
		s = fmt.Sprintf("%.0f times since the last look", b.crashes)
		if b.crashes == 1 {
			s = "once more since the last look"
		}
	}
	if b.delay > 0 {
		s += fmt.Sprintf(", and PM2 now waits %s before each start", pauseOf(b.delay))
	}
	return s
}

func pauseOf(ms float64) string {
	if ms < 1000 {
		return fmt.Sprintf("%.0f ms", ms)
	}
	return fmt.Sprintf("%.3g seconds", ms/1000)
}

// How PM2's delay grows (lib/God.js handleExit), and how many seconds an app
// must live until it is forgotten (constants.js EXP_BACKOFF_RESET_TIMER).
const (
	growth     = 1.5
	longest    = 15000
	forgetting = 30
)

// backsOff tells whether a process is in a loop that PM2 slows down. An app that
// waits now and then lived well is in none.
func backsOff(p *audit.Pass, app, it *snapshot.Item) backoff {
	b := backoff{delay: metric(it, "prev_restart_delay")}
	b.crashes, _, _ = crashed(p.Before.Item(it.Key), it)
	waits := it.State == waiting && hasPID(it)
	uptime, ok := it.Metric("uptime")
	unsure := it.State == "online" && ok && uptime.Value < forgetting
	first := number(app, "exp_backoff_restart_delay")
	if b.delay > first && first > 0 {
		b.row = 1 + int(math.Ceil(math.Log(b.delay/first)/math.Log(growth)-0.01))
	}
	switch {
	case b.row >= 3 && (waits || unsure):
		b.loops = true
	case waits && b.crashes >= 1:
		b.loops = true
		if b.delay == 0 {
			b.delay = number(app, "restart_delay")
		}
	}
	return b
}

// pausing reports whether pm2-backoff-loop tells of an app.
func pausing(p *audit.Pass, app *snapshot.Item, processes []*snapshot.Item) bool {
	return !slices.Contains(p.Off, BackoffLoop.ID) &&
		slices.ContainsFunc(processes, func(it *snapshot.Item) bool { return backsOff(p, app, it).loops })
}
