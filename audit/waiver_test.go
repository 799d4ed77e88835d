package audit

import (
	"fmt"
	"testing"
	"time"

	"healthaudit/snapshot"
)

// waived follows one finding through runs: a day, a severity and a waiver each.
func TestTrack_waived(t *testing.T) {
	item := &snapshot.Item{Key: "scripts/a.sh", Path: "a.sh"}
	day := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	waiver := Waiver{Checks: []string{"script-x"}, Reason: "so be it", Until: "2026-11-10", At: Location{Path: "a.sh", Line: 3, Column: 1}, From: 4, To: 6}
	longer := waiver
	longer.Until = "2027-01-31"
	type step struct {
		day      int // after the first
		severity Severity
		waiver   *Waiver
		counts   bool
		ended    bool
	}
	for name, steps := range map[string][]step{
		"holds_to_the_end_of_its_last_day":  {{0, Medium, &waiver, false, false}, {9, Medium, &waiver, false, false}, {10, Medium, &waiver, true, true}, {11, Medium, &waiver, true, false}},
		"prolonged":                         {{0, Medium, &waiver, false, false}, {10, Medium, &longer, false, false}},
		"taken_away":                        {{0, Medium, &waiver, false, false}, {1, Medium, nil, true, true}},
		"lapses_when_it_gets_worse":         {{0, Medium, &waiver, false, false}, {1, High, &waiver, true, false}, {2, High, &waiver, true, false}, {3, Medium, &waiver, false, false}},
		"accepted_anew_by_another_waiver":   {{0, Medium, &waiver, false, false}, {1, High, &waiver, true, false}, {2, High, &longer, false, false}},
		"holds_when_it_gets_better":         {{0, High, &waiver, false, false}, {1, Low, &waiver, false, false}, {2, High, &waiver, false, false}},
		"given_to_what_was_there_before":    {{0, High, nil, true, false}, {1, High, &waiver, false, false}},
		"more_than_half_a_year_is_too_long": {{0, High, &Waiver{Checks: waiver.Checks, Reason: "r", Until: "2027-11-10", At: waiver.At, From: 1, To: 9}, true, false}},
	} {
		t.Run(name, func(t *testing.T) {
			var recs []*Record
			for i, s := range steps {
				check := &Check{ID: "script-x", System: snapshot.Scripts, Severity: s.severity, Judge: func(p *Pass) {
					p.Report(Report{Item: item.Key, At: Location{Path: "a.sh", Line: 5}})
				}}
				now := &snapshot.Snapshot{At: day.AddDate(0, 0, s.day), Items: []*snapshot.Item{item}, Systems: []snapshot.SystemState{{System: snapshot.Scripts, Status: snapshot.StatusOK}}}
				w := &World{Now: now, Before: snapshot.Nothing}
				if s.waiver != nil {
					w.Waivers = []Waiver{*s.waiver}
				}
				got := Track(recs, Judge([]*Check{check}, w), []*Check{check}, w, Mark{Seq: uint64(i + 1), At: now.At})
				if len(got) != 1 || got[0].Counts() != s.counts || got[0].Ended != s.ended {
					t.Fatalf("step %d: %+v %+v", i, got[0], got[0].Waived)
				}
				if score := Evaluate(now.Items, got, Weighting{}); (*score.Value < 100) != s.counts && s.severity > Info {
					t.Errorf("step %d: score %v", i, *score.Value)
				}
				if all := Unwaived(got); (all == nil) != s.counts {
					t.Errorf("step %d: without waivers %v", i, all)
				}
				recs = []*Record{got[0].Record}
			}
		})
	}
}

// A finding that cannot be looked for stays waived, and no longer than its waiver.
func TestTrack_waivedAndCarried(t *testing.T) {
	check := &Check{ID: "script-x", System: snapshot.Scripts, Severity: High}
	rec := &Record{Finding: Finding{ID: "1", Check: "script-x", System: snapshot.Scripts, Item: "scripts/a.sh", Severity: High, Waived: &Waived{Reason: "r", Until: "2026-11-10", Severity: High}}}
	for day, counts := range map[int]bool{10: false, 11: true} {
		at := time.Date(2026, 11, day, 23, 0, 0, 0, time.UTC)
		w := &World{Now: &snapshot.Snapshot{At: at, Systems: []snapshot.SystemState{{System: snapshot.Scripts, Status: snapshot.StatusError}}}, Before: snapshot.Nothing}
		got := Track([]*Record{rec}, Judgement{}, []*Check{check}, w, Mark{Seq: 2, At: at})
		if len(got) != 1 || !got[0].Carried || got[0].Counts() != counts || got[0].Changed != counts {
			t.Errorf("on the %d.: %+v", day, got[0])
		}
	}
}

// Each waiver is held against the findings of its file, not against all there are.
func TestJudge_manyWaivers(t *testing.T) {
	const many = 40_000
	w := &World{Now: &snapshot.Snapshot{At: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)}, Before: snapshot.Nothing}
	for i := range many {
		at := Location{Path: fmt.Sprintf("%06d.sh", i), Line: 1}
		w.Now.Items = append(w.Now.Items, &snapshot.Item{Key: snapshot.Key("scripts/" + at.Path), Path: at.Path})
		w.Waivers = append(w.Waivers, Waiver{Checks: []string{"script-x"}, Reason: "r", Until: "2026-12-01", At: at, From: 1, To: 1})
	}
	covered := 0
	checks := []*Check{{ID: "script-x", System: snapshot.Scripts, Severity: Low, Judge: func(p *Pass) {
		for _, it := range p.Now.Items {
			p.Report(Report{Item: it.Key, At: Location{Path: it.Path, Line: 1}})
		}
	}}, {ID: "audit-y", Last: true, Judge: func(p *Pass) {
		for i := range p.Waivers {
			covered += p.Covered(&p.Waivers[i])
		}
	}}}
	begun := time.Now()
	j := Judge(checks, w)
	if took := time.Since(begun); took > 3*time.Second || covered != many || len(j.Findings) != many || j.Findings[0].Waived == nil {
		t.Errorf("%d of %d findings covered in %s", covered, len(j.Findings), took)
	}
}

func TestWaiver_covers(t *testing.T) {
	w := Waiver{Checks: []string{"a", "b"}, At: Location{Path: "x/y.sh"}, From: 3, To: 5}
	for _, c := range []struct {
		check, path string
		line        int
		want        bool
	}{{"a", "x/y.sh", 3, true}, {"b", "x/y.sh", 5, true}, {"c", "x/y.sh", 4, false}, {"a", "x/y.sh", 2, false}, {"a", "x/y.sh", 6, false}, {"a", "y.sh", 4, false}} {
		if got := w.covers(&Finding{Check: c.check, At: Location{Path: c.path, Line: c.line}}); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
}
