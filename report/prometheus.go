package report

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// Prometheus writes the state of the run for the textfile collector of
// node_exporter (https://github.com/prometheus/node_exporter#textfile-collector):
// gauges without timestamps, which it refuses, and counters only of what the store
// counts for ever. Every sample names the root, so that several projects can share
// one folder. Names follow https://prometheus.io/docs/practices/naming/.
var Prometheus = &Renderer{
	Name:   "prometheus",
	Doc:    "metrics for the textfile collector of node_exporter",
	Render: renderPrometheus,

	Summary: true,
}

func renderPrometheus(w io.Writer, d *Document, _ Options) error {
	m := &metrics{root: Clean(d.Run.Root)}
	m.run(d)
	m.scores(d)
	m.counts(d)
	m.recovery(d)
	_, err := w.Write(m.Bytes())
	return err
}

// metrics collects samples in the text format, version 0.0.4
// (https://prometheus.io/docs/instrumenting/exposition_formats/).
type metrics struct {
	bytes.Buffer
	root string
}

// A sample is a value and its labels: name, value, name, value…
type sample struct {
	value  float64
	labels []string
}

func one(v float64) []sample { return []sample{{value: v}} }

// family writes one metric; without samples it writes nothing.
func (m *metrics) family(name, kind, help string, samples []sample) {
	if len(samples) == 0 {
		return
	}
	fmt.Fprintf(m, "# HELP audit_%s %s\n# TYPE audit_%s %s\n", name, help, name, kind)
	for _, s := range samples {
		fmt.Fprintf(m, "audit_%s{root=%s", name, quoted(m.root))
		for i := 0; i < len(s.labels); i += 2 {
			fmt.Fprintf(m, ",%s=%s", s.labels[i], quoted(s.labels[i+1]))
		}
		fmt.Fprintf(m, "} %s\n", strconv.FormatFloat(s.value, 'f', -1, 64))
	}
}

func (m *metrics) gauge(name, help string, samples []sample) { m.family(name, "gauge", help, samples) }

func (m *metrics) counter(name, help string, samples []sample) {
	m.family(name, "counter", help, samples)
}

var quoting = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

func quoted(s string) string { return `"` + quoting.Replace(Clean(s)) + `"` }

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

func (m *metrics) run(d *Document) {
	m.gauge("info", "The audit that made these metrics; always 1.", []sample{{1, []string{"version", d.Tool.Version}}})
	m.gauge("last_run_timestamp_seconds", "When the last run ended, in seconds since the epoch.", one(float64(d.Run.Finished.Unix())))
	m.gauge("last_run_duration_seconds", "How long the last run took.", one(float64(d.Run.DurationMS)/1000))
	m.gauge("last_run_exit_code", "Exit code of the last run: 0 passed, 1 the gate failed, 3 incomplete, 4 the store is damaged, 5 something it did failed.", one(float64(d.Gate.Exit)))
	unread := tally{}
	for _, s := range append(systemsOf(d), "audit") {
		unread.add(0, "system", s)
	}
	for _, e := range d.Errors {
		unread.add(1, "system", e.System)
	}
	m.gauge("errors", "What the last run could not read or do, by system.", unread.samples())
	m.gauge("gate_passed", "Whether the gate of the last run passed.", one(truth(d.Gate.Passed)))
	if d.Run.Seq > 0 {
		m.counter("runs_total", "Runs that the store has kept, pruned ones too.", one(float64(d.Run.Seq)))
	}
	if h := d.JournalHead; h != nil {
		m.counter("journal_entries_total", "Entries of the journal.", one(float64(h.Seq)))
	}
}

