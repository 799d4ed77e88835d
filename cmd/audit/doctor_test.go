package main

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"healthaudit/report"
)

// What is found here and not under cron needs doing; what is the same is not told.
func TestDoctorCompares(t *testing.T) {
	here := []report.DoctorRow{{Area: "programs", Name: "node", State: "ok", Detail: "/opt/node"}, {Area: "programs", Name: "git", State: "ok", Detail: "/usr/bin/git"},
		{Area: "audit", Name: "root", State: "ok", Detail: "/srv"}}
	there := []report.DoctorRow{{Area: "programs", Name: "node", State: "note", Detail: "not on PATH"}, {Area: "programs", Name: "git", State: "ok", Detail: "/usr/bin/git"},
		{Area: "audit", Name: "root", State: "ok", Detail: "/srv (named)"}, {Area: "clock and schedule", Name: "clock", State: "ok", Detail: "later"}}
	d := &physician{area: "under cron", DoctorView: report.DoctorView{Rows: here}}
	d.compare(there, true, "so")
	want := []report.DoctorRow{
		{Area: "under cron", Name: "start", State: "ok", Detail: "it starts, so"},
		{Area: "under cron", Name: "node", State: "todo", Detail: "not on PATH", ToDo: "audit cron install writes the line anew, with what is found here"},
	}
	if diff := cmp.Diff(want, d.Rows[len(here):]); diff != "" || d.ToDo != 1 {
		t.Errorf("%d to do\n%s", d.ToDo, diff)
	}
	d = &physician{area: "under cron", DoctorView: report.DoctorView{Rows: here}}
	d.compare(here, false, "so")
	if last := d.Rows[len(d.Rows)-1]; last.Name != "environment" || d.ToDo != 0 {
		t.Errorf("%+v", d.Rows[len(here):])
	}
}

// TestWidest: the cadence that is proposed is that of the schedule, at whatever hour
// doctor is asked.
func TestWidest(t *testing.T) {
	timer := func(text string) report.CronSchedule { return report.CronSchedule{Place: "timer", Schedule: text} }
	tab := func(text string) report.CronSchedule { return report.CronSchedule{Place: "crontab", Schedule: text} }
	for name, c := range map[string]struct {
		list []report.CronSchedule
		want time.Duration
	}{
		"by_day":    {[]report.CronSchedule{tab("*/5 8-18 * * *")}, 13*time.Hour + 5*time.Minute},
		"workdays":  {[]report.CronSchedule{tab("0 9 * * 1-5")}, 72 * time.Hour},
		"monthly":   {[]report.CronSchedule{tab("0 0 1 * *")}, 31 * 24 * time.Hour},
		"two":       {[]report.CronSchedule{tab("0 0 1 * *"), timer("*-*-* *:00/30:00")}, 30 * time.Minute},
		"not_known": {[]report.CronSchedule{tab("sometimes")}, 15 * time.Minute},
	} {
		for _, at := range []string{"2026-11-25T07:55:00Z", "2026-11-25T17:00:00Z", "2026-11-28T23:00:00Z"} {
			now, err := time.Parse(time.RFC3339, at)
			if err != nil {
				t.Fatal(err)
			}
			if got := widest(c.list, now); got != c.want {
				t.Errorf("%s at %s: %v, want %v", name, at, got, c.want)
			}
		}
	}
}
