package cron

import (
	"math/bits"
	"slices"
	"time"
)

// Starts in one minute are a crowd above the larger of these: measured on real
// projects, where 44 of 69 schedules fired in the same minute.
const (
	crowd       = 5
	crowdFactor = 3 // times the median of the minutes in which anything starts
)

// A Week counts what starts in each minute of seven days, from a midnight on.
type Week struct {
	From, To time.Time
	starts   []int
}

// NewWeek returns the empty week that begins with the midnight before now, on the
// clock of its location. It has an hour less or more where clocks are changed.
func NewWeek(now time.Time) *Week {
	y, m, d := now.Date()
	w := &Week{From: time.Date(y, m, d, 0, 0, 0, 0, now.Location()), To: time.Date(y, m, d+7, 0, 0, 0, 0, now.Location())}
	w.starts = make([]int, int(w.To.Sub(w.From)/time.Minute))
	return w
}

// Len is the number of minutes in the week.
func (w *Week) Len() int { return len(w.starts) }

// At returns the beginning of a minute.
func (w *Week) At(minute int) time.Time { return w.From.Add(time.Duration(minute) * time.Minute) }

// Starts returns how many schedules start in a minute.
func (w *Week) Starts(minute int) int { return w.starts[minute] }

// Minutes is a set of minutes of a week, a bit for each.
type Minutes []uint64

// Has reports whether a minute is in the set.
func (m Minutes) Has(minute int) bool { return m[minute/64]>>(minute%64)&1 != 0 }

// Minutes returns when a schedule of that zone starts.
func (w *Week) Minutes(s *Schedule, loc *time.Location) Minutes {
	m := make(Minutes, len(w.starts)/64+1)
	t, ok := s.Next(w.From.In(loc).Add(-1))
	for ok && t.Before(w.To) {
		i := int(t.Sub(w.From) / time.Minute)
		if i >= len(w.starts) {
			break
		}
		m[i/64] |= 1 << (i % 64)
		t, ok = s.Next(w.At(i + 1).In(loc).Add(-1)) // once a minute is enough
	}
	return m
}

// Add counts one schedule.
func (w *Week) Add(m Minutes) {
	for n, word := range m {
		for ; word != 0; word &= word - 1 {
			w.starts[n*64+bits.TrailingZeros64(word)]++
		}
	}
}

// Median returns how many schedules start in the middle one of the minutes in
// which any does; 0 of an empty week.
func (w *Week) Median() float64 {
	var busy []int
	for _, n := range w.starts {
		if n > 0 {
			busy = append(busy, n)
		}
	}
	if len(busy) == 0 {
		return 0
	}
	slices.Sort(busy)
	return float64(busy[(len(busy)-1)/2]+busy[len(busy)/2]) / 2
}

// Limit returns the number of starts above which a minute is crowded.
func (w *Week) Limit() float64 { return max(crowd, crowdFactor*w.Median()) }
