package pipeline

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"healthaudit/report"
	"healthaudit/snapshot"
)

var monday = time.Date(2026, time.November, 23, 12, 0, 0, 0, time.UTC)

// at returns an item with one effective schedule per expression, "EXPRESSION TZ=ZONE" with a zone.
func at(key, dialect string, exprs ...string) *snapshot.Item {
	it := &snapshot.Item{Key: snapshot.Key(key), Name: key}
	for _, e := range exprs {
		expr, zone, _ := strings.Cut(e, " TZ=")
		it.Schedules = append(it.Schedules, snapshot.Schedule{Dialect: dialect, Expression: expr, Timezone: zone, Effective: true})
	}
	return it
}

func timetableOf(now time.Time, items ...*snapshot.Item) report.SchedulesView {
	s := &snapshot.Snapshot{Items: items}
	s.Sort()
	return Timetable(s, report.SnapshotRef{}, now)
}

func TestTimetable_collisions(t *testing.T) {
	many := func(n int, expr string) (out []*snapshot.Item) {
		for i := range n {
			out = append(out, at(fmt.Sprintf("workflows/%s-%02d.yml", expr[:1], i), "github", expr))
		}
		return out
	}
	for _, c := range []struct {
		title   string
		items   []*snapshot.Item
		limit   float64
		times   int
		crowded int
	}{
		{"five at once are none", many(5, "0 3 * * *"), 15, 0, 0},
		{"six at once, seldom else", append(many(6, "0 3 * * *"), at("workflows/x.yml", "github", "7 * * * *")), 5, 1, 7},
		{"where six are usual", append(many(6, "*/5 * * * *"), many(3, "0 3 * * *")...), 18, 0, 0},
		{"once a week", append(many(9, "0 3 * * 4"), at("workflows/x.yml", "github", "7 * * * *")), 5, 1, 1},
		{"the same minute by other clocks", append(many(5, "30 3 * * *"), at("workflows/x.yml", "github", "30 4 * * * TZ=Europe/Berlin", "7 * * * *")), 5, 1, 7},
		{"one process that starts every second", []*snapshot.Item{at("pm2/a", "pm2", "* * * * * *")}, 5, 0, 0},
	} {
		t.Run(c.title, func(t *testing.T) {
			v := timetableOf(monday, c.items...)
			if v.Week.Limit != c.limit || v.Week.CrowdedTimes != c.times || v.Week.CrowdedMinutes != c.crowded || len(v.Week.Collisions) != c.times {
				t.Errorf("limit %v, %d times, %d minutes; want %v, %d, %d", v.Week.Limit, v.Week.CrowdedTimes, v.Week.CrowdedMinutes, c.limit, c.times, c.crowded)
			}
			if marked := slices.ContainsFunc(v.Schedules, func(r report.ScheduleRow) bool { return r.Collides }); marked != (c.times > 0) {
				t.Errorf("a schedule is marked: %v", marked)
			}
		})
	}
	v := timetableOf(monday, append(many(6, "0 3 * * *"), at("workflows/x.yml", "github", "7 * * * *"))...)
	if c := v.Week.Collisions[0]; c.Time != "03:00" || c.Days != 7 || c.Starts != 6 || len(c.Items) != 6 || !c.At.Equal(monday.Add(-9*time.Hour)) {
		t.Errorf("collision %+v", c)
	}
	if last := v.Schedules[6]; last.Item != "workflows/x.yml" || last.Collides {
		t.Errorf("%s is marked: %v", last.Item, last.Collides)
	}
	if v.Week.MinuteZero != 6 || v.Week.InEffect != 7 || v.Week.PerDay != 30 {
		t.Errorf("%d of %d at minute 0, %v a day; want 6 of 7, 30", v.Week.MinuteZero, v.Week.InEffect, v.Week.PerDay)
	}
}

