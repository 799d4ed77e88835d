package audit

import (
	"testing"
	"time"

	"healthaudit/snapshot"
)

// What stands in the configuration or in the store accepts findings by key, by
// glob and by id, also those that nobody could look for.
func TestTrack_standing(t *testing.T) {
	at := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	item := &snapshot.Item{Key: "scripts/a/b.sh", Path: "a/b.sh"}
	id := FindingID(snapshot.Scripts, item.Key, "script-x", "")
	says := func(w Waiver) Waiver {
		w.Checks, w.Reason, w.Until, w.By = []string{"script-x"}, "so be it", "2026-12-31", "ada"
		return w
	}
	for name, c := range map[string]struct {
		waiver   Waiver
		severity Severity
		carried  bool
		counts   bool
	}{
		"by_key":                       {says(Waiver{Item: "scripts/a/b.sh"}), High, false, false},
		"critical_by_key":              {says(Waiver{Item: "scripts/a/b.sh"}), Critical, false, false},
		"by_glob":                      {says(Waiver{Item: "scripts/**"}), High, false, false},
		"not_over_a_slash":             {says(Waiver{Item: "scripts/*"}), High, false, true},
		"critical_by_glob":             {says(Waiver{Item: "scripts/**"}), Critical, false, true},
		"by_id":                        {says(Waiver{Item: "scripts/a/b.sh", Finding: id, Severity: Critical}), Critical, false, false},
		"by_another_id":                {says(Waiver{Item: "scripts/a/b.sh", Finding: id[1:], Severity: High}), High, false, true},
		"worse_than_accepted":          {says(Waiver{Item: "scripts/a/b.sh", Finding: id, Severity: Medium}), High, false, true},
		"better_than_accepted":         {says(Waiver{Item: "scripts/a/b.sh", Finding: id, Severity: High}), Low, false, false},
		"what_cannot_be_looked_for":    {says(Waiver{Item: "scripts/a/b.sh"}), High, true, false},
		"nobody_accepts_what_is_there": {Waiver{}, High, true, true},
	} {
		check := &Check{ID: "script-x", System: snapshot.Scripts, Severity: c.severity, Judge: func(p *Pass) {
			p.Report(Report{Item: item.Key, Wide: true, At: Location{Path: "a/b.sh", Line: 5}})
		}}
		status, judgement := snapshot.StatusOK, Judgement{}
		w := &World{Before: snapshot.Nothing, Waivers: []Waiver{c.waiver}}
		if c.carried {
			status = snapshot.StatusError
		}
		w.Now = &snapshot.Snapshot{At: at, Items: []*snapshot.Item{item}, Systems: []snapshot.SystemState{{System: snapshot.Scripts, Status: status}}}
		var recs []*Record
		if c.carried {
			recs = []*Record{{Finding: Finding{ID: id, Check: "script-x", System: snapshot.Scripts, Item: item.Key, Severity: c.severity}}}
		} else {
			judgement = Judge([]*Check{check}, w)
		}
		got := Track(recs, judgement, []*Check{check}, w, Mark{Seq: 2, At: at})
		if len(got) != 1 || got[0].Counts() != c.counts || got[0].Carried != c.carried {
			t.Errorf("%s: %+v %+v", name, got[0].Record, got[0].Waived)
			continue
		}
		// The acceptance is taken back, and nobody can look.
		w.Waivers, w.Now.Systems[0].Status = nil, snapshot.StatusError
		again := Track([]*Record{got[0].Record}, Judgement{}, []*Check{check}, w, Mark{Seq: 3, At: at})
		if len(again) != 1 || !again[0].Counts() || again[0].Ended != !c.counts {
			t.Errorf("%s, taken back: %+v %+v", name, again[0], again[0].Waived)
		}
	}
}

// A finding that a glob accepted and that is critical since became worse: no end of
// a waiver excuses it.
func TestTrack_risesOutOfItsWaiver(t *testing.T) {
	at := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	item := &snapshot.Item{Key: "scripts/a.sh", Path: "a.sh"}
	w := &World{Before: snapshot.Nothing, Waivers: []Waiver{{Checks: []string{"script-x"}, Item: "scripts/**", Reason: "r", Until: "2026-12-31", By: "audit.yaml:2"}},
		Now: &snapshot.Snapshot{At: at, Items: []*snapshot.Item{item}, Systems: []snapshot.SystemState{{System: snapshot.Scripts, Status: snapshot.StatusOK}}}}
	var recs []*Record
	for i, s := range []Severity{High, Critical} {
		check := &Check{ID: "script-x", System: snapshot.Scripts, Severity: s, Judge: func(p *Pass) { p.Report(Report{Item: item.Key}) }}
		got := Track(recs, Judge([]*Check{check}, w), []*Check{check}, w, Mark{Seq: uint64(i + 1), At: at})
		if got[0].Counts() != (s == Critical) || got[0].Ended {
			t.Errorf("%s: %+v", s, got[0])
		}
		recs = []*Record{got[0].Record}
	}
}

func TestHide(t *testing.T) {
	at := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	fact := func(name string) snapshot.FactChange { return snapshot.FactChange{Name: name} }
	changes := []snapshot.Change{
		{Item: "workflows/a.yml", Op: snapshot.OpChanged, Facts: []snapshot.FactChange{fact("jobs.a.timeout"), fact("permissions")}},
		{Item: "workflows/b.yml", Op: snapshot.OpChanged, Facts: []snapshot.FactChange{fact("jobs.a.timeout"), fact("jobs.b.timeout")}, Files: []string{"b.yml"}},
		{Item: "workflows/c.yml", From: "workflows/d.yml", Op: snapshot.OpChanged, Facts: []snapshot.FactChange{fact("jobs.a.timeout")}},
		{Item: "workflows/e.yml", Op: snapshot.OpRemoved},
		{Item: "scripts/x", Op: snapshot.OpChanged, Facts: []snapshot.FactChange{fact("jobs.a.timeout")}},
	}
	rules := []Ignore{{Item: "workflows/*", Fact: "jobs.*.timeout", Until: "2026-11-01"}, {Item: "scripts/y", Fact: "**", Until: "2026-12-01"}}
	got, h := Hide(changes, rules, at)
	if len(got) != 4 || h != (Hidden{Changes: 4, Rules: 1}) {
		t.Fatalf("%+v %+v", got, h)
	}
	if len(got[0].Facts) != 1 || got[0].Facts[0].Name != "permissions" || got[1].From == "" || got[2].Op != snapshot.OpRemoved || got[3].Item != "scripts/x" {
		t.Errorf("%+v", got)
	}
	if len(changes[0].Facts) != 2 || changes[0].Facts[0].Name != "jobs.a.timeout" {
		t.Error("what was given is changed")
	}
	if got, h := Hide(changes, rules, at.AddDate(0, 0, 1)); len(got) != 5 || h.Changes != 0 {
		t.Errorf("after its end: %+v %+v", got, h)
	}
}
