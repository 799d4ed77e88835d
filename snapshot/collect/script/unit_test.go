package script

import (
	"fmt"
	"slices"
	"testing"

	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/trait"
	"healthaudit/snapshot/collect/collecttest"
)

func TestUnits(t *testing.T) {
	s := session(t, `
-- deploy/backup.service --
[Service]
Type=oneshot
User=shop
Environment=TOKEN=s3cret-in-unit LEVEL=debug
WorkingDirectory=/srv/shop
ExecStart=/usr/bin/node /srv/shop/scripts/backup.js --full
-- deploy/backup.timer --
[Timer]
OnCalendar=Mon..Fri *-*-* 02:30 Europe/Rome
OnCalendar=*-*-* 25:00
Persistent=true
-- deploy/nightly.timer --
[Timer]
OnCalendar=2027-01-01
Unit=backup.service
-- deploy/away.service --
[Service]
ExecStart=/opt/other/run.sh
-- scripts/backup.js --
console.log(1)
`)
	snap := collecttest.Snapshot(t, s, Collector)
	service, timer := snap.Item("scripts/unit:deploy/backup.service"), snap.Item("scripts/unit:deploy/backup.timer")
	if service == nil || timer == nil {
		t.Fatal("not listed")
	}
	for _, it := range []*snapshot.Item{service, timer, snap.Item("scripts/unit:deploy/nightly.timer")} {
		if it.Refs.Len() != 1 || it.Refs.All()[0].Path != "scripts/backup.js" || !it.Refs.All()[0].Args || it.Refs.All()[0].Line != 6 {
			t.Errorf("%s starts %+v", it.Key, it.Refs.All())
		}
	}
	if v, _ := service.Fact("env"); !slices.Equal(v.Strings(), []string{"LEVEL", "TOKEN"}) {
		t.Errorf("env %v", v)
	}
	want := []snapshot.Schedule{
		{Dialect: "systemd", Expression: "Mon..Fri *-*-* 02:30", Timezone: "Europe/Rome", Effective: true, Path: "deploy/backup.timer", Line: 2, Column: 12},
		{Dialect: "systemd", Expression: "*-*-* 25:00", Why: "systemd does not understand it", Path: "deploy/backup.timer", Line: 3, Column: 12},
	}
	if len(timer.Schedules) != 2 || timer.Schedules[0] != want[0] || timer.Schedules[1] != want[1] {
		t.Errorf("schedules %+v", timer.Schedules)
	}
	if v, _ := timer.Fact("syntax"); v.Str() != syntaxBroken {
		t.Errorf("syntax %v", v)
	}
	if v, _ := snap.Item("scripts/unit:deploy/nightly.timer").Fact("syntax"); v.Str() != syntaxOK { // a year is more than is reckoned here, and no error
		t.Errorf("syntax %v", v)
	}
	if it := snap.Item("scripts/unit:deploy/away.service"); it.Refs.Len() != 0 {
		t.Errorf("starts %+v", it.Refs.All())
	}
}

// What a service runs has the traits of any other command, at its place; what
// only goes before or after the work may say something and no more.
func TestUnits_traits(t *testing.T) {
	s := session(t, `
-- deploy/sync.service --
[Service]
ExecStartPre=/bin/echo begins
ExecStart=-/bin/sh -c 'cd /srv/shop; git add -A && git commit -m "%i" && git push'
-- deploy/says.service --
[Service]
ExecStart=/bin/echo done
`)
	snap := collecttest.Snapshot(t, s, Collector)
	for key, want := range map[snapshot.Key]string{
		"scripts/unit:deploy/sync.service": "[3:23:add-all: 3:23:push: 3:23:unguarded-cd:git add -A]",
		"scripts/unit:deploy/says.service": "[2:11:idle:]",
	} {
		if got := fmt.Sprint(trait.Kept(snap.Item(key))); got != want {
			t.Errorf("%s is like %s, want %s", key, got, want)
		}
	}
}
