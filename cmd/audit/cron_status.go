package main

import (
	"os"
	"path/filepath"
	"strings"
	"time"

	"healthaudit/audit/pipeline"
	"healthaudit/report"
	"healthaudit/snapshot/analyze/crontab"
	"healthaudit/snapshot/analyze/systemd"
	"healthaudit/snapshot/cron"
	"healthaudit/snapshot/host"
)

type cronStatusCmd struct{ listing }

// Run says which schedules run audit on this project, and when the next run is.
// Exit 0, or 1 where none does.
func (c *cronStatusCmd) Run(a *App) error {
	s, j, err := (&cronFlags{Every: 15 * time.Minute}).prepare(a)
	if err != nil {
		return err
	}
	h, err := a.open(s)
	if err != nil {
		return err
	}
	defer h.Close()
	v := report.CronView{Root: s.root, Schedules: []report.CronSchedule{}, Notes: []string{}}
	c.crontab(a, h, j, &v)
	c.timers(a, j, &v)
	if last, err := pipeline.ReadSuccess(a.Store); err == nil {
		v.LastRun = &last.At
	}
	code := exitOK
	if len(v.Schedules) == 0 {
		code = exitGate
	}
	if err := show(a, c.listing, code, v, report.Cron); err != nil || code == exitOK {
		return err
	}
	return exitCode(code)
}

func (c *cronStatusCmd) crontab(a *App, h *host.OS, j *cronJob, v *report.CronView) {
	was, err := j.readCrontab(a, h)
	if err != nil {
		v.Notes = append(v.Notes, err.Error())
		return
	}
	for _, e := range crontab.Parse("crontab", []byte(was.own)).Entries {
		row := report.CronSchedule{Place: "crontab", Schedule: e.Schedule}
		if sched, err := cron.Parse(cron.Crontab, e.Schedule); err == nil {
			row.Next = next(sched, a.Now())
		}
		for word := range strings.FieldsSeq(e.Command) {
			if p := strings.Trim(word, "'"); filepath.IsAbs(p) && strings.HasSuffix(p, "/audit") {
				row.Program = p
				if _, err := os.Stat(p); err != nil {
					row.Problem = "that program is not there any more: audit cron install writes the line anew"
				}
				break
			}
		}
		if !cronRuns(h) {
			row.Problem = strings.TrimPrefix(row.Problem+"; no cron daemon is running: start it (systemctl enable --now cron)", "; ")
		}
		v.Schedules = append(v.Schedules, row)
	}
	if n := len(was.others()); n > 0 {
		v.Notes = append(v.Notes, counted(n, "other line")+" of your crontab may start audit as well: crontab -l")
	}
}

// cronRuns reports whether a cron daemon is among the processes, where that can be
// told.
func cronRuns(h *host.OS) bool {
	list, err := h.Processes(host.Titled)
	if err != nil {
		return true
	}
	for _, p := range list {
		name, _, _ := strings.Cut(p.Title, " ")
		switch name[strings.LastIndexByte(name, '/')+1:] {
		case "cron", "crond", "busybox", "fcron", "systemd-cron":
			return true
		}
	}
	return false
}

func (c *cronStatusCmd) timers(a *App, j *cronJob, v *report.CronView) {
	for _, system := range []bool{false, true} {
		u := newUnits(a, j, system)
		b, err := os.ReadFile(u.files()[1][0])
		if err != nil || !strings.HasPrefix(string(b), unitMark) {
			continue
		}
		row := report.CronSchedule{Place: "systemd " + u.name + ".timer"}
		for _, e := range systemd.Parse(b).Settings {
			if e.Section == "Timer" && e.Key == "OnCalendar" {
				row.Schedule = e.Value
			}
		}
		if sched, err := cron.Parse(cron.Systemd, row.Schedule); err == nil {
			row.Next = next(sched, a.Now())
		}
		v.Schedules = append(v.Schedules, row)
	}
}

func next(s *cron.Schedule, now time.Time) *time.Time {
	if t, ok := s.Next(now); ok {
		return &t
	}
	return nil
}
