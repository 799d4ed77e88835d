package pm2

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"healthaudit/audit"
	"healthaudit/snapshot"
)

// InstancesShort finds apps with fewer processes than they should have.
var InstancesShort = &audit.Check{
	ID: "pm2-instances-short", System: "pm2", Title: "fewer instances than declared", Severity: audit.Medium,
	Doc: "A file that declares four instances does not bring back one that was deleted or scaled away: PM2 compares nothing with the file by itself, and `pm2 resurrect` and `pm2 restart` keep the number that ran. " +
		"An instance that PM2 lists and that is down has a finding of its own. `max` is as many as the machine has processors. " +
		"Where no file declares a number, that of the start counts, as a guess: `pm2 scale` does not change it.",
	Hint:          "`pm2 scale NAME NUMBER` starts what is missing; then `pm2 save`. If fewer are enough, write the number into the file.",
	Discriminator: "none: one finding per app",
	Source:        "https://github.com/Unitech/pm2 lib/God.js prepare, lib/API.js _startJson",
	Judge: func(p *audit.Pass) {
		processes := instances(p)
		for _, app := range apps(p) {
			if app.Kind != "app" || !watched(p, app) {
				continue
			}
			runs, want, declared := short(p, app)
			switch {
			case runs >= want:
				continue
			case starting(processes.of(app)):
				p.Doubt(app.Key, "")
				continue
			}
			file := text(app, "declared.file")
			r := audit.Report{Item: app.Key, At: at(app)}
			if !declared {
				r.Severity, r.Confidence = audit.Low, audit.Guess
			}
			online, _ := processes.in(app, "online")
			scale := command("scale", app, strconv.FormatFloat(want, 'f', 0, 64))
			r.Message = fmt.Sprintf("PM2 runs %.0f of the %.0f instances of %s that %s declares", runs, want, app.Name, file)
			r.Hint = fmt.Sprintf("%s starts what is missing; then `pm2 save`. If fewer are enough, write the number into the file.", scale)
			if !declared {
				r.Message = fmt.Sprintf("PM2 runs %.0f of the %.0f instances with which %s was started", runs, want, app.Name)
				r.Hint = fmt.Sprintf("If it was not scaled down on purpose: %s.", scale)
			} else {
				doubtDeclared(p, file, &r)
			}
			r.Evidence = append(r.Evidence, audit.Evidence{Name: "online", Value: strconv.Itoa(len(online))})
			p.Report(r)
		}
	},
}

// short returns how many processes of a watched app run and how many should, and
// whether its file declares that; the second is 0 where nobody can say.
func short(p *audit.Pass, app *snapshot.Item) (runs, want float64, declared bool) {
	runs = number(app, "processes")
	if runs == 0 || app.Torn {
		return runs, 0, false
	}
	v, declared := app.Fact("declared.instances")
	if declared = declared && !countsProcessors(p, text(app, "declared.file")); !declared {
		v, _ = app.Fact("instances")
	}
	return runs, wanted(v, metric(daemon(p, app), "cpus")), declared
}

// shortTold reports whether pm2-instances-short says of a watched app that fewer
// processes run than should.
func shortTold(p *audit.Pass, app *snapshot.Item) bool {
	runs, want, _ := short(p, app)
	return runs < want && !slices.Contains(p.Off, InstancesShort.ID)
}

// countsProcessors reports whether a file makes the number of instances of the
// number of processors, of which its evaluation knew nothing.
func countsProcessors(p *audit.Pass, file string) bool {
	it := p.Now.Item(fileKey(file))
	if it == nil {
		return false
	}
	v, _ := it.Fact("reads")
	for _, name := range v.Strings() {
		if strings.HasPrefix(name, "os.") {
			return true
		}
	}
	return false
}

// wanted returns how many processes a number of instances means; 0 when that is
// not known. PM2 takes every text that is no number for 0, and 0 for as many as
// there are processors (lib/Common.js verifyConfs, lib/God.js prepare).
func wanted(v snapshot.Value, cpus float64) float64 {
	n, ok := v.Num()
	if s := v.Str(); !ok && s != "" {
		n, _ = strconv.ParseFloat(s, 64)
		ok = true
	}
	switch {
	case !ok || n <= 0 && cpus == 0:
		return 0
	case n <= 0:
		return max(cpus+n, 1)
	}
	return n
}

// young is the age in seconds below which an app may still be starting its
// instances: it does so one after the other.
const young = 60

func starting(processes []*snapshot.Item) bool {
	return len(pick(processes, func(it *snapshot.Item) bool {
		m, ok := it.Metric("age")
		return ok && m.Value < young
	})) > 0
}
