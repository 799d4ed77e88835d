package pipeline

import (
	"slices"
	"time"

	"healthaudit/report"
	"healthaudit/snapshot"
	"healthaudit/snapshot/cron"
)

// Bounds of the coming week of one schedule, and of all together, in runs.
const (
	maxComing    = 100
	maxComingAll = 10000
)

// Timetable returns the schedules of a snapshot in report order, what they start
// after now and in the week around it. The location of now is the reader's, and
// that of crontabs and PM2, which run in the zone of their machine.
func Timetable(s *snapshot.Snapshot, ref report.SnapshotRef, now time.Time) report.SchedulesView {
	now = now.Round(0)
	v := report.SchedulesView{Snapshot: ref, From: sec(now), Zone: zoneName(now), Schedules: []report.ScheduleRow{}, NotRead: notRead(s)}
	l := &load{Week: cron.NewWeek(now)}
	var runs []*clockwork
	seen := map[times]*clockwork{}
	for _, sys := range snapshot.Systems {
		for _, it := range s.Items {
			if it.System() != sys {
				continue
			}
			for _, sc := range it.Schedules {
				r := report.ScheduleRow{Item: string(it.Key), System: string(sys), Dialect: sc.Dialect, Expression: sc.Expression,
					Timezone: sc.Timezone, Effective: sc.Effective, Why: sc.Why, LastKnown: it.Carried,
					Next: []report.NextRun{}, Location: declaredAt(it, sc)}
				k := times{sc.Dialect, sc.Expression, sc.Timezone}
				if seen[k] == nil {
					seen[k] = newClockwork(sc, now)
				}
				v.Schedules, runs = append(v.Schedules, r), append(runs, seen[k])
			}
		}
	}
	most := min(max(maxComingAll/max(len(runs), 1), nextRuns), maxComing)
	for i, c := range runs {
		c.fill(&v.Schedules[i], now, most)
		if len(v.Schedules[i].Next) > 0 {
			l.add(c, v.Schedules[i].Item)
			if c.onTheHour() {
				v.Week.MinuteZero++
			}
			v.Week.PerDay += v.Schedules[i].PerDay
			v.Week.InEffect++
		}
	}
	v.Week.PerDay = round(v.Week.PerDay, 1000)
	l.weigh(&v.Week)
	for i, c := range runs {
		v.Schedules[i].Collides = len(v.Schedules[i].Next) > 0 && l.crowds(c)
	}
	return v
}

// notRead lists the systems whose schedules may be other ones than shown.
func notRead(s *snapshot.Snapshot) []report.NotRead {
	out := []report.NotRead{}
	for _, st := range s.Systems {
		if st.Status == snapshot.StatusOK || st.Status == snapshot.StatusAbsent {
			continue
		}
		out = append(out, report.NotRead{System: string(st.System), Status: string(st.Status), Reason: st.Reason})
	}
	return out
}

// zoneName names the zone of the reader; the machine's own has no name in Go.
func zoneName(now time.Time) string {
	switch name := now.Location().String(); {
	case name != "" && name != "Local":
		return name
	case now.Format("-07:00") == "+00:00":
		return "UTC"
	}
	return now.Format("UTC-07:00")
}

// A clockwork is when one expression fires.
type clockwork struct {
	cron   *cron.Schedule // nil: it cannot be read
	loc    *time.Location
	zone   string
	why    string // why it never fires
	perDay float64
	next   []report.NextRun
	week   cron.Minutes // of the load's week; nil until asked for
}

func newClockwork(s snapshot.Schedule, now time.Time) *clockwork {
	k := &clockwork{loc: time.UTC, zone: "UTC", next: []report.NextRun{}}
	switch d := cron.Dialect(s.Dialect); {
	case s.Timezone != "":
		loc, err := time.LoadLocation(s.Timezone)
		if k.zone = s.Timezone; err != nil || s.Timezone == "Local" {
			k.why = "there is no such time zone"
			return k
		}
		k.loc = loc
	case d == cron.Crontab || d == cron.PM2 || d == cron.Systemd:
		k.loc, k.zone = now.Location(), zoneName(now)
	}
	c, err := cron.Parse(cron.Dialect(s.Dialect), s.Expression)
	if err != nil {
		k.why = err.Error()
		return k
	}
	k.cron, k.perDay = c, round(c.PerDay(), 1000)
	t, ok := now.In(k.loc), true
	for len(k.next) < nextRuns {
		if t, ok = c.Next(t); !ok {
			break
		}
		k.next = append(k.next, report.NextRun{Local: t.In(now.Location()), UTC: t.UTC()})
	}
	switch {
	case c.Reboot():
		k.why = "when the machine starts"
	case len(k.next) == 0:
		k.why = "never: no year has such a day"
	}
	return k
}

// fill writes what the expression says into a row; at most so many runs of the
// coming seven days.
func (k *clockwork) fill(r *report.ScheduleRow, now time.Time, most int) {
	r.Zone, r.PerDay = k.zone, k.perDay
	if !r.Effective {
		return
	}
	r.Next = k.next
	if len(k.next) == 0 {
		r.Why = k.why
		return
	}
	r.Coming = k.cron.Between(now.Add(1).In(k.loc), now.AddDate(0, 0, 7).Add(1), most+1)
	if r.More = len(r.Coming) > most; r.More {
		r.Coming = r.Coming[:most]
	}
}

// onTheHour reports whether it starts at minute 0 of its own clock, as far as
// its next runs tell.
func (k *clockwork) onTheHour() bool {
	return !slices.ContainsFunc(k.next, func(n report.NextRun) bool { return n.UTC.In(k.loc).Minute() != 0 })
}
