package pipeline

import (
	"cmp"
	"slices"
	"time"

	"healthaudit/report"
	"healthaudit/snapshot/cron"
)

// maxCollisions bounds the times of day that a view names.
const maxCollisions = 50

// A load is what starts in each minute of the week around now.
type load struct {
	*cron.Week
	limit float64
	items []starter
}

type starter struct {
	item string
	runs *clockwork
}

// add counts a schedule.
func (l *load) add(k *clockwork, item string) {
	if k.week == nil {
		k.week = l.Minutes(k.cron, k.loc)
	}
	l.Add(k.week)
	l.items = append(l.items, starter{item, k})
}

// crowds reports whether a schedule that was added starts in a crowded minute.
func (l *load) crowds(k *clockwork) bool {
	for i := range l.Len() {
		if float64(l.Starts(i)) > l.limit && k.week.Has(i) {
			return true
		}
	}
	return false
}

// weigh sums the week up.
func (l *load) weigh(w *report.Week) {
	w.From, w.To = sec(l.From), sec(l.To)
	w.Days, w.Collisions = []report.Day{}, []report.Collision{}
	w.Median, l.limit = l.Median(), l.Limit()
	w.Limit = l.limit
	crowded := map[string]*report.Collision{}
	for i := range l.Len() {
		n, t := l.Starts(i), l.At(i)
		date := t.Format(time.DateOnly)
		if len(w.Days) == 0 || w.Days[len(w.Days)-1].Date != date {
			w.Days = append(w.Days, report.Day{Date: date, Hours: make([]int, 24), Crowded: make([]bool, 24)})
		}
		d := &w.Days[len(w.Days)-1]
		d.Hours[t.Hour()] += n
		d.Starts += n
		w.Starts += n
		if float64(n) <= l.limit {
			continue
		}
		w.CrowdedMinutes++
		d.Crowded[t.Hour()] = true
		l.note(crowded, i)
	}
	l.worst(w, crowded)
}

// note adds a crowded minute to its time of day.
func (l *load) note(crowded map[string]*report.Collision, minute int) {
	t := l.At(minute)
	c := crowded[t.Format("15:04")]
	if c == nil {
		c = &report.Collision{Time: t.Format("15:04")}
		crowded[c.Time] = c
	}
	c.Days++
	if n := l.Starts(minute); n > c.Starts {
		c.Starts, c.At = n, t.UTC()
	}
}

func (l *load) worst(w *report.Week, crowded map[string]*report.Collision) {
	w.CrowdedTimes = len(crowded)
	for _, c := range crowded {
		w.Collisions = append(w.Collisions, *c)
	}
	slices.SortFunc(w.Collisions, func(a, b report.Collision) int {
		return cmp.Or(b.Starts-a.Starts, b.Days-a.Days, cmp.Compare(a.Time, b.Time))
	})
	w.Collisions = w.Collisions[:min(len(w.Collisions), maxCollisions)]
	for i := range w.Collisions {
		c := &w.Collisions[i]
		minute := int(c.At.Sub(l.From) / time.Minute)
		for _, s := range l.items {
			if s.runs.week.Has(minute) && !slices.Contains(c.Items[max(0, len(c.Items)-1):], s.item) {
				c.Items = append(c.Items, s.item) // those of one item follow one another
			}
		}
	}
}
