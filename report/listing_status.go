package report

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// A StatusView is how things are, for a prompt or a monitor.
type StatusView struct {
	Project      string      `json:"project"`
	State        string      `json:"state"` // ok, warning, critical, unknown
	Why          []string    `json:"why"`   // of a state that is not ok
	Level        string      `json:"level"` // of the worst open finding: failing, degraded, ok; unknown where nothing was judged
	Snapshot     SnapshotRef `json:"snapshot"`
	AgeSeconds   int64       `json:"age_seconds"` // since the last run began
	Score        *float64    `json:"score"`
	Grade        *string     `json:"grade"`
	Delta        *float64    `json:"delta"`
	Findings     Counts      `json:"findings"` // open ones
	Regressions  int         `json:"regressions"`
	Passed       bool        `json:"passed"` // the gate
	Exit         int         `json:"exit"`
	Flags        []string    `json:"flags"`         // see SnapshotRow
	Missed       int         `json:"missed"`        // runs of the last 24 hours that are missing
	EverySeconds int64       `json:"every_seconds"` // how often a run is to be; 0: nobody said
	Stale        bool        `json:"stale"`         // a newer run is missing
}

func (v StatusView) age() string {
	if v.AgeSeconds < 0 {
		return "still to come"
	}
	return span(time.Duration(v.AgeSeconds)*time.Second) + " ago"
}

// missed says how many runs are missing, "" where nobody said how often one is due.
func (v StatusView) missed() string {
	switch {
	case v.EverySeconds == 0:
		return ""
	case v.Missed == 0:
		return "no run missed"
	}
	return plural(v.Missed, "run") + " missed"
}

func (v StatusView) parts() []string {
	score := "score " + scored(v.Score, v.Grade)
	if v.Delta != nil {
		if c := compare(*v.Delta); c != "" {
			score += ", " + c
		}
	}
	parts := []string{score}
	if v.Regressions > 0 {
		parts = append(parts, plural(v.Regressions, "regression"))
	}
	parts = append(parts, fmt.Sprintf("run #%d %s", v.Snapshot.Seq, v.age()))
	if m := v.missed(); m != "" {
		parts = append(parts, m)
	}
	return append(parts, v.Flags...)
}

// word says how the last run found the project, as its report does: in the past
// where a newer run is missing.
func (v StatusView) word() string {
	if v.Level == "unknown" {
		return "has no score"
	}
	verb := "is "
	if v.Stale {
		verb = "was "
	}
	if v.Level == "ok" {
		return verb + "healthy"
	}
	return verb + v.Level
}

// Status writes one line, wrapped only where the page is narrower.
func Status(w io.Writer, v StatusView, o Options) error {
	v = cleaned(v)
	p := newPage(o)
	c := map[string]ink{"ok": inkGreen, "warning": inkYellow, "critical": inkAlarm}[v.State]
	switch v.Level {
	case "failing":
		c = inkAlarm
	case "degraded":
		if c == inkGreen {
			c = inkYellow
		}
	}
	line := v.Project + " " + v.word()
	if len(v.Why) > 0 {
		line += " (" + strings.Join(v.Why, ", ") + ")"
	}
	p.line(0, c, line+": "+strings.Join(v.parts(), "; ")+".")
	_, err := w.Write(p.Bytes())
	return err
}

// NagiosStatus writes one line as Nagios plugins do: a word, why, a bar, and the
// numbers (Nagios Plugins Development Guidelines, "Performance data").
func NagiosStatus(w io.Writer, v StatusView) error {
	v = cleaned(v)
	bar := func(s string) string { return strings.ReplaceAll(s, "|", "¦") }
	if v.State == "unknown" {
		_, err := fmt.Fprintf(w, "AUDIT UNKNOWN - %s\n", bar(strings.Join(v.Why, ", ")))
		return err
	}
	text := strings.Join(append(append([]string{}, v.Why...), v.parts()...), "; ")
	score := "U"
	if v.Score != nil {
		score = points(*v.Score)
	}
	f := v.Findings
	_, err := fmt.Fprintf(w, "AUDIT %s - %s | score=%s;;;0;100 age=%ds critical=%d high=%d medium=%d low=%d regressions=%d missed=%d\n",
		strings.ToUpper(v.State), bar(text), score, v.AgeSeconds, f.Critical, f.High, f.Medium, f.Low, v.Regressions, v.Missed)
	return err
}
