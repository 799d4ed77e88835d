package pipeline

import (
	"cmp"
	"slices"
	"time"

	"healthaudit/report"
)

// Starts in one minute are a collision above the larger of these: measured on
// real projects, where 44 of 69 schedules fired in the same minute.
const (
	crowd       = 5
	crowdFactor = 3 // times the median of the minutes in which anything starts
)

// maxCollisions bounds the times of day that a view names.
const maxCollisions = 50

// A load is what starts in each minute of seven days, from the midnight before now.
type load struct {
	from, to time.Time
	starts   []int
	limit    float64
	items    []starter
}

type starter struct {
	item string
	runs *clockwork
}

func newLoad(now time.Time) *load {
	y, m, d := now.Date()
	l := &load{from: time.Date(y, m, d, 0, 0, 0, 0, now.Location()), to: time.Date(y, m, d+7, 0, 0, 0, 0, now.Location())}
	l.starts = make([]int, int(l.to.Sub(l.from)/time.Minute))
	return l
}

func (l *load) at(minute int) time.Time { return l.from.Add(time.Duration(minute) * time.Minute) }

// add counts the minutes in which a schedule starts.
func (l *load) add(k *clockwork, item string) {
	if k.week == nil {
		k.week = make([]uint64, len(l.starts)/64+1)
		t, ok := k.cron.Next(l.from.In(k.loc).Add(-1))
		for ok && t.Before(l.to) {
			i := int(t.Sub(l.from) / time.Minute)
			if i >= len(l.starts) {
				break
			}
			k.week[i/64] |= 1 << (i % 64)
			t, ok = k.cron.Next(l.at(i + 1).In(k.loc).Add(-1)) // once a minute is enough
		}
	}
	for i := range l.starts {
		if k.starts(i) {
			l.starts[i]++
		}
	}
	l.items = append(l.items, starter{item, k})
}

// starts reports whether it starts in that minute of the load's week.
func (k *clockwork) starts(minute int) bool { return k.week[minute/64]>>(minute%64)&1 != 0 }

// crowds reports whether a schedule that was added starts in a crowded minute.
func (l *load) crowds(k *clockwork) bool {
	for i, n := range l.starts {
		if float64(n) > l.limit && k.starts(i) {
			return true
		}
	}
	return false
}

// weigh sums the week up.
func (l *load) weigh(w *report.Week) {
	w.From, w.To = sec(l.from), sec(l.to)
	w.Days, w.Collisions = []report.Day{}, []report.Collision{}
	var busy []int
	for _, n := range l.starts {
		if n > 0 {
			busy = append(busy, n)
		}
	}
	w.Median = median(busy)
	l.limit = max(crowd, crowdFactor*w.Median)
	w.Limit = l.limit
	crowded := map[string]*report.Collision{}
	for i, n := range l.starts {
		t := l.at(i)
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
	t := l.at(minute)
	c := crowded[t.Format("15:04")]
	if c == nil {
		c = &report.Collision{Time: t.Format("15:04")}
		crowded[c.Time] = c
	}
	c.Days++
	if n := l.starts[minute]; n > c.Starts {
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
		minute := int(c.At.Sub(l.from) / time.Minute)
		for _, s := range l.items {
			if s.runs.starts(minute) && !slices.Contains(c.Items[max(0, len(c.Items)-1):], s.item) {
				c.Items = append(c.Items, s.item) // those of one item follow one another
			}
		}
	}
}

// median returns the middle of a list, which it sorts; 0 of an empty one.
func median(list []int) float64 {
	if len(list) == 0 {
		return 0
	}
	slices.Sort(list)
	return float64(list[(len(list)-1)/2]+list[len(list)/2]) / 2
}
