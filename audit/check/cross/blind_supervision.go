package cross

import (
	"healthaudit/audit"
	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/refs"
	"healthaudit/snapshot/analyze/trait"
)

// BlindSupervision reports PM2 apps that are a shell with a loop of its own.
var BlindSupervision = &audit.Check{
	ID:       "cross-blind-supervision",
	Needs:    []snapshot.System{snapshot.PM2, snapshot.Scripts},
	Title:    "PM2 watches only a shell",
	Severity: audit.Medium,
	Doc: "The app is a shell with an endless loop (`bash -lc 'while true; do …; done'`, or a script that is one). PM2 supervises the shell: it is online for ever, whatever becomes of the " +
		"work in the loop, its restarts count nothing, its memory limit is that of the shell, and what crashes is started again without any trace.",
	Hint:          "Give the work itself to PM2 as an app of its own: `cron_restart` with `autorestart: false` for what runs now and then, `restart_delay` for what shall be started again.",
	Discriminator: "none: one finding for each app",
	Source:        "https://pm2.keymetrics.io/docs/usage/restart-strategies/; measured: the apps of one repository are such loops",
	Still:         true,
	Judge:         judgeBlindSupervision,
}

func judgeBlindSupervision(p *audit.Pass) {
	index, table := marksOf(p), refs.NewTable(p.Now, p.Derived)
	for _, it := range p.Now.Of(snapshot.PM2) {
		if it.Carried || it.Kind != "app" {
			continue
		}
		r := audit.Report{Item: it.Key, At: audit.Location{Path: it.Path, Line: it.Line}}
		if m, ok := index.First(it, trait.Forever); ok {
			if it.Path != "" {
				r.At = at(it, m)
			}
			r.Message = what(it) + " is a shell with a loop without end: PM2 sees the shell, and nothing of what the loop runs"
			p.Report(r)
			continue
		}
		for _, ref := range it.Refs.All() {
			script := p.Now.Item(table.Resolve(ref).Item)
			if ref.Kind != snapshot.RefFile || script == nil {
				continue
			}
			language, _ := script.Fact("language")
			if m, ok := index.First(script, trait.Forever); ok && language.Str() == "shell" {
				r.At = at(script, m)
				r.Message = what(it) + " is " + script.Path + ", a loop without end: PM2 sees the shell, and nothing of what the loop runs"
				p.Report(r)
				break
			}
		}
	}
}
