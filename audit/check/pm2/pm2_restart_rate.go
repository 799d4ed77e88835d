package pm2

import (
	"fmt"
	"slices"
	"time"

	"healthaudit/audit"
	"healthaudit/audit/trend"
	"healthaudit/snapshot"
)

// RestartRate finds apps that crash now and then, more often than they used to.
var RestartRate = &audit.Check{
	ID: "pm2-restart-rate", System: "pm2", Title: "crashes more often than usual", Severity: audit.Medium, Trend: true,
	Doc: "An app that dies every few hours is in no loop, is `online` whenever one looks, and is broken all the same. Compared are its crashes of the last 24 hours with those of the days before, " +
		"of which there must be three: more than three and a half spreads above the median, in this run and without what the last run added. " +
		"Restarts that someone asked for do not count, and neither do crashes that pm2-crash-loop told. Once found, it ends on a day with less than the limit.",
	Hint:          "Read its error log around the restarts (`pm2 logs NAME --err --lines 200`); `pm2.log` in PM2_HOME has their times and exit codes.",
	Discriminator: "none: one finding per app",
	Source:        "restart_time of PM2, which counts every start; median and MAD over days (Iglewicz and Hoaglin 1993)",
	Limits:        []audit.Limit{{Name: "crashes", Default: 3, Unit: "crashes a day", Doc: "crashes in 24 hours that are tolerated less one"}},
	Judge: func(p *audit.Pass) {
		processes := instances(p)
		for _, app := range apps(p) {
			all := processes.of(app)
			if loop := look(p, all).crashes; loop > 0 && loop >= p.LimitOf(CrashLoop, "restarts") {
				continue
			}
			var r rate
			for _, it := range all {
				r.add(p, it)
			}
			if r.today < p.Limit("crashes") {
				continue
			}
			days := r.before()
			_, now := trend.Rated(days, r.today, p.Limit("crashes"))
			if _, then := trend.Rated(days, r.today-r.last, p.Limit("crashes")); !now || !then {
				p.Doubt(app.Key, "")
				continue
			}
			p.Report(audit.Report{
				Item: app.Key, At: at(app),
				Message:  fmt.Sprintf("%s crashed and was started again %.0f times in the last 24 hours; %.0f a day is usual", app.Name, r.today, trend.Median(days)),
				Hint:     command("logs", app, "--err", "--lines", "200") + " shows what it said before each; `pm2.log` in PM2_HOME has the times and exit codes.",
				Evidence: []audit.Evidence{{Name: "days compared with", Value: fmt.Sprint(len(days))}},
			})
		}
	},
}

// rateDays is with how many days one is compared.
const rateDays = 7

// A rate is how often the processes of an app crashed.
type rate struct {
	today, last float64           // in 24 hours, and of these since the last run
	days        [rateDays]float64 // the day before that first
	seen        [rateDays]bool
}

const day = 24 * time.Hour

// add counts the crashes of one process. Where there were none today the days
// before do not matter.
func (r *rate) add(p *audit.Pass, it *snapshot.Item) {
	since := func(ago time.Duration, most int) []spell {
		return crashes(p, it, p.Series(it, "restarts", audit.Window{Since: p.Now.At.Add(-ago), Most: most}))
	}
	rough := since(day, 3)
	if !slices.ContainsFunc(rough, func(n spell) bool { return n.count > 0 || n.torn }) {
		return
	}
	loop := p.LimitOf(CrashLoop, "restarts")
	today := since(day, 100)
	for i, n := range today {
		if n.count >= loop { // pm2-crash-loop told it
			continue
		}
		r.today += n.count
		if i == len(today)-1 {
			r.last += n.count
		}
	}
	for _, n := range since((rateDays+1)*day, 4*(rateDays+1)) {
		if d := int(p.Now.At.Sub(n.until)/day) - 1; d >= 0 && d < rateDays {
			r.days[d] += n.count
			r.seen[d] = true
		}
	}
}

// before returns the crashes of the days before that were seen.
func (r *rate) before() (days []float64) {
	for i, n := range r.days {
		if r.seen[i] {
			days = append(days, n)
		}
	}
	return days
}

// A spell is the time between two looks at a process.
type spell struct {
	count float64 // crashes
	torn  bool    // someone restarted it meanwhile: how often it crashed is not known
	until time.Time
}

// crashes counts between readings of the restart counter.
func crashes(p *audit.Pass, it *snapshot.Item, looks []audit.Sample) (out []spell) {
	created := func(s audit.Sample) float64 {
		if s.Seq == 0 {
			return metric(it, "created")
		}
		m, _ := p.History.Metric(s.Seq, it.Key, "created")
		return m.Value
	}
	for i := 1; i < len(looks); i++ {
		a, b := looks[i-1], looks[i]
		n := spell{until: b.At, torn: a.Metric.Incarnation != b.Metric.Incarnation || created(a) != created(b) || created(b) == 0}
		if !n.torn {
			n.count = trend.Increase([]float64{a.Metric.Value, b.Metric.Value})
		}
		out = append(out, n)
	}
	return out
}
