package pm2

import (
	"path"
	"path/filepath"

	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/refs"
)

// ghostState is the state of an app that PM2 calls online and that has no process.
const ghostState = "ghost"

// absentState is the state of an app that PM2 does not list.
const absentState = "not-running"

// badness orders states: an app of several processes is as bad as its worst.
var badness = map[string]int{
	"online": 1, "one-launch-status": 2, "launching": 3, "stopping": 4, "stopped": 5, "waiting restart": 6, ghostState: 7, "errored": 8,
}

func stateOf(p *process, h *home) string {
	if h.daemon.ghost(p) {
		return ghostState
	}
	if _, known := badness[p.Status]; !known {
		return clip(p.Status)
	}
	return p.Status
}

func (b *builder) state(a *app) string {
	if a.home == nil || !a.home.listed() {
		return ""
	}
	worst, state := 0, absentState
	for i := range a.procs {
		s := stateOf(&a.procs[i], a.home)
		n, known := badness[s]
		if !known {
			n = 6
		}
		if n > worst {
			worst, state = n, s
		}
	}
	return state
}

// processFacts adds what belongs to one process: facts that move, and metrics.
//
// created and age (milliseconds since 1970, seconds) are of the last commanded
// start: PM2 sets created_at on every start that someone asked for, and never
// when it starts a crashed app again.
func (b *builder) processFacts(it *snapshot.Item, p *process, h *home) {
	for name, n := range map[string]int{"pid": p.PID, "pm_id": p.PMID} {
		it.Add(snapshot.Volatile, name, snapshot.Number(n))
	}
	if p.ExitCode != "" {
		it.Add(snapshot.Volatile, "exit_code", snapshot.Text(clip(p.ExitCode)))
	}
	if p.Node != "" {
		it.Add(snapshot.Volatile, "node_version", snapshot.Text(clip(p.Node)))
	}
	if p.Version != "" && p.Version != "N/A" {
		it.Add(snapshot.Volatile, "version", snapshot.Text(clip(p.Version)))
	}
	app := p.UniqueID + "@" + h.daemon.born
	it.Metrics = append(it.Metrics,
		snapshot.Metric{Name: "restarts", Value: p.Restarts, Counter: true, Incarnation: app})
	if p.Created > 0 {
		it.Metrics = append(it.Metrics,
			snapshot.Metric{Name: "created", Value: p.Created, Incarnation: app},
			snapshot.Metric{Name: "age", Value: sinceMillis(h.daemon.now, p.Created).Seconds(), Incarnation: app})
	}
	b.crashFacts(it, p, h, app)
	if p.Status == "online" && !h.daemon.ghost(p) {
		b.usage(it, p, h, app)
	}
}

// runningRefs says what a running app that nothing declares starts.
func (b *builder) runningRefs(p *process) []snapshot.Ref {
	dir, err := filepath.Rel(b.s.Host.Root(), p.Cwd)
	if err != nil || !filepath.IsLocal(dir) {
		return nil
	}
	o := refs.Origin{Dir: filepath.ToSlash(dir), Where: p.Name}
	if line := commandLine(p.Args); line != "" {
		return refs.Command(line, o)
	}
	if rel, err := filepath.Rel(b.s.Host.Root(), p.ExecPath); err == nil && filepath.IsLocal(rel) {
		return []snapshot.Ref{{Kind: snapshot.RefFile, Path: filepath.ToSlash(rel), Where: p.Name}}
	}
	return refs.Argv(append([]string{path.Base(filepath.ToSlash(p.ExecPath))}, p.Args...), o)
}

func (b *builder) schedule(it *snapshot.Item, a *app) {
	running := ""
	if len(a.procs) > 0 {
		running = a.procs[0].setting("cron_restart")
	}
	sched := snapshot.Schedule{Dialect: "pm2", Expression: running}
	switch {
	case running != "" && running != "0":
		sched.Effective = true
	case a.declared == nil || a.declared.Cron == "":
		return
	default:
		sched.Expression = a.declared.Cron
		sched.Why = "PM2 does not run the app with this schedule"
		if a.home == nil {
			sched.Why = noHome
		}
	}
	if a.declared != nil && a.declared.Cron == sched.Expression {
		sched.Path, sched.Line = a.decl.path, a.declared.Line
	}
	it.Schedules = []snapshot.Schedule{sched}
}
