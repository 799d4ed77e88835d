package pm2

import (
	"fmt"

	"healthaudit/audit"
)

// DaemonStale finds daemons whose program on disk is another one, or gone.
var DaemonStale = &audit.Check{
	ID: "pm2-daemon-stale", System: "pm2", Title: "PM2 daemon is older than PM2", Severity: audit.Low,
	Doc: "A daemon runs on after PM2 or node was updated. It starts every app with files of the package it came from: if that is gone (nvm keeps one beside each version of node), " +
		"the apps that run go on, and none can be started again. If it is only another version, the next pm2 command complains, and mended errors are still there.",
	Hint:          "Run `pm2 update` as the user who owns the apps, at a quiet hour: it restarts every app.",
	Discriminator: "\"pm2\" for the package, \"node\" for the program that runs it",
	Source:        "https://github.com/Unitech/pm2 lib/God/ForkMode.js ProcessContainerFork.js, lib/Client.js; proc_pid_exe(5)",
	Judge: func(p *audit.Pass) {
		for _, d := range daemons(p) {
			if d.State != alive {
				p.Doubt(d.Key, "pm2")
				p.Doubt(d.Key, "node")
				continue
			}
			version, installed := text(d, "version"), text(d, "installed")
			switch {
			case installed == "":
				p.Doubt(d.Key, "pm2")
			case installed == "gone":
				p.Report(audit.Report{
					Item: d.Key, Discriminator: "pm2", Severity: audit.High, Title: "PM2 is gone under its daemon", Confidence: audit.Likely,
					Message: fmt.Sprintf("the node of the running PM2 daemon (version %s) was deleted with all that was installed beside it: Node apps cannot be started again when they crash or are restarted", version),
					Hint:    "Install PM2 again for the node in use (`npm install -g pm2`), then run `pm2 update` as the user who owns the apps at a quiet hour, and write the unit again with `pm2 startup`.",
				})
			case installed != version:
				r := audit.Report{
					Item: d.Key, Discriminator: "pm2",
					Message: fmt.Sprintf("the PM2 daemon runs version %s, and version %s is installed", version, installed),
				}
				if v, _ := d.Fact("installed.on-path"); v.IsTrue() {
					r.Confidence = audit.Likely
					r.Message = fmt.Sprintf("the PM2 daemon runs version %s, and the pm2 on the PATH of audit is version %s", version, installed)
				}
				p.Report(r)
			}
			switch text(d, "program") {
			case "":
				p.Doubt(d.Key, "node")
			case "deleted":
				if installed == "gone" {
					continue // said already
				}
				p.Report(audit.Report{
					Item: d.Key, Discriminator: "node", Severity: audit.Medium, Title: "node is gone under the PM2 daemon",
					Message: "the node that runs the PM2 daemon was deleted: cluster workers cannot be started again",
					Hint:    "Run `pm2 update` with the node in use as the user who owns the apps, at a quiet hour (it restarts every app), then `pm2 startup` to write the unit again.",
				})
			case "replaced":
				p.Report(audit.Report{
					Item: d.Key, Discriminator: "node", Title: "node was replaced under the PM2 daemon",
					Message: "the node that runs the PM2 daemon was replaced by another one: the daemon and the apps run different versions from the next restart on",
				})
			}
		}
	},
}
