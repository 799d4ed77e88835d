package pm2

import (
	"cmp"
	"fmt"
	"strings"

	"healthaudit/audit"
	"healthaudit/snapshot"
)

// DaemonDown finds PM2 daemons that no longer supervise their apps.
var DaemonDown = &audit.Check{
	ID: "pm2-daemon-down", System: "pm2", Title: "PM2 daemon is down", Severity: audit.Critical, Version: 2,
	Doc: "Without its daemon PM2 restarts nothing, and apps that Node runs die with it within a second. Every pm2 command, even `pm2 list`, " +
		"would start a new and empty daemon and so hide what happened; audit looks at socket, pid file and process table instead. " +
		"A daemon that nobody ended is down even where nothing is known that it should run; what it ran is known from the last run. " +
		"What outlived it (silent programs that are no Node do) is named: whoever brings the saved list back starts that a second time. Where not all pid files can be read the hint says to look first.",
	Hint:          resurrect,
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
			if !ok || apps == 0 && d.idle == 0 {
				continue
			}
			r := audit.Report{
				Item: it.Key, Severity: d.severity, At: at(it), Hint: strings.ReplaceAll(d.hint, "PID", cmp.Or(text(it, "pid"), "PID")),
				Message:  fmt.Sprintf("%s; %s", d.what, affected(int(apps))),
				Evidence: []audit.Evidence{{Name: "state", Value: it.State}},
			}
			if apps == 0 {
				r.Severity = d.idle
			}
			if hint := withoutDump[text(it, "dump")]; d.hint == "" && hint != "" {
				r.Hint = hint
			}
			surviving(it, &r)
			if pids := text(it, "pids"); pids != "" {
				r.Evidence = append(r.Evidence, audit.Evidence{Name: "pids", Value: pids})
			}
			p.Report(r)
		}
	},
}

const resurrect = "See the end of pm2.log, then run `pm2 resurrect` as the user who owns the apps, and `pm2 startup` so that a reboot does it."

// A down is one way in which a daemon fails its apps.
type down struct {
	severity audit.Severity
	idle     audit.Severity // the severity when nothing is known that should run; 0: then it is no finding
	what     string
	hint     string // PID stands for that of the daemon
}

// No hint makes anyone start a second daemon beside one that runs.
var downs = map[string]down{
	"crashed":      {severity: audit.Critical, idle: audit.High, what: "the PM2 daemon was killed: its pid file is left, its process is gone"},
	"stale-socket": {severity: audit.Critical, idle: audit.High, what: "the PM2 daemon ended and nobody started it again: its socket is left, its process is gone"},
	"orphaned": {severity: audit.Critical, idle: audit.Critical, what: "the PM2 daemon runs, but its socket is gone: nobody can reach it, and the next pm2 command starts a second one",
		hint: "Run no pm2 command while it runs. End it by its pid (`kill PID`: it saves its list and ends its apps) and audit again, which then says how to go on; keep PM2_HOME out of folders that are cleaned."},
	"two-daemons": {severity: audit.Critical, idle: audit.Critical, what: "two PM2 daemons run for one home: pm2 reaches only one of them, and the apps of the other are watched by nobody",
		hint: "Run no pm2 command that starts anything. See which of the two has no apps (`ps --ppid` with each pid), end that one with `kill -9` (a plain kill would have it overwrite the dump with its empty list), and audit again."},
	"hung": {severity: audit.High, idle: audit.High, what: "the PM2 daemon accepts connections but does not answer: nothing is restarted while it hangs",
		hint: "See the end of pm2.log and the load of the machine; pm2 itself waits for the daemon as well. If it stays so, run `kill -9 PID` and then `pm2 resurrect` as the user who owns the apps: every app restarts."},
	notRunning: {severity: audit.High, what: "no PM2 daemon runs",
		hint: "Run `pm2 resurrect` (or start the ecosystem file) as the user who owns the apps. If PM2 is no longer used here, empty its dump and remove the file."},
}

// withoutDump is what to do where pm2 resurrect has nothing to start, by what
// the dump is.
var withoutDump = map[string]string{
	"absent": "See the end of pm2.log. Nobody ever ran `pm2 save`, so there is nothing to resurrect: start the apps as they were started before, then run `pm2 save` and `pm2 startup`.",
	"empty":  "See the end of pm2.log. The saved list is empty, so there is nothing to resurrect: start the apps as they were started before, then run `pm2 save` and `pm2 startup`.",
	"torn":   "See the end of pm2.log. dump.pm2 cannot be read, and `pm2 resurrect` deletes it: copy it and dump.pm2.bak first, then run `pm2 resurrect` as the user who owns the apps, which takes the latter.",
}

// surviving says of a daemon that is gone what still runs without it, and would be
// started once more by whoever brings it back.
func surviving(d *snapshot.Item, r *audit.Report) {
	v, _ := d.Fact("survivors")
	unread, _ := d.Fact("survivors.unread")
	still := v.Strings()
	if len(still) > 0 {
		runs := "still runs"
		if len(still) > 1 {
			runs = "still run"
		}
		r.Message += fmt.Sprintf("; %s %s without it", list(still), runs)
	}
	first := ""
	switch {
	case len(still) > 0 && unread.IsTrue():
		first = "First end what still runs without it (`kill` with each pid), and look with `ps -ef` for more, for not all pid files can be read: else it runs twice. "
	case len(still) > 0:
		first = "First end what still runs without it (`kill` with each pid): else it runs twice. "
	case unread.IsTrue():
		first = "Look first what still runs (`ps -ef`), for not all pid files can be read: else it runs twice. "
	}
	if first != "" {
		r.Hint = first + cmp.Or(r.Hint, resurrect)
	}
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