func (m *metrics) scores(d *Document) {
	value := func(v *float64) []sample {
		if v == nil {
			return nil
		}
		return one(*v)
	}
	m.gauge("score", "Score of the project, 0 to 100.", value(d.Score.Value))
	m.gauge("score_without_waivers", "Score of the project if nothing were waived, 0 to 100.", value(d.Score.WithoutWaivers))
	m.gauge("coverage_ratio", "Share of the known items that could be judged, 0 to 1.", one(d.Score.Coverage))
	var scores, read, took []sample
	for _, s := range d.Systems {
		of := []string{"system", s.System}
		if v := s.Score.Value; v != nil {
			scores = append(scores, sample{*v, of})
		}
		switch s.Status {
		case "ok", "partial", "error":
			read, took = append(read, sample{truth(s.Status != "error"), of}), append(took, sample{float64(s.DurationMS) / 1000, of})
		}
	}
	m.gauge("system_score", "Score of one system, 0 to 100.", scores)
	m.gauge("system_read", "Whether a system that is there could be listed.", read)
	m.gauge("system_duration_seconds", "How long it took to collect a system.", took)
}

// counts writes how many there are of everything. What there is none of is a
// zero, so that no series comes and goes.
func (m *metrics) counts(d *Document) {
	items, open, waived, status, worse := tally{}, tally{}, tally{}, tally{}, tally{}
	for _, s := range append(systemsOf(d), "audit") {
		for _, sev := range severities {
			open.add(0, "system", s, "severity", sev.name)
		}
		waived.add(0, "system", s)
		worse.add(0, "system", s)
		if s != "audit" {
			for _, level := range []string{"ok", "degraded", "failing", "unknown"} {
				items.add(0, "system", s, "level", level)
			}
		}
	}
	for _, s := range []string{"new", "persisting", "reopened", "resolved"} {
		status.add(0, "status", s)
	}
	for _, it := range d.Items {
		items.add(1, "system", it.System, "level", it.Level)
	}
	for _, f := range d.Findings {
		switch {
		case f.Status == "resolved":
			status.add(1, "status", f.Status)
		case f.Waiver != nil:
			waived.add(1, "system", f.System)
		default:
			status.add(1, "status", f.Status)
			open.add(1, "system", f.System, "severity", f.Severity)
		}
	}
	seen := map[string]bool{}
	for _, x := range d.Regressions {
		if s, _, _ := strings.Cut(x.Item, "/"); !seen[x.Item] {
			seen[x.Item] = true
			worse.add(1, "system", s)
		}
	}
	m.gauge("items", "Items by system and level.", items.samples())
	m.gauge("findings", "Open findings by system and severity; waived ones are not counted.", open.samples())
	m.gauge("waived_findings", "Open findings that are waived, by system.", waived.samples())
	m.gauge("findings_by_status", "Findings of the last run by status; waived ones are not counted.", status.samples())
	m.gauge("regressed_items", "Items that are worse than before, by system.", worse.samples())
}

func systemsOf(d *Document) (out []string) {
	for _, s := range d.Systems {
		out = append(out, s.System)
	}
	return out
}

func (m *metrics) recovery(d *Document) {
	steps := tally{}
	for _, s := range []string{"planned", "done", "failed", "rolled_back", "skipped", "pending"} {
		steps.add(0, "status", s)
	}
	for status, n := range d.Recovery.Totals {
		steps.add(n, "status", status)
	}
	m.gauge("recovery_rules", "Rules of recovery.", one(float64(d.Recovery.Rules)))
	m.gauge("recovery_steps", "Steps of recovery in the last run, by status.", steps.samples())
	if a := d.Archive; a != nil {
		m.gauge("archive_size_bytes", "Size of the archive that the last run made.", one(float64(a.Bytes)))
	}
}

// A tally counts by labels.
type tally map[string]*sample

func (t tally) add(n int, labels ...string) {
	key := strings.Join(labels, "\x00")
	if t[key] == nil {
		t[key] = &sample{labels: labels}
	}
	t[key].value += float64(n)
}

// samples returns the counts by their labels.
func (t tally) samples() []sample {
	out := make([]sample, 0, len(t))
	for _, s := range t {
		out = append(out, *s)
	}
	slices.SortFunc(out, func(a, b sample) int { return slices.Compare(a.labels, b.labels) })
	return out
}
