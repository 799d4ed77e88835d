package audit

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"healthaudit/snapshot"
)

func TestRegressions(t *testing.T) {
	const k snapshot.Key = "pm2/api"
	type at struct {
		sev     []Severity // open findings; nil is healthy
		unknown bool
		gone    bool
		left    bool   // it was removed, and nothing misses it
		want    string // codes open after this snapshot
	}
	for name, seq := range map[string][]at{
		"a_fall_of_the_level_stays_open_until_it_is_back": {
			{}, {sev: []Severity{High}, want: "R1 R2"}, {sev: []Severity{High}, want: "R1 R2"}, {sev: []Severity{Medium}, want: "R1 R2"}, {sev: []Severity{Low}}},
		"a_low_finding_is_none":              {{}, {sev: []Severity{Low}}},
		"a_medium_finding_lowers_the_level":  {{}, {sev: []Severity{Medium}, want: "R1 R2"}, {}},
		"a_step_below_ten_is_none":           {{sev: []Severity{Medium}}, {sev: []Severity{Medium, Low, Low}}},
		"a_severity_that_rises_to_critical":  {{sev: []Severity{High}}, {sev: []Severity{Critical}, want: "R1 R2"}, {sev: []Severity{High}}},
		"half_the_step_must_be_regained":     {{sev: []Severity{High}}, {sev: []Severity{High, High}, want: "R2"}, {sev: []Severity{High, Medium}, want: "R2"}, {sev: []Severity{High, Low}}},
		"unknown_in_between_changes_nothing": {{}, {unknown: true}, {sev: []Severity{High}, want: "R1 R2"}},
		"unknown_and_back_is_nothing":        {{}, {unknown: true}, {}},
		"unknown_does_not_close":             {{}, {sev: []Severity{High}, want: "R1 R2"}, {unknown: true, want: "R1 R2"}},
		"a_missing_item_until_it_is_back":    {{}, {gone: true, want: "R6"}, {gone: true, want: "R6"}, {}},
		"an_item_that_left_has_none":         {{}, {sev: []Severity{High}, want: "R1 R2"}, {left: true}},
	} {
		t.Run(name, func(t *testing.T) {
			var open []*Regression
			ref := Side{Has: func(snapshot.Key) bool { return false }}
			for i, s := range seq {
				var fs []Tracked
				for n, sev := range s.sev {
					fs = append(fs, Tracked{Record: &Record{Finding: Finding{ID: fmt.Sprint(n), Item: k, Severity: sev}}})
				}
				now := Side{Mark: Mark{Seq: uint64(i + 1)}, Worst: Worst(fs), Scores: ItemScores(fs), Has: func(snapshot.Key) bool { return !s.unknown && !s.gone && !s.left },
					Left: func(snapshot.Key) bool { return s.gone || s.left }}
				var gone []Gone
				if s.gone {
					gone = []Gone{{Item: k, Level: LevelOK}}
				}
				was := open
				open, _ = Regressions(open, ref, now, now, gone)
				var codes []string
				for _, r := range open {
					codes = append(codes, r.Code)
					for _, o := range was {
						if o.Code == r.Code && (o.Reference != r.Reference || o.Was != r.Was || o.Since != r.Since) {
							t.Errorf("snapshot %d: %s lost its reference: %+v, was %+v", i+1, r.Code, r, o)
						}
					}
				}
				if got := strings.Join(codes, " "); got != s.want {
					t.Errorf("snapshot %d: open %q, want %q", i+1, got, s.want)
				}
				if !s.unknown && !s.gone { // the reference is the last snapshot that could judge
					ref = now
				}
			}
		})
	}
}

func TestReport_isBounded(t *testing.T) {
	it := &snapshot.Item{Key: "pm2/api"}
	w := &World{Now: &snapshot.Snapshot{Items: []*snapshot.Item{it}, Systems: []snapshot.SystemState{{System: snapshot.PM2, Status: snapshot.StatusOK}}}, Before: snapshot.Nothing}
	long := strings.Repeat("é", 100_000)
	for in, want := range map[string]int{"short": len("short."), "ends!": len("ends!"), long: maxMessage + 4} {
		c := &Check{ID: "c", System: snapshot.PM2, Severity: Low, Judge: func(p *Pass) {
			p.Report(Report{Item: it.Key, Message: in, Evidence: []Evidence{{"x", long}}})
		}}
		f := Judge([]*Check{c}, w).Findings[0]
		if len(f.Message) > want || len(f.Evidence[0].Value) > maxMessage+4 || !utf8.ValidString(f.Message) {
			t.Errorf("%.10q: %d bytes, evidence %d", in, len(f.Message), len(f.Evidence[0].Value))
		}
	}
}

func TestFindingID(t *testing.T) {
	// printf 'pm2\0pm2/api\0pm2-errored\0' | sha256sum
	const want = "8b367781874432d471107bcdc18d9c67b74e0f3a5419e491f633638b038e5598"
	if id := FindingID(snapshot.PM2, "pm2/api", "pm2-errored", ""); id != want {
		t.Errorf("id %s, want %s", id, want)
	}
	if FindingID("pm2", "pm2/a", "b", "c") == FindingID("pm2", "pm2/a", "bc", "") {
		t.Error("parts run together")
	}
}
