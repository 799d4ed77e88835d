package pipeline

import (
	"path"
	"time"

	"healthaudit/report"
	"healthaudit/snapshot"
	"healthaudit/snapshot/cron"
)

// nextRuns is the number of coming runs a document lists for a schedule.
const nextRuns = 3

func (v *View) schedules() []report.Schedule {
	out := []report.Schedule{}
	seen := map[times]fires{}
	for _, it := range v.Snapshot.Items {
		for _, s := range it.Schedules {
			r := report.Schedule{Item: string(it.Key), System: string(it.System()), Dialect: s.Dialect, Expression: s.Expression,
				Timezone: s.Timezone, Effective: s.Effective, Why: s.Why, Next: []time.Time{}, Location: declaredAt(it, s)}
			r.PerDay, r.Next = timetable(s, v.Info.Started, seen)
			out = append(out, r)
		}
	}
	return out
}

// declaredAt returns where a schedule stands, nil when it stands in no file.
func declaredAt(it *snapshot.Item, s snapshot.Schedule) *report.Location {
	p := s.Path
	if p == "" {
		p = it.Path
	}
	if p == "" {
		return nil
	}
	return location(path.Clean(p), s.Line, s.Column)
}

// times is what the runs of a schedule depend on, fires what follows from it:
// many schedules of a project are written alike.
type (
	times struct{ dialect, expression, zone string }
	fires struct {
		perDay float64
		next   []time.Time
	}
)

func timetable(s snapshot.Schedule, from time.Time, seen map[times]fires) (float64, []time.Time) {
	k := times{s.Dialect, s.Expression, s.Timezone}
	f, ok := seen[k]
	if !ok {
		f.next = []time.Time{}
		if c, err := cron.Parse(cron.Dialect(s.Dialect), s.Expression); err == nil {
			f = fires{round(c.PerDay(), 1000), next(c, from, s.Timezone)}
		}
		seen[k] = f
	}
	if !s.Effective {
		return f.perDay, []time.Time{}
	}
	return f.perDay, f.next
}

// next returns the coming runs. Where no time zone is declared it is UTC, also
// for crontab and PM2, whose own is the machine's: a document must not depend
// on where it is printed.
func next(c *cron.Schedule, from time.Time, zone string) []time.Time {
	loc := time.UTC
	if zone != "" {
		l, err := time.LoadLocation(zone)
		if err != nil {
			return []time.Time{}
		}
		loc = l
	}
	out := []time.Time{}
	for t, ok := c.Next(from.In(loc)); ok && len(out) < nextRuns; t, ok = c.Next(t) {
		out = append(out, sec(t))
	}
	return out
}
