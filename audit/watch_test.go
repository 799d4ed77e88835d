package audit

import (
	"testing"
	"time"
)

// The examples of how many runs are missing between two.
func TestMissed(t *testing.T) {
	const m = time.Minute
	for gap, want := range map[time.Duration]int{0: 0, -m: 0, 15 * m: 0, 25 * m: 0, 26 * m: 1, 62 * m: 3, 24 * time.Hour: 95} {
		if got := Missed(gap, 15*m, 10*m); got != want {
			t.Errorf("%v: %d, want %d", gap, got, want)
		}
	}
	if got := Missed(time.Hour, 0, 0); got != 0 {
		t.Errorf("nobody said how often: %d", got)
	}
}

func TestWatch_Lost(t *testing.T) {
	const m = time.Minute
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	ago := func(d time.Duration) PastRun { return PastRun{At: now.Add(-d), Host: "a", Every: 15 * m} }
	other, slower := ago(5*time.Hour), ago(5*time.Hour)
	other.Host, slower.Every = "b", time.Hour
	for name, c := range map[string]struct {
		runs       []PastRun
		boot       time.Duration // ago
		lost, down int
	}{
		"first":             {nil, 0, 0, 0},
		"in_time":           {[]PastRun{ago(30 * m), ago(15 * m)}, 0, 0, 0},
		"now":               {[]PastRun{ago(62 * m)}, 0, 3, 0},
		"this_night":        {[]PastRun{ago(5 * time.Hour), ago(15 * m)}, 0, 18, 0},
		"long_ago":          {[]PastRun{ago(60 * time.Hour), ago(25 * time.Hour), ago(15 * m)}, 0, 98, 0},
		"host_was_down":     {[]PastRun{ago(62 * m)}, 10 * m, 0, 3},
		"and_late_after_it": {[]PastRun{ago(124 * m)}, 62 * m, 3, 4},
		"booted_before":     {[]PastRun{ago(62 * m)}, 99 * time.Hour, 3, 0},
		"other_host":        {[]PastRun{other}, 0, 0, 0},
		"other_cadence":     {[]PastRun{slower}, 0, 0, 0},
		"clock_went_back":   {[]PastRun{ago(-5 * time.Hour)}, 0, 0, 0},
		"a_year_ahead":      {[]PastRun{ago(45 * m), ago(30 * m), ago(-365 * 24 * time.Hour)}, 0, 0, 0},
		"ahead_an_hour":     {[]PastRun{ago(75 * m), ago(60 * m), ago(-15 * m), ago(30 * m), ago(15 * m)}, 0, 0, 0},
		"ahead_and_caught":  {[]PastRun{ago(75 * m), ago(15 * m), ago(45 * m), ago(30 * m), ago(15 * m)}, 0, 0, 0},
		"begins_in_1970":    {[]PastRun{ago(45 * m), ago(30 * m), ago(490000 * time.Hour)}, 0, 0, 0},
		"1970_between":      {[]PastRun{ago(45 * m), ago(490000 * time.Hour), ago(15 * m)}, 0, 0, 0},
		"1970_and_missed":   {[]PastRun{ago(107 * m), ago(490000 * time.Hour), ago(0)}, 0, 5, 0},
	} {
		w := &Watch{Host: "a", Runs: c.runs, Every: 15 * m, Grace: 10 * m}
		if c.boot > 0 {
			w.Boot = now.Add(-c.boot)
		}
		if l := w.Lost(now); l.Runs != c.lost || l.Down != c.down {
			t.Errorf("%s: %+v, want %d and %d", name, l, c.lost, c.down)
		}
	}
}
