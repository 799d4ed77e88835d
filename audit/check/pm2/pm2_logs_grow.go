package pm2

import (
	"fmt"
	"strings"

	"healthaudit/audit"
	"healthaudit/snapshot"
)

// LogsGrow finds logs that nothing keeps small.
var LogsGrow = &audit.Check{
	ID: "pm2-logs-grow", System: "pm2", Title: "logs grow without rotation", Severity: audit.Medium,
	Doc: "PM2 appends to its logs for ever. Unless the module pm2-logrotate or a file in /etc/logrotate.d rotates them they fill the disk, and then every app that writes fails. " +
		"Found are logs that are large already, and disks that will be full within two weeks if they grow as they did when last measured (over an hour at least).",
	Hint:          "Run `pm2 install pm2-logrotate` (then `pm2 set pm2-logrotate:max_size 50M`), or `pm2 logrotate` as root for a file of logrotate. `pm2 flush` empties the logs: copy first what you still need.",
	Discriminator: "none: one finding per daemon",
	Source:        "https://pm2.keymetrics.io/docs/usage/log-management/; https://github.com/Unitech/pm2 lib/templates/logrotate.d/pm2",
	Limits: []audit.Limit{
		{Name: "mb", Default: 500, Unit: "MB", Doc: "size from which a log that nothing rotates is too large"},
		{Name: "days", Default: 14, Unit: "days", Doc: "the disk must last so long at the growth that was measured"},
	},
	Judge: func(p *audit.Pass) {
		all, processes := byDaemon(p), instances(p)
		for _, d := range daemons(p) {
			if d.State != alive {
				p.Doubt(d.Key, "")
				continue
			}
			growing(p, d, all[d.Key], processes)
		}
	},
}

// A grown is one log and its size in bytes.
type grown struct {
	name string
	size float64
}

func growing(p *audit.Pass, d *snapshot.Item, apps []*snapshot.Item, processes crowd) {
	var biggest grown
	see := func(it *snapshot.Item, metric, name string) {
		if m, ok := it.Metric(metric); ok && m.Value > biggest.size {
			biggest = grown{name, m.Value}
		}
	}
	if v, _ := d.Fact("log.unrotated"); v.IsTrue() {
		see(d, "log.own", "pm2.log")
	}
	for _, app := range apps {
		if v, _ := app.Fact("log.unrotated"); !v.IsTrue() {
			continue
		}
		for _, it := range processes.of(app) {
			see(it, "log.out", "the output log of "+it.Name)
			see(it, "log.err", "the error log of "+it.Name)
			see(it, "log.all", "the combined log of "+it.Name)
		}
	}
	if biggest.size == 0 {
		return
	}
	rate, free := -1.0, -1.0
	if m, ok := d.Metric("logs.growth"); ok {
		rate = m.Value
	}
	if m, ok := d.Metric("disk.free"); ok {
		free = m.Value
	}
	var parts []string
	r := audit.Report{Item: d.Key}
	if biggest.size >= p.Limit("mb")*1e6 {
		parts = append(parts, fmt.Sprintf("%s has %s", biggest.name, room(biggest.size)))
	}
	if rate > 0 && free >= 0 {
		days := free / rate / 24
		r.Evidence = []audit.Evidence{{Name: "growth per hour", Value: room(rate)}, {Name: "free", Value: room(free)}}
		if days < p.Limit("days") {
			parts = append(parts, fmt.Sprintf("at %s an hour the disk is full in %s", room(rate), duration(days*24*3600)))
			if days < 2 {
				r.Severity = audit.High
			}
			if len(parts) == 1 {
				parts = append(parts, fmt.Sprintf("the largest is %s with %s", biggest.name, room(biggest.size)))
			}
		}
	}
	if len(parts) == 0 {
		return
	}
	r.Message = "nothing rotates PM2's logs: " + strings.Join(parts, "; ")
	p.Report(r)
}
