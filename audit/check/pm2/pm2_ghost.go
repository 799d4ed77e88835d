package pm2

import (
	"fmt"

	"healthaudit/audit"
	"healthaudit/snapshot"
)

// Ghost finds apps that PM2 calls online and that have no process.
var Ghost = &audit.Check{
	ID: "pm2-ghost", System: "pm2", Title: "online without a process", Severity: audit.High,
	Doc: "When the working folder, the interpreter or the script of an app is gone, or the script may not be executed, PM2 cannot start it at all, and calls it `online` all the same. " +
		"It does not try again. Worse, PM2 then fails to measure every other app too: memory and CPU of all read 0, and `max_memory_restart` fires for none of them. " +
		"audit looks for the process itself, and does not take another one for it that has its pid by now.",
	Hint:          "See the end of pm2.log in PM2_HOME (\"spawn … ENOENT\" or \"EACCES\"), restore what is missing, then `pm2 restart NAME`.",
	Discriminator: "none: one finding per app",
	Source:        "https://github.com/Unitech/pm2 lib/God/ActionMethods.js getMonitorData; issues 5496, 5671, 6134",
	Judge: func(p *audit.Pass) {
		processes := instances(p)
		for _, app := range apps(p) {
			ghosts, all := processes.in(app, ghost)
			n := len(ghosts)
			if n == 0 || !watched(p, app) {
				continue
			}
			r := audit.Report{
				Item: app.Key, At: at(app),
				Message: fmt.Sprintf("PM2 calls %s online, but %s no process", subject(app, n, all), plural(n, all, "there is", "they have")),
				Hint: fmt.Sprintf("See the end of pm2.log in PM2_HOME (\"spawn … ENOENT\" or \"EACCES\"), restore what is missing, then %s.",
					command("restart", app)),
			}
			for _, what := range goneOf(p, app) {
				if why := whyGhost[what]; why != "" {
					r.Message += ": " + why
					break
				}
			}
			switch n := metric(daemon(p, app), "unmeasured"); {
			case n == 1:
				r.Message += "; because of it PM2 reads no memory of 1 other process, and max_memory_restart does not fire for it"
			case n > 1:
				r.Message += fmt.Sprintf("; because of it PM2 reads no memory of %.0f other processes, and max_memory_restart fires for none of them", n)
			}
			p.Report(r)
		}
	},
}

// whyGhost says why an app has no process, by what the collector misses.
var whyGhost = map[string]string{
	"cwd":         "its working folder is gone",
	"script":      "its script is gone",
	"interpreter": "its interpreter is gone",
}

// blind reports whether PM2 fails to measure the apps of a daemon, and a ghost
// is why.
func blind(p *audit.Pass, app *snapshot.Item, processes crowd) bool {
	d := daemon(p, app)
	if d == nil || metric(d, "unmeasured") == 0 {
		return false
	}
	for _, other := range apps(p) {
		if ghosts, _ := processes.in(other, ghost); len(ghosts) > 0 && daemon(p, other) == d {
			return true
		}
	}
	return false
}
