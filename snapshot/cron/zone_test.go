package cron

import (
	"slices"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"
)

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

// TestDaylightSaving has the two nights a year. The PM2 rows were taken from
// croner 4.1.97 under TZ=Europe/Berlin and TZ=Europe/Lisbon.
func TestDaylightSaving(t *testing.T) {
	const (
		berlin, lisbon = "Europe/Berlin", "Europe/Lisbon"
		spring, autumn = "2026-03-29", "2026-10-25"
	)
	for _, tt := range []struct {
		name, zone, night string
		d                 Dialect
		expr              string
		want              string // runs of that day: hour:minute and offset
	}{
		{"makes up for the skipped hour soon after", berlin, spring, Crontab, "30 2 * * *", "03:00+02"},
		{"makes up once for several", berlin, spring, Crontab, "0,30 2 * * *", "03:00+02"},
		{"keeps a job at the end of the skipped hour", berlin, spring, Crontab, "0 3 * * *", "03:00+02"},
		{"does not make up for wildcard jobs", berlin, spring, Crontab, "30 */2 * * *", "00:30+01 04:30+02 06:30+02 08:30+02 10:30+02 12:30+02 14:30+02 16:30+02 18:30+02 20:30+02 22:30+02"},
		{"runs fixed jobs once in the repeated hour", berlin, autumn, Crontab, "30 2 * * *", "02:30+02"},
		{"runs wildcard jobs twice in the repeated hour", berlin, autumn, Crontab, "*/30 2 * * *", "02:00+02 02:30+02 02:00+01 02:30+01"},
		{"keeps the hour after the repeated one", berlin, autumn, Crontab, "0 3 * * *", "03:00+01"},
		{"makes up for the skipped hour soon after", lisbon, spring, Crontab, "30 1 * * *", "02:00+01"},
		{"runs fixed jobs once in the repeated hour", lisbon, autumn, Crontab, "30 1 * * *", "01:30+01"},
		{"advances to the next valid time", berlin, spring, GitHub, "30 2 * * *", "03:00+02"},
		{"skips the missing hour", berlin, spring, PM2, "30 2 * * *", ""},
		{"runs once in the repeated hour", berlin, autumn, PM2, "30 2 * * *", "02:30+02"},
		{"leaves the second pass out", berlin, autumn, PM2, "*/30 1-3 * * *", "01:00+02 01:30+02 02:00+02 02:30+02 03:00+01 03:30+01"},
		{"goes on after the missing hour", lisbon, spring, PM2, "*/30 0-2 * * *", "00:00+00 00:30+00 02:00+01 02:30+01"},
	} {
		t.Run(string(tt.d)+"/"+tt.name, func(t *testing.T) {
			loc := zone(t, tt.zone)
			from, err := time.ParseInLocation(time.DateOnly, tt.night, loc)
			if err != nil {
				t.Fatal(err)
			}
			var got, back []string
			s := mustParse(t, tt.d, tt.expr)
			for _, v := range s.Between(from, from.AddDate(0, 0, 1), 99) {
				got = append(got, v.Format("15:04-07"))
			}
			if g := strings.Join(got, " "); g != tt.want {
				t.Errorf("%q on %s: %s, want %s", tt.expr, tt.night, g, tt.want)
			}
			v, ok := s.Prev(from.AddDate(0, 0, 1))
			for ; ok && !v.Before(from); v, ok = s.Prev(v) {
				back = append(back, v.Format("15:04-07"))
			}
			slices.Reverse(back)
			if !slices.Equal(back, got) {
				t.Errorf("%q on %s backwards: %v, forwards %v", tt.expr, tt.night, back, got)
			}
		})
	}
}

// Where a leap year ends beyond the zone's table, ZoneBounds names an end that lies
// behind, which must not stop the search.
func TestEndOfLeapYear(t *testing.T) {
	loc := zone(t, "Europe/Berlin")
	for _, d := range []Dialect{Crontab, PM2} {
		s := mustParse(t, d, "0 12 2 1 *")
		want := time.Date(2041, 1, 2, 12, 0, 0, 0, loc)
		if got, ok := s.Next(time.Date(2040, 12, 30, 0, 0, 0, 0, loc)); !ok || !got.Equal(want) {
			t.Errorf("Next = %v, want %v", got, want)
		}
		if got, ok := s.Prev(want); !ok || got.Year() != 2040 {
			t.Errorf("Prev = %v, want 2040", got)
		}
	}
}

