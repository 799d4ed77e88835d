package pm2

import (
	"encoding/json"
	"slices"
	"strings"

	"healthaudit/snapshot"
	"healthaudit/snapshot/collect"
)

// around is what surrounds the apps of one home: what its files and the machine
// say, beside the daemon itself.
type around struct {
	boot      boot
	installed string // version of PM2 on disk; "gone", or "" unknown: see installed
	onPath    bool   // installed is that of the pm2 on PATH
	program   string // what became of the daemon's own program: "ok", "replaced", "deleted"; "" unknown
	readable  []string
	saved     int64 // milliseconds since 1970 of the last change of dump.pm2; 0 unknown
	logs      logs
}

// surround reads what surrounds the apps of every home that is looked at.
func (b *builder) surround() {
	b.logged = b.logCursors()
	for i := range b.homes {
		h := &b.homes[i]
		if h.unseen != "" {
			continue
		}
		dir, err := b.s.Host.Outside(h.path)
		if err != nil {
			continue
		}
		h.around.boot = b.readBoot(h)
		h.around.program = daemonProgram(b.s.Host, &h.daemon)
		if h.daemon.state == alive {
			h.around.installed, h.around.onPath = installed(b.s.Host, &h.daemon)
		}
		h.around.readable = exposed(b.s.Host, h, dir)
		if st, err := dir.Stat("dump.pm2"); err == nil {
			h.around.saved = st.MTime / 1e6
		}
		h.around.logs = b.readLogs(h, dir, b.logged[h.path])
		dir.Close()
	}
}

// aroundDaemon adds what surrounds the apps of a home to the item of its daemon.
func (b *builder) aroundDaemon(it *snapshot.Item, h *home) {
	r := &h.around
	r.boot.facts(it)
	for name, v := range map[string]string{"installed": r.installed, "program": r.program} {
		if v != "" {
			it.Add(snapshot.Volatile, name, snapshot.Text(clip(v)))
		}
	}
	if r.installed != "" && r.onPath {
		it.Add(snapshot.Volatile, "installed.on-path", snapshot.Bool(true))
	}
	if len(r.readable) > 0 {
		it.Add(snapshot.Set, "readable", snapshot.SetOf(r.readable...))
	}
	if r.saved > 0 {
		it.Add(snapshot.Volatile, "dump.saved", snapshot.Number(r.saved))
	}
	r.logs.daemonFacts(it)
}

// aroundApp adds what surrounds a running app to its item.
func (b *builder) aroundApp(it *snapshot.Item, a *app) {
	p := &a.procs[0]
	if !slices.ContainsFunc(a.procs, func(q process) bool { return q.Port != p.Port }) && p.Port > 0 {
		it.Add(snapshot.Volatile, "PORT", snapshot.Number(p.Port))
	}
	h := a.home
	if h.daemon.state == alive && h.unread == nil && h.torn == "" && !p.Module {
		if d := differs(a); len(d) > 0 {
			it.Add(snapshot.Volatile, "dump.differs", snapshot.SetOf(d...))
		}
	}
	h.around.logs.appFacts(b, it, a)
	if !isMany(a.procs) {
		b.logSizes(it, p, h)
	}
	b.portFacts(it, a)
}

// differs tells in what an app would come back different from the dump: in its
// script, folder or arguments, in the number of its processes, or in whether it
// runs at all. An app that stands in no dump has its fact in-dump.
func differs(a *app) (out []string) {
	if !a.inDump {
		return nil
	}
	if len(a.procs) != len(a.dumped) {
		out = append(out, "processes")
	}
	for _, c := range []struct {
		what   string
		of     func(*process) string
		dumped func(*dumped) string
	}{
		{"script", func(p *process) string { return p.ExecPath }, func(d *dumped) string { return d.ExecPath }},
		{"folder", func(p *process) string { return p.Cwd }, func(d *dumped) string { return d.Cwd }},
		{"arguments", func(p *process) string { return strings.Join(p.Args, "\x00") }, func(d *dumped) string { return strings.Join(d.Args, "\x00") }},
	} {
		run, saved := map[string]bool{}, map[string]bool{}
		for i := range a.procs {
			run[c.of(&a.procs[i])] = true
		}
		for i := range a.dumped {
			saved[c.dumped(&a.dumped[i])] = true
		}
		for v := range run {
			if !saved[v] {
				out = append(out, c.what)
				break
			}
		}
	}
	runs := slices.ContainsFunc(a.procs, func(p process) bool { return p.Status == "online" })
	meant := slices.ContainsFunc(a.dumped, func(d dumped) bool { return d.Status != "stopped" })
	halted := !slices.ContainsFunc(a.procs, func(p process) bool { return p.Status != "stopped" })
	switch {
	case runs && !meant:
		out = append(out, "saved as stopped")
	case halted && meant && a.procs[0].setting("autorestart") != "false":
		out = append(out, "saved as running")
	}
	return out
}

// logsCursor keeps, by home, how far its logs were read.
const logsCursor = "logs"

func (b *builder) logCursors() map[string]logCursor {
	var m map[string]logCursor
	if b.s.Cursors != nil {
		_ = json.Unmarshal(b.s.Cursors(snapshot.PM2, logsCursor), &m) // none, or of another version
	}
	return m
}

// keepLogs keeps the cursors of the logs; those of a home that is not looked at
// today stay as they are.
func (b *builder) keepLogs(r *collect.Result) {
	now := map[string]logCursor{}
	for i := range b.homes {
		h := &b.homes[i]
		c, had := b.logged[h.path]
		if h.around.logs.read {
			c, had = h.around.logs.next, true
		}
		if had {
			now[h.path] = c
		}
	}
	text, err := json.Marshal(now)
	if err != nil || len(now) == 0 {
		return
	}
	r.Cursors[logsCursor] = text
}
