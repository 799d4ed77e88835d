package cron

import (
	"math"
	"time"
)

// clockJump is the largest change of the clock that cron(8) takes for daylight
// saving (cron.c, 3*MINUTE_COUNT); at a larger one it starts afresh.
const clockJump = 3 * 60 * 60

// A segment is a stretch of time with one offset to UTC.
type segment struct {
	start, end int64 // Unix seconds: start ≤ t < end
	offset     int64 // seconds east of UTC
	before     int64 // the offset before start
}

func segmentAt(unix int64, loc *time.Location) segment {
	t := time.Unix(unix, 0).In(loc)
	_, off := t.Zone()
	g := segment{start: math.MinInt64 / 2, end: math.MaxInt64 / 2, offset: int64(off), before: int64(off)}
	start, end := t.ZoneBounds()
	if !start.IsZero() {
		g.start = start.Unix()
		_, b := start.Add(-time.Second).Zone()
		g.before = int64(b)
	}
	if !end.IsZero() {
		g.end = end.Unix()
	}
	// time.Time.ZoneBounds (Go 1.26) is off by a day where a leap year ends
	// beyond the zone's table: Berlin's 2040-12-31 "ends" as it begins.
	if g.start > unix {
		g.start, g.before = unix, g.offset
	}
	if g.end <= unix {
		g.end = unix + 3600
	}
	return g
}

// from returns the first wall second of the segment that may fire: of an hour
// that the clock repeats, fixed times ran already in the first pass.
func (s *Schedule) from(g segment) int64 {
	back := g.before - g.offset
	if s.wallClock && back > 0 && (back <= clockJump || !s.catchUp) {
		return g.start + g.before
	}
	return g.start + g.offset
}

// late reports whether a run that fell into the time skipped at the start of
// the segment is made up for there.
func (s *Schedule) late(g segment) bool {
	skip := g.offset - g.before
	if !s.catchUp || skip <= 0 || skip >= clockJump {
		return false
	}
	w, ok := s.ceil(g.start + g.before)
	return ok && w < g.start+g.offset
}

// usable says whether searching from t makes sense and stays within the
// calendar.
func (s *Schedule) usable(t time.Time) bool {
	return !s.reboot && t.Year() >= 1 && t.Year() <= 9999
}

// Next returns the first run strictly after t, in t's location. ok is false
// when there is none: @reboot, or a day that no year has.
func (s *Schedule) Next(t time.Time) (next time.Time, ok bool) {
	if !s.usable(t) {
		return time.Time{}, false
	}
	u := t.Unix() + 1
	for end := u + searchYears*366*day; u <= end; {
		g := segmentAt(u, t.Location())
		if u == g.start && s.late(g) {
			return time.Unix(u, 0).In(t.Location()), true
		}
		w, ok := s.ceil(max(u+g.offset, s.from(g)))
		if !ok {
			return time.Time{}, false
		}
		if w-g.offset < g.end {
			return time.Unix(w-g.offset, 0).In(t.Location()), true
		}
		u = g.end
	}
	return time.Time{}, false
}

// Prev returns the last run strictly before t, in t's location; ok is as in Next.
func (s *Schedule) Prev(t time.Time) (prev time.Time, ok bool) {
	if !s.usable(t) {
		return time.Time{}, false
	}
	u := t.Unix()
	if t.Nanosecond() == 0 {
		u--
	}
	for end := u - searchYears*366*day; u >= end; {
		g := segmentAt(u, t.Location())
		w, ok := s.floor(u + g.offset)
		if ok && w >= s.from(g) {
			return time.Unix(w-g.offset, 0).In(t.Location()), true
		}
		if s.late(g) {
			return time.Unix(g.start, 0).In(t.Location()), true
		}
		if !ok {
			return time.Time{}, false
		}
		u = g.start - 1
	}
	return time.Time{}, false
}
