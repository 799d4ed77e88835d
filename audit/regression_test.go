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
				open, _ = Regressions(Comparison{Open: open, Was: ref, Now: now, Fresh: now, Gone: gone})
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

// withScore is a snapshot in which one item has a score.
func withScore(seq uint64, score float64) Side {
	return Side{Mark: Mark{Seq: seq}, Worst: map[snapshot.Key]Severity{"pm2/api": Low}, Scores: map[snapshot.Key]float64{"pm2/api": score}, Has: func(snapshot.Key) bool { return true }}
}

func codes(list []*Regression) string {
	var out []string
	for _, r := range list {
		out = append(out, r.Code)
	}
	return strings.Join(out, " ")
}

// A slide in small steps is never a step, and is seen against a baseline; it ends
// when half of the step is regained, or with the baseline.
func TestRegressions_baseline(t *testing.T) {
	values := []float64{98, 95, 92, 89, 86, 83, 92, 93}
	want := []string{"", "", "", "", "R3", "R3", "R3", ""}
	base := withScore(1, values[0])
	var open []*Regression
	for i := 1; i < len(values); i++ {
		now := withScore(uint64(i+1), values[i])
		open, _ = Regressions(Comparison{Open: open, Was: withScore(uint64(i), values[i-1]), Now: now, Fresh: now, Base: &Base{Then: base, Now: now}})
		if got := codes(open); got != want[i] {
			t.Errorf("%v: open %q, want %q", values[i], got, want[i])
		}
		if len(open) > 0 && (open[0].Reference.Seq != 1 || open[0].Since.Seq != 5 || open[0].Was != "98.0" || open[0].Now != points(values[i])) {
			t.Errorf("%+v", open[0])
		}
	}
	now := withScore(9, 80)
	open, _ = Regressions(Comparison{Was: now, Now: now, Fresh: now, Base: &Base{Then: base, Now: now}})
	if still, closed := Regressions(Comparison{Open: open, Was: now, Now: now, Fresh: now}); len(open) != 1 || len(still) != 0 || codes(closed) != "R3" {
		t.Errorf("without a baseline: open %v, closed %v", still, closed)
	}
	other := withScore(8, 95)
	if still, closed := Regressions(Comparison{Open: open, Was: now, Now: now, Fresh: now, Base: &Base{Then: other, Now: now}}); len(closed) != 1 || len(still) != 1 || still[0].Reference.Seq != 8 {
		t.Errorf("with another baseline: open %v, closed %v", still, closed)
	}
}

// A finding that the baseline does not have is one, whatever else was mended.
func TestRegressions_added(t *testing.T) {
	now := withScore(2, 88)
	b := &Base{Then: withScore(1, 88), Now: now, Added: map[snapshot.Key]Severity{"pm2/api": Medium}}
	open, _ := Regressions(Comparison{Was: now, Now: now, Fresh: now, Base: b})
	if codes(open) != "R3" || open[0].Now != "88.0 with another medium finding" {
		t.Errorf("%+v", open)
	}
	if still, closed := Regressions(Comparison{Open: open, Was: now, Now: now, Fresh: now, Base: b}); codes(still) != "R3" || closed != nil {
		t.Errorf("it is still there, and %q is open", codes(still))
	}
	b.Added = nil
	if still, _ := Regressions(Comparison{Open: open, Was: now, Now: now, Fresh: now, Base: b}); len(still) != 0 {
		t.Errorf("it is gone, and %+v is open", still[0])
	}
}

// What is far below the usual twice is told once, against what was usual.
func TestRegressions_usual(t *testing.T) {
	history := []float64{96, 95, 96, 94, 96, 95, 96}
	for _, c := range []struct {
		then []float64
		fell bool
	}{{[]float64{93}, false}, {[]float64{84}, false}, {[]float64{84, 96}, false}, {[]float64{96, 84}, false}, {[]float64{84, 84}, true}} {
		trail := Trail{Scores: append(history[:7:7], c.then...)}
		usual, fell := trail.Fell()
		if fell != c.fell || fell && usual != 96 {
			t.Errorf("%v: usual %v, fell %v", c.then, usual, fell)
		}
	}
	if _, fell := (Trail{Scores: []float64{96, 96, 96, 96, 84, 84}}).Fell(); fell {
		t.Error("four scores are a history")
	}
	if _, fell := (Trail{Scores: append([]float64{60, 60, 60, 60, 60, 60, 60, 60, 60, 60}, append(history, 84, 84)...)}).Fell(); !fell {
		t.Error("what was long ago is usual")
	}
	usual := map[snapshot.Key]float64{"pm2/api": 96}
	was, now := withScore(8, 84), withScore(9, 84)
	open, _ := Regressions(Comparison{Was: was, Now: now, Fresh: now, Usual: usual})
	if codes(open) != "R4" || open[0].Was != "96.0" || open[0].Now != "84.0" {
		t.Fatalf("%+v", open)
	}
	for score, want := range map[float64]string{90: "R4", 91: ""} {
		now := withScore(10, score)
		if still, _ := Regressions(Comparison{Open: open, Was: was, Now: now, Fresh: now}); codes(still) != want {
			t.Errorf("at %v: open %q, want %q", score, codes(still), want)
		}
	}
	step := []*Regression{{Item: "pm2/api", Code: "R2", WasScore: 96}}
	if both, _ := Regressions(Comparison{Open: step, Was: was, Now: now, Fresh: now, Usual: usual}); codes(both) != "R2" {
		t.Errorf("a step is told as %q", codes(both))
	}
}

// A trend is a regression as long as its finding is open.
func TestRegressions_trend(t *testing.T) {
	was, now := withScore(1, 96), withScore(2, 96)
	now.Trends = map[snapshot.Key]string{"pm2/api": "memory grows"}
	open, _ := Regressions(Comparison{Was: was, Now: now, Fresh: now})
	if codes(open) != "R5" || open[0].Now != "memory grows" {
		t.Fatalf("%+v", open)
	}
	if again, _ := Regressions(Comparison{Open: open, Was: now, Now: now, Fresh: now}); codes(again) != "R5" {
		t.Error("it is not open any more")
	}
	if later, _ := Regressions(Comparison{Was: now, Now: now, Fresh: now}); len(later) != 0 {
		t.Error("a trend that was there before is a regression")
	}
	if over, _ := Regressions(Comparison{Open: open, Was: now, Now: was, Fresh: was}); len(over) != 0 {
		t.Error("it does not end")
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
