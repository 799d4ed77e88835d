package main

import (
	"testing"

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