func TestTimetable_week(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, time.October, 22, 18, 30, 0, 0, berlin) // the clock goes back on the 25th
	v := timetableOf(now, at("scripts/a", "crontab", "15 * * * *"))
	if len(v.Week.Days) != 7 || v.Week.Starts != 7*24+1 {
		t.Fatalf("%d days, %d starts", len(v.Week.Days), v.Week.Starts)
	}
	for i, d := range v.Week.Days {
		want := slices.Repeat([]int{1}, 24)
		if d.Date == "2026-10-25" {
			want[2] = 2
		}
		if !reflect.DeepEqual(d.Hours, want) || d.Date != fmt.Sprintf("2026-10-%d", 22+i) {
			t.Errorf("%s: %v", d.Date, d.Hours)
		}
	}
}

func TestTimetable_rows(t *testing.T) {
	zone := time.FixedZone("", 2*60*60)
	now := time.Date(2026, time.November, 23, 12, 0, 0, 500, zone)
	off := at("functions/off", "netlify", "0 3 * * *")
	off.Schedules[0].Effective, off.Schedules[0].Why = false, "nobody reads it"
	kept := at("scripts/kept", "crontab", "0 3 * * *")
	kept.Carried = true
	v := timetableOf(now, off, kept, at("workflows/a.yml", "github", "0 3 * * *"), at("pm2/b", "pm2", "0 3 * * *"), at("scripts/boot", "crontab", "@reboot"),
		at("workflows/never.yml", "github", "0 0 31 2 *"), at("workflows/odd.yml", "github", "61 * * * *"), at("workflows/z.yml", "github", "0 3 * * * TZ=Local"))
	var got []string
	for _, r := range v.Schedules {
		s := fmt.Sprintf("%s %s %q", r.Item, r.Zone, r.Why)
		for _, n := range r.Next {
			s += n.Local.Format(" 02T15:04Z07:00")
		}
		if r.LastKnown {
			s += " kept"
		}
		got = append(got, s)
	}
	want := []string{
		`pm2/b UTC+02:00 "" 24T03:00+02:00 25T03:00+02:00 26T03:00+02:00`,
		`workflows/a.yml UTC "" 24T05:00+02:00 25T05:00+02:00 26T05:00+02:00`,
		`workflows/never.yml UTC "never: no year has such a day"`,
		`workflows/odd.yml UTC "minute: 61 is not in 0-59 (github schedule)"`,
		`workflows/z.yml Local "there is no such time zone"`,
		`functions/off UTC "nobody reads it"`,
		`scripts/boot UTC+02:00 "when the machine starts"`,
		`scripts/kept UTC+02:00 "" 24T03:00+02:00 25T03:00+02:00 26T03:00+02:00 kept`,
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if v.Zone != "UTC+02:00" || v.Week.InEffect != 3 || v.Week.MinuteZero != 3 {
		t.Errorf("zone %s, %d in effect, %d at minute 0", v.Zone, v.Week.InEffect, v.Week.MinuteZero)
	}
}

func TestTimetable_bounds_the_coming_week(t *testing.T) {
	v := timetableOf(monday, at("workflows/a.yml", "github", "*/5 * * * *", "0 12 * * *", "1 12 * * *"))
	for i, want := range []struct {
		n    int
		more bool
	}{{maxComing, true}, {7, false}, {7, false}} {
		if r := v.Schedules[i]; len(r.Coming) != want.n || r.More != want.more {
			t.Errorf("%s: %d runs, more %v; want %d, %v", r.Expression, len(r.Coming), r.More, want.n, want.more)
		}
	}
	if first := v.Schedules[1].Coming[0]; !first.Equal(monday.AddDate(0, 0, 1)) {
		t.Errorf("a run that is due now is a coming one: %v", first)
	}
	var items []*snapshot.Item
	for i := range 3000 {
		items = append(items, at(fmt.Sprintf("workflows/%d.yml", i), "github", "*/5 * * * *"))
	}
	all := 0
	for _, r := range timetableOf(monday, items...).Schedules {
		all += len(r.Coming)
	}
	if all > maxComingAll {
		t.Errorf("%d runs of all", all)
	}
}
