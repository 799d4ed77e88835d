package pm2

import (
	"fmt"
	"strings"

	"healthaudit/audit"
	"healthaudit/snapshot"
)

// ConfigDrift finds apps that run with other settings than their file declares.
var ConfigDrift = &audit.Check{
	ID: "pm2-config-drift", System: "pm2", Title: "app runs with other settings than its file declares", Severity: audit.Medium,
	Doc: "PM2 reads a process file only when it is started or restarted by that file: after `pm2 restart NAME`, a crash, a reboot or a changed file an app goes on with what it was started with. " +
		"What the file declares is first made what PM2 would make of it (units, defaults, words), and one of its `env_…` blocks may have been chosen with --env. " +
		"Variables are compared by keyed hashes; what depends on the environment in which the file is read, or on the machine, is not compared, and neither is an app that is declared twice. Fewer processes than declared are pm2-instances-short.",
	Hint:          "Run `pm2 restart FILE --only NAME --update-env` from the project's root and then `pm2 save`, or write into the file what is meant to be.",
	Discriminator: "none: one finding per app",
	Source:        "https://github.com/Unitech/pm2 lib/Common.js verifyConfs and mergeEnvironmentVariables, lib/tools/Config.js, lib/God/ActionMethods.js restartProcessId",
	Judge: func(p *audit.Pass) {
		for _, app := range apps(p) {
			file := text(app, "declared.file")
			if app.Kind != "app" || file == "" || app.State == notRunning || text(app, "script") == "" {
				continue
			}
			d := daemon(p, app)
			of := p.Now.Item(fileKey(file))
			if d == nil || d.State != alive || of == nil || of.State != "ok" || refusalReported(p, app, file) {
				p.Doubt(app.Key, "")
				continue
			}
			if v, _ := app.Fact("declared.twice"); v.IsTrue() {
				continue
			}
			if found := newDrift(app, shortTold(p, app)).found(); len(found) > 0 {
				p.Report(driftReport(app, of, file, found))
			}
		}
	},
}

// A difference is one setting that runs with another value than it is declared with.
type difference struct {
	name            string // of the setting, or "env NAME"
	declared, runs  string // as shown; empty for what is secret
	minor, recreate bool   // of little consequence; a restart by file does not mend it
}

func driftReport(app, of *snapshot.Item, file string, found []difference) audit.Report {
	r := audit.Report{Item: app.Key, At: at(app), Severity: audit.Low}
	var names []string
	recreate := false
	for _, d := range found {
		names = append(names, strings.Replace(d.name, "instances", "number of instances", 1))
		recreate = recreate || d.recreate
		if !d.minor {
			r.Severity = audit.Medium
		}
		value := "the file says another value than the process runs with"
		switch {
		case d.runs == missing:
			value = "the file sets it, the process does not have it"
		case d.declared != "" || d.runs != "":
			value = fmt.Sprintf("the file says %s, the process runs with %s", orNothing(d.declared), orNothing(d.runs))
		}
		r.Evidence = append(r.Evidence, audit.Evidence{Name: d.name, Value: value})
	}
	r.Message = fmt.Sprintf("%s runs with another %s than %s declares", app.Name, list(names), file)
	if d := found[0]; len(found) == 1 && !strings.HasSuffix(d.name, "args") && d.runs != missing && d.declared+d.runs != "" {
		r.Message = fmt.Sprintf("%s runs with another %s (%s) than %s declares (%s)", app.Name, names[0], orNothing(d.runs), file, orNothing(d.declared))
	}
	name := strings.TrimPrefix(app.Name, text(app, "namespace")+":")
	only := " --only " + name
	if !plainName().MatchString(name) {
		only = ""
	}
	r.Hint = fmt.Sprintf("From the project's root: `pm2 restart %s%s --update-env`, then `pm2 save`; or correct the file.", file, only)
	if recreate && only != "" {
		r.Hint = fmt.Sprintf("A restart keeps these settings. From the project's root: `pm2 delete %s`, `pm2 start %s%s`, then `pm2 save`; or correct the file.", name, file, only)
	}
	if v, _ := of.Fact("reads"); len(v.Strings()) > 0 {
		r.Confidence, r.Severity = audit.Guess, audit.Low
		r.Evidence = append(r.Evidence, audit.Evidence{Name: "the file reads", Value: strings.Join(v.Strings(), ", ")})
	}
	return r
}

func orNothing(s string) string {
	if s == "" {
		return "nothing"
	}
	return s
}
