package cron

import (
	"testing"
	"time"
)

func TestWeek(t *testing.T) {
	now := time.Date(2026, time.November, 25, 12, 0, 0, 0, time.UTC) // a Wednesday
	for _, c := range []struct {
		title  string
		exprs  []string
		median float64
		limit  float64
		starts map[int]int // minute of the week → how many
	}{
		{"empty", nil, 0, 5, map[int]int{0: 0}},
		{"every hour and twice at one", []string{"0 * * * *", "0 1 * * *", "0 1 * * *"}, 1, 5, map[int]int{0: 1, 60: 3, 61: 0, 24*60 + 60: 3}},
		{"two in every minute", []string{"* * * * *", "* * * * *"}, 2, 6, map[int]int{7*24*60 - 1: 2}},
		{"between two and three", []string{"0 0 * * 3", "0 0 * * 3", "0 1 * * 3", "0 1 * * 3", "0 1 * * 3"}, 2.5, 7.5, map[int]int{0: 2, 60: 3}},
	} {
		t.Run(c.title, func(t *testing.T) {
			w := NewWeek(now)
			for _, e := range c.exprs {
				w.Add(w.Minutes(mustParse(t, Crontab, e), time.UTC))
			}
			if w.Median() != c.median || w.Limit() != c.limit {
				t.Errorf("median %v, limit %v; want %v, %v", w.Median(), w.Limit(), c.median, c.limit)
			}
			for minute, n := range c.starts {
				if w.Starts(minute) != n {
					t.Errorf("minute %d: %d starts, want %d", minute, w.Starts(minute), n)
				}
			}
		})
	}
}

func TestWeek_otherClock(t *testing.T) {
	w := NewWeek(time.Date(2026, time.March, 25, 12, 0, 0, 0, zone(t, "Europe/Berlin"))) // clocks go forward on the 29th
	if w.Len() != 7*24*60-60 {
		t.Errorf("%d minutes", w.Len())
	}
	m := w.Minutes(mustParse(t, GitHub, "30 0 * * *"), time.UTC)
	if !m.Has(90) || !m.Has(6*24*60+90) || m.Has(30) { // 01:30, and after the change 02:30, which is the same minute of a shorter week
		t.Error("00:30 UTC is not 01:30 in Berlin")
	}
}
