package cron

import (
	"math/bits"
	"time"
)

// GitHubInterval is the shortest interval GitHub runs schedules at (its
// documentation of on.schedule); compare SmallestGap with it.
const GitHubInterval = 5 * time.Minute

// Between returns the runs in [from, to), the first max of them, in from's
// location.
func (s *Schedule) Between(from, to time.Time, max int) []time.Time {
	var out []time.Time
	t, ok := s.Next(from.Add(-1))
	for ok && t.Before(to) && len(out) < max {
		out = append(out, t)
		t, ok = s.Next(t)
	}
	return out
}

// LargestGap returns the longest time between two runs that follow each other
// and of which some part lies in [from, from+window], in from's location. It is
// 0 when there are no two such runs within the search.
func (s *Schedule) LargestGap(from time.Time, window time.Duration) time.Duration {
	run, ok := s.Prev(from.Add(1))
	if !ok {
		if run, ok = s.Next(from); !ok {
			return 0
		}
	}
	var gap time.Duration
	end := from.Add(window)
	for run.Before(end) {
		if last, ok := s.dayFrom(run, end); ok {
			gap = max(gap, s.innerGap())
			run = last
		}
		next, ok := s.Next(run)
		if !ok {
			break
		}
		gap = max(gap, next.Sub(run))
		run = next
	}
	return gap
}

// dayFrom returns the last run of the day whose first run is run, when that day
// is an ordinary one that ends before end: its inner gaps are known then.
func (s *Schedule) dayFrom(run, end time.Time) (time.Time, bool) {
	g := segmentAt(run.Unix(), run.Location())
	wall := run.Unix() + g.offset
	midnight := dateOf(wall).wall
	if int(wall-midnight) != s.first() || g.start+g.offset > midnight-day || g.end+g.offset < midnight+day ||
		midnight+day-g.offset > end.Unix() {
		return run, false
	}
	return run.Add(time.Duration(s.last()-s.first()) * time.Second), true
}

// innerGap returns the longest time between two runs of one day, 0 with one run.
func (s *Schedule) innerGap() time.Duration {
	most := 0
	s.steps(func(gap int) { most = max(most, gap) })
	return time.Duration(most) * time.Second
}

// steps calls f with every distance, in seconds, between two neighbouring runs
// of one day.
func (s *Schedule) steps(f func(seconds int)) {
	each := func(set uint64, f func(distance int)) {
		for set&(set-1) != 0 {
			low := lowest(set)
			set &= set - 1
			f(lowest(set) - low)
		}
	}
	wrap := lowest(s.second) - highest(s.second)
	each(s.second, f)
	each(s.minute, func(d int) { f(d*60 + wrap) })
	wrap += (lowest(s.minute) - highest(s.minute)) * 60
	each(s.hour, func(d int) { f(d*3600 + wrap) })
}

// In 28 years the calendar and its weekdays repeat, leap days included, so that
// a mean over them is exact.
var (
	cycleStart = time.Date(2001, time.January, 1, 0, 0, 0, 0, time.UTC).Unix()
	cycleDays  = 28*365 + 7
)

// SmallestGap returns the shortest time between two runs, without daylight
// saving; 0 when it does not run twice in 28 years.
func (s *Schedule) SmallestGap() time.Duration {
	if s.reboot {
		return 0
	}
	least := 0
	note := func(gap int) {
		if least == 0 || gap < least {
			least = gap
		}
	}
	s.steps(note)
	c, last := dateOf(cycleStart), -1
	for i := range cycleDays {
		if s.on(&c) {
			if last >= 0 {
				note((i-last)*day + s.first() - s.last())
				if i-last == 1 { // days do not lie closer
					break
				}
			}
			last = i
		}
		c.next()
	}
	return time.Duration(least) * time.Second
}

// PerDay returns the mean number of runs a day, taken over the 28 years from
// 2001-01-01 without daylight saving: "0 0 * * 1" is exactly 1/7.
func (s *Schedule) PerDay() float64 {
	if s.reboot {
		return 0
	}
	runs := bits.OnesCount64(s.hour) * bits.OnesCount64(s.minute) * bits.OnesCount64(s.second)
	return float64(s.days()) * float64(runs) / float64(cycleDays)
}

// days returns on how many days of the cycle the schedule runs. Where only the
// weekday or only the date is restricted it counts without walking the days.
func (s *Schedule) days() int {
	const everyDate, everyWeekday = 1<<32 - 2, 1<<7 - 1
	switch {
	case s.either || s.lastDay:
	case s.dom == everyDate && s.month == 1<<13-2: // each weekday comes equally often in the cycle
		return cycleDays / 7 * bits.OnesCount64(s.dow&everyWeekday)
	case s.dow&everyWeekday == everyWeekday:
		n := 0
		for y := 2001; y < 2001+28; y++ {
			for m := 1; m <= 12; m++ {
				if s.month>>m&1 != 0 {
					n += bits.OnesCount64(s.dom & (1<<(daysIn(y, m)+1) - 2))
				}
			}
		}
		return n
	}
	return s.walkDays()
}

func (s *Schedule) walkDays() int {
	n := 0
	c := dateOf(cycleStart)
	for range cycleDays {
		if s.on(&c) {
			n++
		}
		c.next()
	}
	return n
}