// debian is the main loop of Debian's cron.c, minute by minute, for one job.
func debian(s *Schedule, from, to time.Time) []time.Time {
	matches := func(minute int64) bool {
		c := dateOf(minute * 60)
		tod := int(minute*60 - c.wall)
		return s.on(&c) && s.hour>>(tod/3600)&1 != 0 && s.minute>>(tod/60%60)&1 != 0
	}
	var out []time.Time
	find := func(now time.Time, minute int64, wild, fixed bool) {
		if matches(minute) && (fixed && s.wallClock || wild && !s.wallClock) {
			if n := len(out); n == 0 || !out[n-1].Equal(now) {
				out = append(out, now)
			}
		}
	}
	clock := func(t time.Time) int64 {
		_, off := t.Zone()
		return (t.Unix() + int64(off)) / 60
	}
	virtual := clock(from) - 1
	for now := from; now.Before(to); now = now.Add(time.Minute) {
		running := clock(now)
		switch diff := running - virtual; {
		case diff > 180 || diff <= -180:
			virtual = running
			find(now, running, true, true)
		case diff > 5:
			find(now, running, true, false)
			for virtual < running {
				virtual++
				find(now, virtual, false, true)
			}
		case diff > 0:
			for virtual < running {
				virtual++
				find(now, virtual, true, true)
			}
		default:
			find(now, running, true, false)
		}
	}
	return out
}

// TestAgainstDebian compares with the loop of cron(8) around changes of the
// clock of every size.
func TestAgainstDebian(t *testing.T) {
	r := seed(t)
	changes := []struct{ zone, day string }{
		{"Europe/Berlin", "2026-03-29"}, {"Europe/Berlin", "2026-10-25"},
		{"Europe/Lisbon", "2026-03-29"}, {"Europe/Lisbon", "2026-10-25"},
		{"Australia/Lord_Howe", "2026-04-05"}, {"Australia/Lord_Howe", "2026-10-04"}, // half an hour
		{"America/Sao_Paulo", "2018-11-04"}, {"America/Sao_Paulo", "2018-02-18"}, // at midnight
		{"Antarctica/Troll", "2026-03-29"}, {"Antarctica/Troll", "2026-10-25"}, // two hours
		{"Antarctica/Casey", "2018-03-11"}, {"Antarctica/Casey", "2020-10-04"}, // three hours
		{"Pacific/Apia", "2011-12-31"}, // a whole day
	}
	for range 150 {
		expr := randomExpr(r)
		if r.IntN(2) == 0 { // favour the hours in which clocks change
			f := strings.Fields(expr)
			f[1], f[2], f[3], f[4] = []string{"2", "1-3", "0", "23,0-2", "1,2"}[r.IntN(5)], "*", "*", "*"
			expr = strings.Join(f, " ")
		}
		s := mustParse(t, Crontab, expr)
		for _, c := range changes {
			day, err := time.ParseInLocation(time.DateOnly, c.day, zone(t, c.zone))
			if err != nil {
				t.Fatal(err)
			}
			from, to := day.AddDate(0, 0, -2), day.AddDate(0, 0, 2)
			want := debian(s, from, to)
			got := s.Between(from, to, 1<<20)
			for i := range max(len(got), len(want)) {
				if i >= len(got) || i >= len(want) || !got[i].Equal(want[i]) {
					i = max(i, 1)
					t.Fatalf("%q in %s around %s, from run %d:\n got %v\nwant %v", expr, c.zone, c.day, i-1,
						got[i-1:min(i+2, len(got))], want[i-1:min(i+2, len(want))])
				}
			}
		}
	}
}

// TestLargestGap compares the day-wise computation with a plain walk.
func TestLargestGap(t *testing.T) {
	r := seed(t)
	for range 300 {
		expr := randomExpr(r)
		for _, d := range []Dialect{Crontab, PM2} {
			s, err := Parse(d, expr)
			if err != nil {
				continue // croner's lists hold no ranges
			}
			from := time.Unix(1_770_000_000+r.Int64N(1e8), 0).In(zone(t, "Europe/Berlin"))
			window := time.Duration(r.IntN(90*24)) * time.Hour
			var want time.Duration
			run, ok := s.Prev(from.Add(1))
			if !ok {
				run, ok = s.Next(from)
			}
			for ok && run.Before(from.Add(window)) {
				var next time.Time
				if next, ok = s.Next(run); ok {
					want = max(want, next.Sub(run))
				}
				run = next
			}
			if got := s.LargestGap(from, window); got != want {
				t.Fatalf("%s %q from %v for %v: %v, want %v", d, expr, from, window, got, want)
			}
		}
	}
}
