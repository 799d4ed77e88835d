package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"healthaudit/report"
	"healthaudit/snapshot"
	"healthaudit/snapshot/host"
)

// cronEnvironment is what cron gives to a command of its own accord: crontab(5).
func (d *physician) cronEnvironment() []string {
	env := []string{"SHELL=/bin/sh", "PATH=/usr/bin:/bin"}
	for _, name := range []string{"HOME", "LOGNAME"} {
		if v := d.Env(name); v != "" {
			env = append(env, name+"="+v)
		}
	}
	return env
}

// cron has this program look again in cron's environment, and tells what is then
// otherwise.
func (d *physician) cron() {
	env := d.cronEnvironment()
	how := "as a line of your own would start it"
	j, err := (&cronFlags{Every: 15 * time.Minute}).job(d.App, d.settings, d.host)
	if err != nil {
		d.wrong("start", err)
		return
	}
	installed := false
	if was, err := j.readCrontab(d.App, d.host); err == nil && was.own != "" {
		installed, how = true, "as the line of audit cron install starts it"
		for _, e := range j.env {
			if !strings.Contains(was.own, e[0]+"="+strings.ReplaceAll(snapshot.ShellWord(e[1]), "%", `\%`)+" ") {
				d.note("line", "it was written with another "+e[0], "audit cron install writes it anew")
				continue
			}
			env = append(slices.DeleteFunc(env, func(s string) bool { return strings.HasPrefix(s, e[0]+"=") }), e[0]+"="+e[1])
		}
	}
	args := append(slices.Clone(j.argv[1:len(j.argv)-4]), "doctor", "--format", "json")
	dir := d.Env("HOME")
	switch fi, err := os.Stat(dir); {
	case !filepath.IsAbs(dir):
		dir = "/"
	case err != nil || !fi.IsDir():
		d.todo("home", "HOME names "+dir+", which is no folder", "cron starts its lines in the home folder: make it, or set HOME in the crontab")
		dir = "/"
	}
	r, err := d.host.Run(d.ctx, host.Command{Program: host.Self, Args: args, Dir: dir, Env: env, Timeout: 5 * time.Minute, MaxOut: 8 << 20})
	var there report.DoctorView
	if err == nil {
		err = json.Unmarshal(r.Out, &there)
	}
	if err != nil {
		d.todo("start", fmt.Sprintf("it could not be started: %v %s", err, strings.TrimSpace(string(r.Err))), "")
		return
	}
	d.compare(there.Rows, installed, how)
}

// compare tells what is otherwise under cron.
func (d *physician) compare(there []report.DoctorRow, installed bool, how string) {
	d.ok("start", "it starts, "+how)
	same := true
	for _, row := range there {
		i := slices.IndexFunc(d.Rows, func(r report.DoctorRow) bool { return r.Area == row.Area && r.Name == row.Name })
		if row.Name == "root" || row.Area == "clock and schedule" || i >= 0 && d.Rows[i].State == row.State && d.Rows[i].Detail == row.Detail {
			continue
		}
		same = false
		worse := i >= 0 && d.Rows[i].State == "ok" && row.State != "ok"
		todo := row.ToDo
		if worse {
			todo = "audit cron install puts what is found here into its line"
			if installed {
				todo = "audit cron install writes the line anew, with what is found here"
			}
			d.todo(row.Name, row.Detail, todo)
			continue
		}
		d.add(row.State, row.Name, row.Detail, todo)
	}
	if same {
		d.ok("environment", "everything is found there as it is here")
	}
}
