package pm2

import (
	"fmt"
	"time"

	"healthaudit/audit"
	"healthaudit/audit/trend"
	"healthaudit/snapshot"
)

// MemoryGrowing finds processes that grow and grow, long before they reach a limit.
var MemoryGrowing = &audit.Check{
	ID: "pm2-memory-growing", System: "pm2", Title: "memory grows without end", Severity: audit.Medium, Confidence: audit.Likely, Trend: true,
	Doc: "A leak shows long before it hurts: the memory of one process, over at least half a day without a restart, rises in a way that chance does not (Mann and Kendall, 1 %), " +
		"by at least a tenth and by the limit below, and still does in the later half: what a process needs to warm up is no leak. One high reading does not matter (Theil and Sen). " +
		"The slope says when it reaches `max_memory_restart`. What has passed that already is pm2-memory-over-limit, what keeps reaching it pm2-memory-restarts.",
	Hint:          "Take a heap snapshot now and one in an hour (`node --heapsnapshot-signal=SIGUSR2`, or `pm2 monit` to watch) and compare what grew. Until then max_memory_restart bounds it.",
	Discriminator: "none: one finding per app",
	Source:        "Theil-Sen slope and Mann-Kendall test over the snapshots of one process (Gilbert 1987, Statistical Methods for Environmental Pollution Monitoring, chapters 16 and 17)",
	Limits: []audit.Limit{
		{Name: "hours", Default: 12, Unit: "hours", Doc: "how long a process must have been seen"},
		{Name: "mb", Default: 50, Unit: "MB", Doc: "by how much it must have grown meanwhile"},
		{Name: "drift", Default: 0, Unit: "spreads", Doc: "above 0, a slow drift is found as well: when the cumulated sum of how far a process is above its first eight readings reaches this (5 is usual)"},
	},
	Judge: func(p *audit.Pass) {
		processes := instances(p)
		for _, app := range apps(p) {
			if n, ok := known(app, "memory-restarts"); ok && n >= p.LimitOf(MemoryRestarts, "restarts") {
				continue
			}
			all := processes.of(app)
			var worst rise
			n := 0
			for _, it := range all {
				g, ok := rose(p, app, it)
				if ok {
					n++
				}
				if ok && (n == 1 || g.bytes() > worst.bytes()) {
					worst = g
				}
			}
			if n > 0 {
				p.Report(worst.report(app, subject(app, n, len(all)), plural(n, len(all), "has", "have")))
			}
		}
	},
}

// The samples that a growth is judged by: at most 20 of the last day, or of the
// last 50 runs where that is longer.
const (
	growthSamples = 20
	growthRuns    = 50
	growthWindow  = 24 * time.Hour
)

// A rise is how the memory of one process grew, in bytes and hours.
type rise struct {
	line    trend.Growth
	from    float64 // time of the first sample, in hours; that of the last is 0
	alone   bool    // it has no children: PM2 looks at all of it
	drifted bool    // only the cumulated sum says so
}

func (g rise) bytes() float64 { return g.line.Slope * -g.from }

func rose(p *audit.Pass, app, it *snapshot.Item) (rise, bool) {
	limit := number(app, "max_memory_restart")
	if limit > 0 && overLimit(p, it, limit).kind > none {
		return rise{}, false
	}
	start := p.Now.At.Add(-time.Duration(metric(it, "uptime") * float64(time.Second)))
	w := audit.Window{Since: p.Now.At.Add(-growthWindow), Least: growthRuns, Begin: start, Most: growthSamples}
	drift := p.Limit("drift")
	if drift == 0 && !promising(p, it, w) {
		return rise{}, false
	}
	points := hourly(p.Now.At, audit.Life(p.Series(it, "memory", w)))
	if len(points) == 0 {
		return rise{}, false
	}
	_, children := it.Metric("memory.main")
	g := rise{line: trend.NewGrowth(points), from: points[0].T, alone: !children}
	later := trend.NewGrowth(points[len(points)/2:])
	if g.line.Grows(p.Limit("hours")) && later.Slope > g.line.Slope/3 && g.bytes() >= p.Limit("mb")*(1<<20) {
		return g, true
	}
	if drift > 0 && drifts(warm(p, it, start), drift) {
		g.drifted = true
		return g, g.line.Slope > 0
	}
	return rise{}, false
}

// promising reports whether a few readings leave room for a growth: most
// processes are as large as they were, and need not be looked at in full.
func promising(p *audit.Pass, it *snapshot.Item, w audit.Window) bool {
	w.Most = 4
	s := audit.Life(p.Series(it, "memory", w))
	if len(s) < w.Most {
		return true
	}
	was := min(s[0].Metric.Value, s[1].Metric.Value)
	is := max(s[2].Metric.Value, s[3].Metric.Value)
	return is-was >= p.Limit("mb")*(1<<20)/2
}

// hourly makes points of samples, with the time in hours from now.
func hourly(now time.Time, samples []audit.Sample) []trend.Point {
	points := make([]trend.Point, len(samples))
	for i, s := range samples {
		points[i] = trend.Point{T: s.At.Sub(now).Hours(), Y: s.Metric.Value}
	}
	return points
}

// What a drift is judged by: the first hour of a process is its warming up, and
// an alarm counts for so many readings.
const (
	warmUp       = time.Hour
	driftSamples = 200
	driftRecent  = 10
)

// warm returns the readings of a process after its warming up.
func warm(p *audit.Pass, it *snapshot.Item, start time.Time) (values []float64) {
	for _, s := range audit.Life(p.Series(it, "memory", audit.Window{Since: start.Add(warmUp), Most: driftSamples})) {
		values = append(values, s.Metric.Value)
	}
	return values
}

// drifts reports whether values are slowly above the first eight of them.
func drifts(values []float64, alarm float64) bool {
	const first = 8
	if len(values) <= first {
		return false
	}
	_, alarms := trend.Drifts(values[:first], values[first:], 1<<20, alarm)
	return len(alarms) > 0 && alarms[len(alarms)-1] >= len(values)-first-driftRecent
}

func (g rise) report(app *snapshot.Item, who, have string) audit.Report {
	hour := g.line.Slope
	r := audit.Report{Item: app.Key, At: at(app)}
	r.Message = fmt.Sprintf("%s %s grown from %s to %s in %s without a restart, by %s an hour", who, have,
		size(g.line.At(g.from)), size(g.line.At(0)), duration(-g.from*3600), size(hour))
	if g.drifted {
		r.Title, r.Confidence = "memory drifts upwards", audit.Guess
	}
	switch limit := number(app, "max_memory_restart"); {
	case limit <= 0:
		r.Message += "; no max_memory_restart ends that"
	case g.alone:
		if in, ok := g.line.Until(limit, 0); ok {
			r.Message += fmt.Sprintf("; its limit of %s is %s away", size(limit), duration(in*3600))
		}
	default:
		r.Message += "; its limit counts the main process alone"
	}
	r.Evidence = []audit.Evidence{{Name: "growth per hour", Value: size(hour)}, {Name: "chance without a trend", Value: fmt.Sprintf("%.4f", g.line.P)}}
	return r
}
