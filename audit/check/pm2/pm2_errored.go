package pm2

import (
	"fmt"
	"strings"

	"healthaudit/audit"
	"healthaudit/snapshot"
)

// Errored finds apps that PM2 has given up.
var Errored = &audit.Check{
	ID: "pm2-errored", System: "pm2", Title: "PM2 gave the app up", Severity: audit.High,
	Doc: "An app that crashes too fast too often (by default 16 times, each within a second of its start) becomes `errored`: " +
		"PM2 never starts it again. After that its count of unstable restarts reads 0, so the status is the only trace.",
	Hint:          "Read the end of its error log (`pm2 logs NAME --err --lines 50`), mend the cause, then `pm2 restart NAME`.",
	Discriminator: "none: one finding per app",
	Source:        "https://github.com/Unitech/pm2 lib/God.js handleExit",
	Judge: func(p *audit.Pass) {
		processes := instances(p)
		for _, app := range apps(p) {
			bad, all := processes.in(app, "errored")
			if len(bad) == 0 {
				continue
			}
			again := command("restart", app)
			if ids := numbersOf(bad); len(bad) < all && ids != "" {
				again = "`pm2 restart " + ids + "`" // by the name it would take down those that are well too
			}
			r := audit.Report{
				Item: app.Key, At: at(app), Message: fmt.Sprintf("PM2 gave %s up after too many crashes and will not start it again", app.Name),
				Hint: fmt.Sprintf("Read the end of its error log (%s), mend the cause, then %s.", command("logs", app, "--err", "--lines", "50"), again),
			}
			if all > 1 {
				r.Message = fmt.Sprintf("PM2 gave up %d of %d instances of %s after too many crashes and will not start them again", len(bad), all, app.Name)
			}
			if code := text(bad[0], "exit_code"); code != "" && code != "0" {
				r.Evidence = append(r.Evidence, audit.Evidence{Name: "exit code", Value: code})
			}
			p.Report(r)
		}
	},
}

// numbersOf returns the ids by which PM2 knows processes, for a command; "" when
// one of them is not known.
func numbersOf(processes []*snapshot.Item) string {
	var ids []string
	for _, it := range processes {
		id := text(it, "pm_id")
		if id == "" {
			return ""
		}
		ids = append(ids, id)
	}
	return strings.Join(ids, " ")
}
