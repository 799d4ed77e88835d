package pm2

import (
	"strconv"
	"strings"

	"healthaudit/snapshot"
)

func (b *builder) daemonItem(h *home) *snapshot.Item {
	d := &h.daemon
	it := &snapshot.Item{
		Key: b.daemonKey(h), Name: "PM2 daemon", Kind: "daemon",
		Source: daemonSource + h.path, State: d.state,
	}
	if d.state == forbidden || d.state == unknown {
		it.Unknown = d.why
	}
	apps := 0
	for _, a := range b.apps {
		if a.home == h && a.expected() {
			apps++
		}
	}
	it.Add(snapshot.Semantic, "apps", snapshot.Number(apps)) // that should run
	it.Add(snapshot.Volatile, listsFact, snapshot.SetOf(b.listed(h)...))
	if h.unread == nil {
		dump := h.torn
		switch {
		case dump != "":
		case len(h.dump) == 0:
			dump = "empty"
		default:
			dump = "ok"
		}
		it.Add(snapshot.Semantic, "dump", snapshot.Text(dump))
	}
	if v := b.version(h); v != "" {
		it.Add(snapshot.Semantic, "version", snapshot.Text(v))
	}
	if d.pid > 0 {
		it.Add(snapshot.Volatile, "pid", snapshot.Number(d.pid))
	}
	if d.state == twoDaemons {
		it.Add(snapshot.Volatile, "pids", snapshot.Text(numbers(d.pids)))
	}
	if p, ok := d.procs[d.pid]; ok && d.pid > 0 {
		it.Metrics = append(it.Metrics, snapshot.Metric{Name: "memory", Value: float64(p.RSS), Incarnation: d.born})
	}
	b.survivorFacts(it, h)
	b.watch(it, h)
	b.aroundDaemon(it, h)
	return it
}

// version returns the version of the daemon, of one that died that of its life.
func (b *builder) version(h *home) string {
	if h.daemon.version != "" {
		return clip(h.daemon.version)
	}
	if old := b.s.Previous.Item(b.daemonKey(h)); old != nil {
		v, _ := old.Fact("version")
		return v.Str()
	}
	return ""
}

// numbers writes a list of numbers for a person.
func numbers(list []int) string {
	texts := make([]string, len(list))
	for i, n := range list {
		texts[i] = strconv.Itoa(n)
	}
	return strings.Join(texts, ", ")
}

// clip bounds a short text that comes from the daemon.
func clip(s string) string { return s[:min(len(s), 60)] }
