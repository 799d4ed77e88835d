package pm2

import (
	"fmt"
	"slices"

	"healthaudit/audit"
	"healthaudit/snapshot"
)

// MemoryOverLimit finds apps that use more memory than PM2 is to allow them.
var MemoryOverLimit = &audit.Check{
	ID: "pm2-memory-over-limit", System: "pm2", Title: "more memory than its limit", Severity: audit.Medium,
	Doc: "`max_memory_restart` is to restart an app that uses too much. PM2 looks every 30 seconds only, so one look above the limit may be the moment before the restart, and is told as a guess (unless pm2-memory-restarts says that it is restarted for it); " +
		"the same process above it at two looks, at least a minute apart, means that the limit does not work: PM2 cannot measure (see pm2-ghost), or is too slow. " +
		"PM2 counts the main process alone. What an app starts (a shell, npm, workers of its own) is never limited.",
	Hint:          "See what grows (`pm2 monit`), and raise max_memory_restart only if the app needs that much.",
	Discriminator: "none: one finding per app",
	Source:        "https://github.com/Unitech/pm2 lib/Worker.js maxMemoryRestart, constants.js WORKER_INTERVAL",
	Limits:        []audit.Limit{{Name: "ratio", Default: 1.2, Unit: "times", Doc: "how much more than its limit an app must use"}},
	Judge: func(p *audit.Pass) {
		processes := instances(p)
		for _, app := range apps(p) {
			limit := number(app, "max_memory_restart")
			if limit <= 0 || tinyTold(p, app) {
				continue
			}
			all := processes.of(app)
			var worst excess
			n := 0
			for _, it := range all {
				e := overLimit(p, it, limit*p.Limit("ratio"))
				if e.kind > none {
					n++
				}
				if e.kind > worst.kind || e.kind == worst.kind && e.bytes > worst.bytes {
					worst = e
				}
			}
			if worst.kind != none && (worst.kind != once || !restartsTold(p, app)) {
				p.Report(worst.report(app, limit, subject(app, n, len(all)), plural(n, len(all), "has been", "have been"), blind(p, app, processes)))
			}
		}
	},
}

// restartsTold reports whether pm2-memory-restarts says of an app that it reaches
// its limit and is restarted for it, again and again.
func restartsTold(p *audit.Pass, app *snapshot.Item) bool {
	n, _ := known(app, "memory-restarts")
	return n >= p.LimitOf(MemoryRestarts, "restarts") && !slices.Contains(p.Off, MemoryRestarts.ID)
}

// The kinds of excess, from the least certain to the worst.
const (
	none     = iota
	children // only together with what it started
	once     // at this look
	lasting  // at the last look as well
)

// An excess is how a process is above its limit.
type excess struct {
	kind          int
	bytes         float64
	others, since float64 // children; seconds it has lasted
}

// twice is the time in seconds in which PM2 looks at least once at every app,
// whatever it does in between (constants.js WORKER_INTERVAL is 30).
const twice = 60

func overLimit(p *audit.Pass, it *snapshot.Item, limit float64) excess {
	own := func(it *snapshot.Item) float64 {
		if m, ok := it.Metric("memory.main"); ok {
			return m.Value
		}
		return metric(it, "memory")
	}
	switch main, with := own(it), metric(it, "memory"); {
	case main > limit:
		e := excess{kind: once, bytes: main}
		old := p.Before.Item(it.Key)
		if sameLife(old, it, "memory") && own(old) > limit {
			if e.since = metric(it, "uptime") - metric(old, "uptime"); e.since >= twice {
				e.kind = lasting
			}
		}
		return e
	case with > limit && metric(it, "children") > 0:
		return excess{kind: children, bytes: with, others: metric(it, "children")}
	}
	return excess{}
}

func (e excess) report(app *snapshot.Item, limit float64, who, have string, blind bool) audit.Report {
	r := audit.Report{Item: app.Key, At: at(app)}
	switch e.kind {
	case lasting:
		r.Message = fmt.Sprintf("%s %s above the limit of %s for %s (now %s): the limit does not work", who, have, size(limit), duration(e.since), size(e.bytes))
		if blind {
			r.Message += ", because PM2 cannot measure any app (see pm2-ghost)"
		}
		r.Hint = fmt.Sprintf("%s frees the memory now; then see what grows (`pm2 monit`).", command("restart", app))
	case once:
		r.Severity, r.Confidence = audit.Low, audit.Guess
		r.Message = fmt.Sprintf("%s uses %s, and its limit is %s: PM2 looks every 30 seconds and may be about to restart it", who, size(e.bytes), size(limit))
	case children:
		r.Severity, r.Confidence = audit.Low, audit.Likely
		r.Message = fmt.Sprintf("%s uses %s together with what it started (%.0f further), and its limit is %s: PM2 counts the main process only and will not restart it",
			who, size(e.bytes), e.others, size(limit))
		r.Hint = "Let PM2 start the program itself instead of a shell or npm, or bound the memory of the children (systemd, ulimit)."
	}
	return r
}
