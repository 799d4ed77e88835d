package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"healthaudit/report"
	"healthaudit/snapshot"
	"healthaudit/snapshot/host"
)

type doctorCmd struct {
	listing
	Cron bool `help:"Look a second time as cron would start it: with its environment, and what audit cron install wrote there."`
}

// A physician collects what doctor finds.
type physician struct {
	*App
	*settings
	host *host.OS
	area string
	report.DoctorView
}

func (d *physician) add(state, name, detail, todo string) {
	if state == "todo" {
		d.ToDo++
	}
	d.Rows = append(d.Rows, report.DoctorRow{Area: d.area, Name: name, State: state, Detail: detail, ToDo: todo})
}

func (d *physician) ok(name, detail string)         { d.add("ok", name, detail, "") }
func (d *physician) note(name, detail, todo string) { d.add("note", name, detail, todo) }
func (d *physician) todo(name, detail, todo string) { d.add("todo", name, detail, todo) }

// wrong is a row of an error, with its hint.
func (d *physician) wrong(name string, err error) {
	_, hint := codeOf(err)
	d.todo(name, err.Error(), strings.TrimRight(hint, "\n"))
}

// Run looks at everything that audit depends on, and changes nothing. Exit 0, or
// 1 where something needs doing.
func (c *doctorCmd) Run(a *App) error {
	d := &physician{App: a}
	if err := d.examine(c.Cron); err != nil {
		return err
	}
	code := exitOK
	if d.ToDo > 0 {
		code = exitGate
	}
	if err := show(a, c.listing, code, d.DoctorView, report.Doctor); err != nil || code == exitOK {
		return err
	}
	return exitCode(code)
}

func (d *physician) examine(underCron bool) (err error) {
	d.area = "audit"
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	d.ok("program", fmt.Sprintf("%s, version %s", exe, version))
	if d.settings, err = d.App.settings(); err != nil {
		d.wrong("configuration", err)
		return nil
	}
	if d.host, err = d.App.open(d.settings); err != nil {
		return err
	}
	defer d.host.Close()
	d.files()
	d.area = "store"
	d.store()
	d.archives()
	d.restores()
	doc, err := d.glance(d.settings, d.host)
	if err != nil {
		d.area = "project"
		d.wrong("run", err)
		return context.Cause(d.ctx)
	}
	d.area = "project"
	d.project(doc)
	d.area = "programs"
	d.programs(doc)
	d.area = "clock and schedule"
	d.clock()
	d.schedule()
	if underCron {
		d.area = "under cron"
		d.cron()
	}
	return nil
}

// files tells which ones count, and who may change them.
func (d *physician) files() {
	if d.Root != "" {
		d.ok("root", d.root+" (named by --root or AUDIT_ROOT)")
	} else {
		d.ok("root", d.root)
	}
	if d.source == nil {
		d.note("configuration", "none: every key has its default", "audit init writes one to begin with")
	} else {
		d.mine("configuration", d.config)
	}
	set, err := d.settings.rules(d.App)
	switch {
	case err != nil:
		d.wrong("rules", err)
	case set == nil:
		d.note("rules", "none: nothing is ever mended", "audit init writes them, all switched off")
	default:
		at := filepath.FromSlash(set.Path)
		if !filepath.IsAbs(at) {
			at = filepath.Join(d.root, at)
		}
		d.mine("rules", at)
	}
}

// mine tells of a file that decides what audit does: others should not.
func (d *physician) mine(name, path string) {
	st, err := os.Stat(path)
	switch {
	case err != nil:
		d.wrong(name, err)
	case st.Mode()&0o002 != 0:
		d.todo(name, path+": everybody on this machine may change it", "chmod o-w "+snapshot.ShellWord(path))
	default:
		d.ok(name, path)
	}
}

// project tells what the collectors make of it.
func (d *physician) project(doc *report.Document) {
	for _, s := range doc.Systems {
		var seen []string // what is worth naming
		for _, it := range doc.Items {
			switch {
			case it.System != s.System:
			case strings.HasSuffix(it.Path, "netlify.toml"):
				seen = append(seen, it.Path)
			case it.Name == "PM2 daemon":
				seen = append(seen, "its daemon is "+strings.ReplaceAll(it.State, "-", " "))
			}
		}
		text := counted(s.Items, "item")
		if s.System == "pm2" {
			text += d.homes()
		}
		if len(seen) > 0 {
			text += "; " + strings.Join(seen, ", ")
		}
		if s.Reason != "" {
			text += "; " + s.Reason
		}
		hint := ""
		if i := slices.IndexFunc(doc.Errors, func(e report.Error) bool { return e.System == s.System && e.Hint != "" }); i >= 0 {
			hint = doc.Errors[i].Hint
		}
		switch s.Status {
		case "ok":
			d.ok(s.System, text)
		case "absent":
			d.ok(s.System, "nothing of the kind here"+strings.TrimPrefix(text, counted(0, "item")))
		case "skipped":
			d.note(s.System, s.Reason, "")
		default:
			d.todo(s.System, text, hint)
		}
	}
	for _, e := range doc.Errors {
		if e.System == "audit" {
			d.todo(e.Source, e.Message, e.Hint)
		}
	}
}

// homes names the PM2 homes, and whose they are where that is not who asks.
func (d *physician) homes() string {
	homes := slices.Clone(d.pipeline.Collect.PM2Homes)
	if len(homes) == 0 {
		home := d.Env("PM2_HOME")
		if home == "" && d.Env("HOME") != "" {
			home = filepath.Join(d.Env("HOME"), ".pm2")
		}
		if home == "" {
			return "; neither HOME nor PM2_HOME is set"
		}
		homes = append(homes, home)
	}
	for i, home := range homes {
		switch uid, err := d.owner(home); {
		case errors.Is(err, fs.ErrNotExist):
			homes[i] += " (not there)"
		case err == nil && int(uid) != os.Getuid():
			homes[i] += fmt.Sprintf(" (of uid %d, you are %d)", uid, os.Getuid())
		}
	}
	return "; home " + strings.Join(homes, ", ")
}

func (d *physician) owner(path string) (uid uint32, err error) {
	dir, err := d.host.Outside(filepath.Dir(path))
	if err != nil {
		return 0, err
	}
	defer dir.Close()
	st, err := dir.Stat(filepath.Base(path))
	return st.UID, err
}
