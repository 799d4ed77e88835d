package main

import (
	"cmp"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"healthaudit/audit"
	"healthaudit/audit/pipeline"
	"healthaudit/report"
	"healthaudit/snapshot/collect"
	"healthaudit/snapshot/cron"
	"healthaudit/snapshot/host"
)

// helpers are the programs that audit asks, or would ask, and what for.
var helpers = []struct{ name, use string }{
	{"git", "which files belong to the project, and which commit broke something"},
	{"node", "only with systems.pm2.node: true"},
	{"bash", "scripts are parsed without it"},
	{"python3", "the syntax of Python scripts"},
	{"shellcheck", "lint of the run steps of workflows"},
}

// programs tells which of them are there, and their versions.
func (d *physician) programs(doc *report.Document) {
	for _, p := range helpers {
		path, err := d.host.Look(p.name)
		switch {
		case err == nil:
			d.ok(p.name, strings.TrimSuffix(path+", "+d.version(path), ", "))
		case p.name == "git" && doc.Run.Git == nil && d.versioned():
			d.todo(p.name, "not on PATH, and this is a git repository", "install git, or put its folder into PATH")
		case p.name == "node" && d.pipeline.Collect.PM2Node:
			d.todo(p.name, "not on PATH, and systems.pm2.node asks for it", "put its folder into PATH, or take that key out")
		default:
			d.note(p.name, "not on PATH: "+p.use, "")
		}
	}
}

func (d *physician) versioned() bool {
	_, err := d.host.Stat(".git")
	return err == nil
}

// version asks a program outside of the project for its version.
func (d *physician) version(path string) string {
	r, err := d.host.Run(d.ctx, host.Command{Program: path, Args: []string{"--version"}, Dir: "/", Env: []string{"LC_ALL=C", "PATH=" + collect.SafePath(d.host)}, Timeout: 5 * time.Second, MaxOut: 64 << 10, Alone: true})
	if err != nil || r.Code != 0 {
		return "which does not tell its version"
	}
	for line := range strings.Lines(string(r.Out)) {
		if line = strings.TrimSpace(line); strings.ContainsAny(line, "0123456789") {
			return report.Clean(line)
		}
	}
	return ""
}

// clock tells whether time can be trusted, and when audit ran last.
func (d *physician) clock() {
	now := d.Now()
	zone, _ := now.Zone()
	d.ok("clock", fmt.Sprintf("%s, zone %s", now.UTC().Format("2006-01-02 15:04:05 UTC"), zone))
	last, err := pipeline.ReadSuccess(d.Store)
	if err != nil {
		d.note("last run", "none is known", "audit run")
		return
	}
	age := now.Sub(last.At)
	missed := audit.Missed(age, d.pipeline.Every, d.pipeline.Grace)
	text := fmt.Sprintf("#%d, %s ago", last.Seq, lasting(age))
	switch {
	case age < -time.Minute:
		d.todo("last run", fmt.Sprintf("#%d is dated %s, which is still to come", last.Seq, last.At.UTC().Format(time.RFC3339)), "set the clock: timedatectl, or chronyc makestep")
	case missed > 0:
		d.todo("last run", fmt.Sprintf("%s; one is due every %s, %s missing", text, lasting(d.pipeline.Every), counted(missed, "run")+map[bool]string{true: " is", false: " are"}[missed == 1]), "see audit cron status, and the mails of cron")
	default:
		d.ok("last run", text)
	}
}

// schedule tells who starts audit.
func (d *physician) schedule() {
	f := &cronFlags{Every: cmp.Or(d.pipeline.Every, 15*time.Minute)}
	j, err := f.job(d.App, d.settings, d.host)
	if err != nil {
		f.Every = 15 * time.Minute
		if j, err = f.job(d.App, d.settings, d.host); err != nil {
			d.wrong("schedule", err)
			return
		}
	}
	v := report.CronView{}
	status := &cronStatusCmd{}
	if _, err := d.host.Look("crontab"); err == nil {
		status.crontab(d.App, d.host, j, &v)
	}
	status.timers(d.App, j, &v)
	for _, s := range v.Schedules {
		if s.Problem != "" {
			d.todo("schedule", s.Place+": "+s.Schedule+"; "+s.Problem, "")
		} else {
			d.ok("schedule", s.Place+": "+s.Schedule)
		}
	}
	switch {
	case len(v.Schedules) > 0 && d.pipeline.Every == 0:
		d.note("cadence", "audit.yaml does not say how often a run is due: a missing one is never noticed", "cadence: {every: "+lasting(widest(v.Schedules, d.Now()))+", grace: 10m}")
	case len(v.Schedules) == 0 && d.pipeline.Every > 0 && len(v.Notes) == 0:
		d.note("schedule", "a run is due every "+lasting(d.pipeline.Every)+", and nothing that audit cron install wrote starts one", "audit cron install --every "+lasting(d.pipeline.Every))
	case len(v.Schedules) == 0:
		d.note("schedule", "nothing that audit cron install wrote starts audit here", "audit cron install; nothing is to be done where CI or a crontab of your own starts it")
	}
	for _, n := range v.Notes {
		d.note("schedule", n, "")
	}
	if dir := filepath.Dir(j.argv[0]); dir == "/tmp" || strings.HasPrefix(dir, "/tmp/") || strings.Contains(dir, "/go-build") {
		d.note("program", "it lies in "+dir+", which a reboot may empty", "put it into /usr/local/bin before audit cron install")
	}
}

// widest returns the longest time between two runs in the coming 8 days, a whole
// week from any hour on: of several schedules, that of the one which leaves the
// shortest. 15 minutes where that cannot be told.
func widest(list []report.CronSchedule, now time.Time) (gap time.Duration) {
	for _, s := range list {
		dialect := cron.Systemd
		if s.Place == "crontab" {
			dialect = cron.Crontab
		}
		sched, err := cron.Parse(dialect, s.Schedule)
		if err != nil {
			continue
		}
		if own := sched.LargestGap(now, 8*24*time.Hour); own > 0 && (gap == 0 || own < gap) {
			gap = own
		}
	}
	return cmp.Or(gap, 15*time.Minute)
}
