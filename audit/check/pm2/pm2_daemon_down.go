package pm2

import (
	"fmt"

	"healthaudit/audit"
)

// DaemonDown finds PM2 daemons that no longer supervise their apps.
var DaemonDown = &audit.Check{
	ID: "pm2-daemon-down", System: "pm2", Title: "PM2 daemon is down", Severity: audit.Critical,
	Doc: "Without its daemon PM2 restarts nothing, and apps that Node runs die with it within a second. Every pm2 command, even `pm2 list`, " +
		"would start a new and empty daemon and so hide what happened; audit looks at socket, pid file and process table instead.",
	Hint:          "See the end of pm2.log, then run `pm2 resurrect` as the user who owns the apps, and `pm2 startup` so that a reboot does it.",
	Discriminator: "none: one finding per daemon",
	Source:        "https://github.com/Unitech/pm2 lib/Client.js, lib/Daemon.js: who writes and removes pm2.pid and rpc.sock",
	Judge: func(p *audit.Pass) {
		for _, it := range p.Items() {
			if it.Kind != "daemon" || it.Unknown != "" {
				continue
			}
			n, _ := it.Fact("apps")
			apps, _ := n.Num()
			d, ok := downs[it.State]
			if !ok || apps == 0 && !d.always {
				continue
			}
			p.Report(audit.Report{
				Item: it.Key, Severity: d.severity, Hint: d.hint, At: at(it),
				Message:  fmt.Sprintf("%s; %s", d.what, affected(int(apps))),
				Evidence: []audit.Evidence{{Name: "state", Value: it.State}},
			})
		}
	},
}

// A down is one way in which a daemon fails its apps.
type down struct {
	severity audit.Severity
	always   bool // also when nothing is known that should run
	what     string
	hint     string
}

var downs = map[string]down{
	"crashed":      {severity: audit.Critical, what: "the PM2 daemon was killed: its pid file is left, its process is gone"},
	"stale-socket": {severity: audit.Critical, what: "the PM2 daemon ended and nobody started it again: its socket is left, its process is gone"},
	"orphaned": {severity: audit.Critical, always: true, what: "the PM2 daemon runs, but its socket is gone: nobody can reach it, and the next pm2 command starts a second one",
		hint: "Run no pm2 command. End the old daemon by its pid, then run `pm2 resurrect`; keep PM2_HOME out of folders that are cleaned."},
	"hung": {severity: audit.High, always: true, what: "the PM2 daemon accepts connections but does not answer: nothing is restarted while it hangs",
		hint: "See the end of pm2.log and the load of the machine. If it stays so, end the daemon by its pid and run `pm2 resurrect`: every app restarts."},
	notRunning: {severity: audit.High, what: "no PM2 daemon runs",
		hint: "Run `pm2 resurrect` (or start the ecosystem file) as the user who owns the apps. If PM2 is no longer used here, empty its dump and remove the file."},
}

func affected(n int) string {
	switch n {
	case 0:
		return "what it should run is not known"
	case 1:
		return "1 app should run"
	}
	return fmt.Sprintf("%d apps should run", n)
}
