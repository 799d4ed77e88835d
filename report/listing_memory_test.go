package report

import (
	"strings"
	"testing"
	"time"
)

func curve(values ...float64) []Point {
	out := make([]Point, len(values))
	for i, v := range values {
		out[i] = Point{Seq: uint64(i + 1), At: noon.Add(time.Duration(i-len(values)) * time.Hour)}
		if v >= 0 {
			out[i].Value = &v
		}
	}
	return out
}

func bisectView() BisectView {
	at := func(seq uint64, verdict, why string) BisectPoint {
		return BisectPoint{Snapshot: ref(seq), Commit: strings.Repeat("9f8b7a6c", 5), Verdict: verdict, Why: why}
	}
	before := at(38, "clean", "")
	before.Commit, before.Dirty = strings.Repeat("01234567", 5), true
	return BisectView{Check: "workflow-gutted", Item: "workflows/deploy.yml", Path: ".github/workflows/deploy.yml", Snapshots: 42,
		Finding: FindingShort{ID: digest("b"), Check: "workflow-gutted", Severity: "high", Message: `job "netlify" ran npm, and now only echo.`, Item: "workflows/deploy.yml"},
		First:   at(41, "found", ""), Before: &before, Facts: []FactChange{{"jobs.netlify.hollow", nil, "echo", "up"}},
		Skipped:  []BisectPoint{at(39, "unknown", "its system was not read"), at(40, "unknown", "its source could not be read")},
		Contrary: []BisectPoint{at(6, "found", "")}, Tested: []BisectPoint{at(1, "clean", ""), before, at(41, "found", ""), at(42, "found", "")}}
}

func baselineView() BaselineView {
	return BaselineView{Snapshot: ref(7), By: "ada, audit baseline set", Newest: 42, Then: 512, Still: []FindingShort{{Check: "script-syntax", Severity: "medium"}},
		Since: []FindingShort{{ID: digest("s"), Check: "script-missing-target", Severity: "high", Item: "scripts/cron:crontab:6cae6557", Message: "the crontab entry on line 2 starts scripts/gone.sh, which is not there."}}}
}

func statusView() StatusView {
	return StatusView{Project: "shop", State: "critical", Level: "failing", Stale: true, Why: []string{"the gate failed", "no run for 3h"}, Snapshot: ref(42), AgeSeconds: 10800, Score: ptr(60.0), Grade: ptr("D"),
		Delta: ptr(-33.4), Findings: Counts{Critical: 1, High: 2}, Regressions: 2, Exit: 1, Missed: 11, EverySeconds: 900, Flags: []string{"pm2 partial"}}
}

func TestSpark(t *testing.T) {
	for want, got := range map[string]string{
		"▁▂▃▄▅▆▇█": spark(curve(0, 14, 29, 43, 57, 71, 86, 100), 0, 100),
		"█·▁":      spark(curve(100, -1, 0), 0, 100),
		"▅▅":       spark(curve(7, 7), 7, 7),
		"":         spark(nil, 0, 1),
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if got := extent(curve(84.3, 100, 85.6), points); got != "84.3 → 85.6 (84.3 to 100.0)" {
		t.Error(got)
	}
	if got := extent(curve(-1), points); got != "not known" {
		t.Error(got)
	}
}

// What comes from outside does not break out of a line of Nagios.
func TestNagiosStatus(t *testing.T) {
	var b strings.Builder
	v := statusView()
	v.Flags = []string{"a|b\nc"}
	if err := NagiosStatus(&b, v); err != nil || strings.Count(b.String(), "|") != 1 || strings.Count(b.String(), "\n") != 1 {
		t.Errorf("%v %q", err, b.String())
	}
	b.Reset()
	if err := NagiosStatus(&b, StatusView{State: "unknown", Why: []string{"no store"}}); err != nil || b.String() != "AUDIT UNKNOWN - no store\n" {
		t.Errorf("%v %q", err, b.String())
	}
}
