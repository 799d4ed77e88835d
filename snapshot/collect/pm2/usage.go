package pm2

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
	"time"

	"healthaudit/snapshot"
	"healthaudit/snapshot/host"
)

// children sorts processes by their parents.
func children(list []host.Process) map[int][]int {
	below := map[int][]int{}
	for _, p := range list {
		if p.PPID > 0 {
			below[p.PPID] = append(below[p.PPID], p.PID)
		}
	}
	for _, pids := range below {
		slices.Sort(pids)
	}
	return below
}

// A tree is what a process and all that it started use together.
type tree struct {
	others int           // processes but the first
	rss    int64         // bytes; pages that they share count once for each
	cpu    time.Duration // of those that live, and of those that were waited for
}

// tree adds up a process and what it started. A table of processes is read
// while it changes, so that it may seem to run in a circle.
func (d *daemon) tree(pid int) tree {
	var t tree
	seen := map[int]bool{}
	for next := []int{pid}; len(next) > 0; next = next[1:] {
		p, ok := d.procs[next[0]]
		if !ok || seen[p.PID] {
			continue
		}
		seen[p.PID] = true
		t.rss += p.RSS
		t.cpu += time.Duration(p.CPU+p.Reaped) * host.ClockTick
		next = append(next, d.below[p.PID]...)
	}
	t.others = max(len(seen)-1, 0)
	return t
}

// usage adds the metrics of an app that runs. Each begins anew with its process:
//
//	memory       bytes, of the process and of all that it started
//	memory.main  bytes of the process alone, all that PM2 looks at; when it has children
//	children     how many those are
//	cpu          seconds of processor time since its start, a counter: what two
//	             snapshots differ by, by the time between them, is the load
//	uptime       seconds since its start
//	event-loop   milliseconds of latency, 95th percentile, as a Node app measures it
func (b *builder) usage(it *snapshot.Item, p *process, h *home, app string) {
	d := &h.daemon
	proc, seen := d.procs[p.PID]
	life := app + "/" + strconv.FormatFloat(p.UptimeSince, 'f', 0, 64)
	if seen {
		life += "/" + strconv.Itoa(proc.PID) + "." + strconv.FormatUint(proc.Start, 10)
	}
	add := func(name string, v float64) {
		it.Metrics = append(it.Metrics, snapshot.Metric{Name: name, Value: v, Incarnation: life})
	}
	add("uptime", sinceMillis(d.now, p.UptimeSince).Seconds())
	if p.EventLoop > 0 {
		add("event-loop", p.EventLoop)
	}
	t := d.tree(p.PID)
	switch {
	case t.rss > 0:
		add("memory", float64(t.rss))
		it.Metrics = append(it.Metrics, b.counted(it.Key, "cpu", t.cpu.Seconds(), life, d.now))
	case p.Memory > 0:
		add("memory", float64(p.Memory))
	}
	if t.others > 0 {
		add("memory.main", float64(proc.RSS))
		add("children", float64(t.others))
	}
}

// counted makes a counter of a sum that may lose parts: the time of a child that
// outlives its parent leaves the tree. Then another series begins.
func (b *builder) counted(key snapshot.Key, name string, v float64, life string, now time.Time) snapshot.Metric {
	m := snapshot.Metric{Name: name, Value: v, Counter: true, Incarnation: life}
	old := b.s.Previous.Item(key)
	if old == nil {
		return m
	}
	was, _ := old.Metric(name)
	switch {
	case was.Incarnation != life && !strings.HasPrefix(was.Incarnation, life+"~"):
	case was.Value > v:
		m.Incarnation = life + "~" + strconv.FormatInt(now.Unix(), 10)
	default:
		m.Incarnation = was.Incarnation
	}
	return m
}

// crashFacts adds what tells one kind of crashing from another. What is 0 is
// left out:
//
//	unstable_restarts   starts in a row that failed within min_uptime
//	prev_restart_delay  milliseconds that PM2 last waited (exp_backoff_restart_delay)
//	burst               restarts that nobody asked for in a second and a half: the last one, or
//	                    on average since the last run, which saw the loop already
//	started             milliseconds since 1970 of the last start, of an app with a schedule
//	resurrected         milliseconds since 1970 of the birth of the daemon, of an app that
//	                    is older: it was resurrected
func (b *builder) crashFacts(it *snapshot.Item, p *process, h *home, app string) {
	d := &h.daemon
	add := func(name string, v float64) {
		if v > 0 {
			it.Metrics = append(it.Metrics, snapshot.Metric{Name: name, Value: v, Incarnation: app})
		}
	}
	add("unstable_restarts", p.Unstable)
	add("prev_restart_delay", p.Backoff)
	add("burst", p.Burst)
	if cron := p.setting("cron_restart"); cron != "" && cron != "0" {
		add("started", p.UptimeSince)
	}
	if birth := d.procs[d.pid].StartTime; p.Created > 0 && !birth.IsZero() && birth.Sub(time.UnixMilli(int64(p.Created))) > older {
		add("resurrected", float64(birth.UnixMilli()))
	}
}

// older is by how much an app must be older than its daemon to be resurrected:
// /proc/stat has the time of the boot in whole seconds.
const older = time.Minute

// watch adds what concerns all apps of a daemon:
//
//	unmeasured  processes that run and of which PM2 reads no memory at all
//	cpus        processors of the machine as PM2 counts them for "max"
func (b *builder) watch(it *snapshot.Item, h *home) {
	d, n := &h.daemon, 0
	for i := range d.list {
		p := &d.list[i]
		if p.Status == "online" && !d.ghost(p) && p.Memory == 0 && d.procs[p.PID].RSS > 0 {
			n++
		}
	}
	for name, v := range map[string]int{"unmeasured": n, "cpus": cpus(b.s.Host)} {
		if v > 0 {
			it.Metrics = append(it.Metrics, snapshot.Metric{Name: name, Value: float64(v)})
		}
	}
}

// maxStat bounds /proc/stat in bytes: thousands of processors and interrupts.
const maxStat = 1 << 20

// cpus counts the processors as Node's os.cpus does on Linux (libuv
// src/unix/linux.c uv_cpu_info): the lines cpu0, cpu1 … of /proc/stat.
func cpus(h host.Host) (n int) {
	proc, err := h.Outside("/proc")
	if err != nil {
		return 0
	}
	defer proc.Close()
	b, err := proc.Read("stat", maxStat)
	if err != nil {
		return 0
	}
	for line := range bytes.Lines(b) {
		if len(line) > 3 && bytes.HasPrefix(line, []byte("cpu")) && line[3] >= '0' && line[3] <= '9' {
			n++
		}
	}
	return n
}
