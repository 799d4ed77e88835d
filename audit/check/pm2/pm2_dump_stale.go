package pm2

import (
	"fmt"
	"slices"
	"strings"

	"healthaudit/audit"
	"healthaudit/snapshot"
)

// DumpStale finds lists of PM2 that a reboot would not bring back as they are.
var DumpStale = &audit.Check{
	ID: "pm2-dump-stale", System: "pm2", Title: "PM2's saved list is out of date", Severity: audit.Medium,
	Doc: "After a reboot PM2 starts what stands in dump.pm2 and nothing else. An app that was started after the last `pm2 save` stays away, one that was moved comes back as it was, " +
		"and one that was saved while it was stopped stays stopped. It weighs more where a unit resurrects PM2 at boot, for then that is what a reboot does. " +
		"Apps that were started less than two minutes ago are left out: whoever deploys saves at the end. What stands in the dump and does not run is pm2-not-running.",
	Hint:          "Run `pm2 save` as the user who owns the apps, when `pm2 list` shows what should run.",
	Discriminator: "none: one finding per daemon",
	Source:        "https://github.com/Unitech/pm2 lib/API/Startup.js CLI.prototype.dump and resurrect",
	Limits:        []audit.Limit{{Name: "seconds", Default: 120, Unit: "seconds", Doc: "age below which an app that is not saved yet is no finding"}},
	Judge: func(p *audit.Pass) {
		all, processes := byDaemon(p), instances(p)
		for _, d := range daemons(p) {
			dump := text(d, "dump")
			if d.State != alive || dump == "" {
				p.Doubt(d.Key, "")
				continue
			}
			young := func(app *snapshot.Item) bool { return slices.ContainsFunc(processes.of(app), isYoung(p)) }
			if r, ok := staleDump(d, all[d.Key], dump, young); ok {
				p.Report(r)
			}
		}
	},
}

func staleDump(d *snapshot.Item, apps []*snapshot.Item, dump string, young func(*snapshot.Item) bool) (audit.Report, bool) {
	r := audit.Report{Item: d.Key, Severity: audit.Low}
	if text(d, "boot") == "unit" {
		r.Severity = audit.High
	}
	var running, unsaved, changed, status []string
	for _, app := range apps {
		if app.State == notRunning || app.Kind != "app" || young(app) {
			continue
		}
		running = append(running, app.Name)
		in, ok := app.Fact("in-dump")
		v, _ := app.Fact("dump.differs")
		what := v.Strings()
		switch {
		case ok && !in.IsTrue():
			unsaved = append(unsaved, app.Name)
		case slices.Contains(what, "saved as stopped"):
			status = append(status, app.Name)
		case len(what) > 0:
			changed = append(changed, app.Name+" ("+strings.Join(what, ", ")+")")
		}
	}
	if len(running) == 0 {
		return r, false
	}
	healthy := soundList(apps)
	switch dump {
	case "torn":
		r.Severity = max(r.Severity, audit.Medium)
		r.Message = "dump.pm2 is torn: PM2 cannot read it, so a reboot brings nothing back, and `pm2 resurrect` deletes it"
		r.Hint = "Copy dump.pm2 and dump.pm2.bak first. "
	case "absent", "empty":
		if text(d, "boot") == "unit" {
			return r, false // pm2-no-boot says that it boots to nothing
		}
		r.Message = fmt.Sprintf("PM2 runs %s, and its saved list is %s: `pm2 resurrect` brings nothing back", list(running), dump)
	default:
		var parts []string
		for _, part := range []struct {
			names []string
			what  string
		}{{unsaved, "does not hold %s"}, {status, "holds %s as stopped"}, {changed, "holds something else of %s"}} {
			if len(part.names) > 0 {
				parts = append(parts, fmt.Sprintf(part.what, list(part.names)))
			}
		}
		if len(parts) == 0 {
			return r, false
		}
		if len(unsaved)+len(status) == 0 && r.Severity == audit.High {
			r.Severity = audit.Medium
		}
		r.Message = "the list that PM2 brings back after a reboot " + strings.Join(parts, ", and ")
	}
	if healthy {
		r.Hint += "Run `pm2 save` as the user who owns the apps: `pm2 list` shows what it will save."
	} else {
		r.Hint += "Do not run `pm2 save` yet: some apps are missing or broken, and saving now would make that permanent. Bring them back first, see the other findings."
	}
	if saved, ok := known(d, "dump.saved"); ok && dump == "ok" {
		r.Evidence = []audit.Evidence{{Name: "saved", Value: when(saved / 1000)}}
	}
	return r, true
}

// isYoung reports whether a process was started so recently that whoever did it
// may not have come to save it.
func isYoung(p *audit.Pass) func(*snapshot.Item) bool {
	limit := p.Limit("seconds")
	return func(it *snapshot.Item) bool {
		age, ok := it.Metric("age")
		return ok && age.Value < limit
	}
}

// soundList reports whether what PM2 runs may be saved without making a loss
// permanent: all that was saved or declared is there and well.
func soundList(apps []*snapshot.Item) bool {
	return !slices.ContainsFunc(apps, func(app *snapshot.Item) bool {
		return app.State != "online" && app.State != "stopped"
	})
}
