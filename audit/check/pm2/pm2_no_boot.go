package pm2

import (
	"fmt"
	"strings"

	"healthaudit/audit"
	"healthaudit/snapshot"
)

// NoBoot finds homes whose apps a reboot would not bring back.
var NoBoot = &audit.Check{
	ID: "pm2-no-boot", System: "pm2", Title: "apps do not survive a reboot", Severity: audit.High,
	Doc: "PM2 comes back after a reboot only by a unit that `pm2 startup` writes, and starts what `pm2 save` saved. The unit names the program, the node and the user of the day it was written: " +
		"an update of node by nvm, or a user who is gone, breaks it without a word until the machine starts again. Units, crontabs and init scripts are read, never run. " +
		"Where systemd does not run (a container, another platform) nothing is said.",
	Hint:          "Run `pm2 startup` as the user who owns the apps, then the command that it prints, then `pm2 save`.",
	Discriminator: "none: one finding per daemon",
	Source:        "https://github.com/Unitech/pm2 lib/API/Startup.js, lib/templates/init-scripts/systemd.tpl; systemd.exec(5), sd_booted(3)",
	Judge: func(p *audit.Pass) {
		all := byDaemon(p)
		for _, d := range daemons(p) {
			how := text(d, "boot")
			running := listedApps(all[d.Key])
			if how == "" || d.State != alive {
				p.Doubt(d.Key, "")
				continue
			}
			if len(running) == 0 {
				continue
			}
			if r, ok := bootFault(d, how, running); ok {
				p.Report(r)
			}
		}
	},
}

func bootFault(d *snapshot.Item, how string, running []string) (audit.Report, bool) {
	r := audit.Report{Item: d.Key}
	unit, dump := text(d, "boot.unit"), text(d, "dump")
	again := fmt.Sprintf("Write the unit again as the user who owns the apps: `pm2 unstartup`, then `pm2 startup` and the command that it prints. `systemctl cat %s` shows what it says now.", unit)
	switch {
	case how == "none" && dump == "ok":
		r.Severity, r.Message = audit.Medium, fmt.Sprintf("nothing starts PM2 when the machine starts: %s will not run after a reboot, although a list is saved", list(running))
		if v, ok := d.Fact("boot.elsewhere"); ok {
			r.Message += ". The unit that is there starts another PM2 home: " + strings.Join(v.Strings(), ", ")
		}
		if v, _ := d.Fact("boot.unsure"); v.IsTrue() {
			r.Confidence = audit.Likely
			r.Hint = "Run `pm2 startup` as the user who owns the apps, then the command that it prints. If a crontab of another user starts them (it cannot be read), waive this."
		}
	case how != "unit":
		return r, false
	case text(d, "boot.no-program") != "":
		r.Message, r.Hint = fmt.Sprintf("%s is to run %s, which is not there (an update of node?): no app will run after a reboot", unit, text(d, "boot.no-program")), again
	case text(d, "boot.no-node") != "":
		r.Message, r.Hint = fmt.Sprintf("%s finds no node on its PATH (an update of node?): no app will run after a reboot", unit), again
	case text(d, "boot.no-user") != "":
		r.Message, r.Hint = fmt.Sprintf("%s runs as the user %s, who does not exist: no app will run after a reboot", unit, text(d, "boot.no-user")), again
	case text(d, "boot.no-link") != "":
		r.Message = fmt.Sprintf("%s is not enabled: no app will run after a reboot", unit)
		r.Hint = fmt.Sprintf("Run `systemctl enable %s` as root (it changes nothing that runs).", strings.TrimSuffix(unit, ".service"))
	case dump == "absent" || dump == "empty":
		r.Message = fmt.Sprintf("%s starts PM2 at boot, but the saved list is %s: none of %s will run after a reboot", unit, dump, list(running))
		r.Hint = "Run `pm2 save` as the user who owns the apps, when `pm2 list` shows all that should run."
	default:
		return r, false
	}
	return r, true
}
