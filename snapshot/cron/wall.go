package cron

import (
	"math/bits"
	"time"
)

// Everything here works on wall seconds: the seconds since 1970 that a clock
// without a zone would count. What zones do to them is in zone.go.

const (
	day = 24 * 60 * 60

	// searchYears bounds every search. The rarest expression is PM2's "0 0 29 2
	// 1", a leap day on one weekday: at most 40 years apart.
	searchYears = 41
)

// above returns the lowest bit of set that is at least i.
func above(set uint64, i int) (int, bool) {
	if i > 63 || set>>i == 0 {
		return 0, false
	}
	return i + bits.TrailingZeros64(set>>i), true
}

// below returns the highest bit of set that is at most i.
func below(set uint64, i int) (int, bool) {
	if i < 0 {
		return 0, false
	}
	if i < 63 {
		set &= 1<<(i+1) - 1
	}
	return bits.Len64(set) - 1, set != 0
}

func lowest(set uint64) int  { return bits.TrailingZeros64(set) }
func highest(set uint64) int { return bits.Len64(set) - 1 }

// first and last are the earliest and latest second of a day that fires.
func (s *Schedule) first() int {
	return lowest(s.hour)*3600 + lowest(s.minute)*60 + lowest(s.second)
}

func (s *Schedule) last() int {
	return highest(s.hour)*3600 + highest(s.minute)*60 + highest(s.second)
}

// todAbove returns the first time of day that fires at or after sec.
func (s *Schedule) todAbove(sec int) (int, bool) {
	h, m, x := sec/3600, sec/60%60, sec%60
	if s.hour>>h&1 != 0 {
		if s.minute>>m&1 != 0 {
			if v, ok := above(s.second, x); ok {
				return h*3600 + m*60 + v, true
			}
		}
		if v, ok := above(s.minute, m+1); ok {
			return h*3600 + v*60 + lowest(s.second), true
		}
	}
	if v, ok := above(s.hour, h+1); ok {
		return v*3600 + lowest(s.minute)*60 + lowest(s.second), true
	}
	return 0, false
}

// todBelow returns the last time of day that fires at or before sec.
func (s *Schedule) todBelow(sec int) (int, bool) {
	h, m, x := sec/3600, sec/60%60, sec%60
	if s.hour>>h&1 != 0 {
		if s.minute>>m&1 != 0 {
			if v, ok := below(s.second, x); ok {
				return h*3600 + m*60 + v, true
			}
		}
		if v, ok := below(s.minute, m-1); ok {
			return h*3600 + v*60 + highest(s.second), true
		}
	}
	if v, ok := below(s.hour, h-1); ok {
		return v*3600 + highest(s.minute)*60 + highest(s.second), true
	}
	return 0, false
}

// A date is one civil day.
type date struct {
	y, m, d int
	week    int   // 0 is Sunday
	wall    int64 // wall second of its midnight
}

func dateOf(wall int64) date {
	t := time.Unix(wall, 0).UTC()
	y, m, d := t.Date()
	return date{y, int(m), d, int(t.Weekday()), wall - int64(t.Hour()*3600+t.Minute()*60+t.Second())}
}

func (c *date) move(days int) {
	c.wall += int64(days) * day
	c.week = ((c.week+days)%7 + 7) % 7
	c.d += days
}

// next goes to the following day, prev to the one before, monthEnd and
// monthStart to the first day outside the month on that side.
func (c *date) next() {
	if c.move(1); c.d > daysIn(c.y, c.m) {
		c.d = 1
		if c.m++; c.m > 12 {
			c.m = 1
			c.y++
		}
	}
}

func (c *date) prev() {
	if c.move(-1); c.d == 0 {
		if c.m--; c.m == 0 {
			c.m = 12
			c.y--
		}
		c.d = daysIn(c.y, c.m)
	}
}

func (c *date) leaveUp()   { c.move(daysIn(c.y, c.m) - c.d); c.next() }
func (c *date) leaveDown() { c.move(1 - c.d); c.prev() }

func daysIn(y, m int) int {
	switch m {
	case 2:
		if y%4 == 0 && (y%100 != 0 || y%400 == 0) {
			return 29
		}
		return 28
	case 4, 6, 9, 11:
		return 30
	}
	return 31
}

func (s *Schedule) inMonth(c *date) bool { return s.month>>c.m&1 != 0 }

// on reports whether the schedule fires on that day.
func (s *Schedule) on(c *date) bool {
	if !s.inMonth(c) {
		return false
	}
	dom := s.dom>>c.d&1 != 0 && (!s.lastDay || c.d == daysIn(c.y, c.m))
	dow := s.dow>>c.week&1 != 0
	if s.either {
		return dom || dow
	}
	return dom && dow
}

// ceil returns the first wall second that fires at or after wall.
func (s *Schedule) ceil(wall int64) (int64, bool) {
	c := dateOf(wall)
	sec := int(wall - c.wall)
	for end := c.y + searchYears; c.y <= end; sec = 0 {
		if !s.inMonth(&c) {
			c.leaveUp()
			continue
		}
		if s.on(&c) {
			if tod, ok := s.todAbove(sec); ok {
				return c.wall + int64(tod), true
			}
		}
		c.next()
	}
	return 0, false
}

// floor returns the last wall second that fires at or before wall.
func (s *Schedule) floor(wall int64) (int64, bool) {
	c := dateOf(wall)
	sec := int(wall - c.wall)
	for end := c.y - searchYears; c.y >= end; sec = day - 1 {
		if !s.inMonth(&c) {
			c.leaveDown()
			continue
		}
		if s.on(&c) {
			if tod, ok := s.todBelow(sec); ok {
				return c.wall + int64(tod), true
			}
		}
		c.prev()
	}
	return 0, false
}
