package pm2

import (
	"fmt"
	"slices"
	"strings"

	"healthaudit/audit"
)

// Killed finds apps that were ended by a signal.
var Killed = &audit.Check{
	ID: "pm2-killed", System: "pm2", Title: "app was killed by a signal", Severity: audit.Medium,
	Doc: "A process that a signal ends leaves exit code 0 in PM2's list, as if all were well; only PM2's own log names the signal. SIGKILL that PM2 did not send comes from the kernel when memory runs out " +
		"(of the machine, or of the container), or from a person; SIGABRT is mostly Node at the end of its heap; the others are faults of native code. " +
		"What PM2 itself ends, for a stop, restart, reload or memory limit, does not count, nor does SIGTERM. Counted are the last 24 hours.",
	Hint:          "See whether the kernel did it: `journalctl -k | grep -i 'out of memory'` (or `dmesg -T`). If so, give the machine memory, or the app a `max_memory_restart` below what is there.",
	Discriminator: "none: one finding per app",
	Source:        "https://github.com/Unitech/pm2 lib/God.js handleExit; signal(7)",
	Limits:        []audit.Limit{{Name: "often", Default: 3, Unit: "times a day", Doc: "from so many on it is of high severity"}},
	Judge: func(p *audit.Pass) {
		for _, app := range apps(p) {
			n, ok := known(app, "killed")
			if !ok {
				if !logged(p, app) {
					p.Doubt(app.Key, "")
				}
				continue
			}
			last, _ := known(app, "killed.last")
			v, _ := app.Fact("killed.by")
			signals := v.Strings()
			r := audit.Report{
				Item: app.Key, At: at(app), Confidence: audit.Likely,
				Message: fmt.Sprintf("%s was killed %s in the last 24 hours by %s that PM2 did not send, last at %s", app.Name, times(n), strings.Join(signals, " and "), when(last)),
			}
			if n >= p.Limit("often") {
				r.Severity = audit.High
			}
			if !slices.Contains(signals, "SIGKILL") {
				r.Hint = fmt.Sprintf("Read the end of its error log (%s): Node says there when its heap is full (raise `--max-old-space-size` or find the leak); else suspect a native module.", command("logs", app, "--err", "--lines", "100"))
			}
			p.Report(r)
		}
	},
}
