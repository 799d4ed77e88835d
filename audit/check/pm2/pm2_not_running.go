package pm2

import (
	"fmt"
	"slices"

	"healthaudit/audit"
	"healthaudit/snapshot"
)

// NotRunning finds apps that should run and do not.
var NotRunning = &audit.Check{
	ID: "pm2-not-running", System: "pm2", Title: "app does not run", Severity: audit.High,
	Doc: "An app that an ecosystem file declares and that PM2 does not list was never started, or was deleted and forgotten. " +
		"One that is stopped although PM2 should keep it running was stopped by someone. An app with `autorestart: false` or `autostart: false`, " +
		"or with the exit code it may end with, has a right to be stopped.",
	Hint:          "Start it: `pm2 start FILE --only NAME` from the project's root, then `pm2 save`. If it is no longer needed, take it out of the file.",
	Discriminator: "none: one finding per app",
	Source:        "https://github.com/Unitech/pm2 lib/API.js _startJson: declared and running apps are matched by name",
	Judge: func(p *audit.Pass) {
		for _, app := range apps(p) {
			d := daemon(p, app)
			if d == nil || d.State != alive {
				continue // pm2-daemon-down says it once for all apps
			}
			r := audit.Report{Item: app.Key, At: at(app)}
			switch file := text(app, "declared.file"); {
			case app.State == notRunning && file != "":
				r.Message = fmt.Sprintf("%s declares %s, but PM2 does not list it", file, app.Name)
				if isFalse(app, "declared.autostart") {
					r.Severity = audit.Medium
				}
			case app.State == notRunning:
				r.Message = fmt.Sprintf("%s stands in PM2's dump, but PM2 does not list it: the next `pm2 save` forgets it", app.Name)
				r.Severity = audit.Medium
				r.Hint = "Run `pm2 resurrect` to bring it back, or `pm2 save` if it was deleted on purpose."
			case app.State == "stopped" && !mayStop(p, app):
				r.Message = fmt.Sprintf("%s is stopped, although PM2 is to keep it running", app.Name)
				r.Severity = audit.Medium
				r.Hint = fmt.Sprintf("If that is not on purpose: `pm2 restart %s`.", app.Name)
			default:
				continue
			}
			p.Report(r)
		}
	},
}

func isFalse(it *snapshot.Item, fact string) bool {
	v, ok := it.Fact(fact)
	b, isBool := v.Any().(bool)
	return ok && isBool && !b
}

// mayStop reports whether an app is stopped by its own configuration: started
// only on demand, finished, or ended with a code that it may end with.
func mayStop(p *audit.Pass, app *snapshot.Item) bool {
	if isFalse(app, "autorestart") || isFalse(app, "autostart") {
		return true
	}
	codes, ok := app.Fact("stop_exit_codes")
	if !ok {
		return false
	}
	allowed := codes.Strings()
	if n, isNumber := codes.Num(); isNumber {
		allowed = []string{snapshot.Number(n).Str()}
	}
	return !slices.ContainsFunc(instances(p, app), func(it *snapshot.Item) bool {
		return it.State == "stopped" && !slices.Contains(allowed, text(it, "exit_code"))
	})
}
