package audit

import (
	"fmt"
	"strings"
	"testing"

	"healthaudit/snapshot"
)

// A check that panics at some items loses those items only, and what was found
// there before stays.
func TestJudge_crash(t *testing.T) {
	var items []*snapshot.Item
	for i := range 50 {
		items = append(items, &snapshot.Item{Key: snapshot.Key(fmt.Sprintf("pm2/%02d", i)), Name: "secret", State: "online"})
	}
	snap := &snapshot.Snapshot{Items: items, Systems: []snapshot.SystemState{{System: snapshot.PM2, Status: snapshot.StatusOK}}}
	w := &World{Now: snap, Before: snapshot.Nothing}
	bad := map[snapshot.Key]bool{"pm2/07": true, "pm2/31": true}
	some := &Check{ID: "some", System: snapshot.PM2, Severity: High, Judge: func(p *Pass) {
		for _, it := range p.Items() {
			if bad[it.Key] {
				panic("value of " + it.Name)
			}
			p.Report(Report{Item: it.Key, Message: "found"})
		}
	}}
	all := &Check{ID: "all", System: snapshot.PM2, Judge: func(p *Pass) { _ = p.Items()[len(p.Items())] }}
	j := Judge([]*Check{some, all}, w)
	if len(j.Findings) != 48 || len(j.Crashed) != 3 {
		t.Fatalf("%d findings, crashed: %+v", len(j.Findings), j.Crashed)
	}
	for i, want := range []Crash{{"some", "pm2/07", ""}, {"some", "pm2/31", ""}, {"all", "", ""}} {
		got := j.Crashed[i]
		if got.Check != want.Check || got.Item != want.Item || strings.Contains(got.What, "secret") || !strings.Contains(got.What, "at audit/crash_test.go:") {
			t.Errorf("%+v", got)
		}
	}
	prev := []*Record{
		{Finding: Finding{ID: FindingID(snapshot.PM2, "pm2/07", "some", ""), Check: "some", Item: "pm2/07", System: snapshot.PM2}},
		{Finding: Finding{ID: "other", Check: "some", Item: "pm2/08", System: snapshot.PM2}},
		{Finding: Finding{ID: "whole", Check: "all", Item: "pm2/08", System: snapshot.PM2}},
	}
	for _, r := range Track(prev, j, []*Check{some, all}, w, Mark{Seq: 2}) {
		switch {
		case r.ID == "other" && r.Open(), r.ID == "whole" && (!r.Open() || !r.Carried), r.Item == "pm2/07" && !r.Carried:
			t.Errorf("%s of %s: open %v, carried %v", r.Check, r.Item, r.Open(), r.Carried)
		}
	}
}

// A panic in an analysis that checks share is one of each check that asks for it.
func TestJudge_crash_shared(t *testing.T) {
	snap := &snapshot.Snapshot{Items: []*snapshot.Item{{Key: "pm2/a"}, {Key: "pm2/b"}}}
	asks := func(id string) *Check {
		return &Check{ID: id, System: snapshot.PM2, Severity: High, Still: true, Judge: func(p *Pass) {
			for _, it := range p.Items() {
				snapshot.Derive(p.Derived, "shared", 1, []string{string(it.Key)}, func() int {
					if it.Key == "pm2/b" {
						panic("b")
					}
					return 1
				})
				p.Report(Report{Item: it.Key, Message: "found"})
			}
		}}
	}
	j := Judge([]*Check{asks("first"), asks("second")}, &World{Now: snap, Before: snapshot.Nothing, Derived: &snapshot.Derived{}})
	if len(j.Findings) != 2 || len(j.Crashed) != 2 || len(j.Still) != 0 {
		t.Fatalf("%d findings, crashed %+v, kept %v", len(j.Findings), j.Crashed, j.Still)
	}
	for _, c := range j.Crashed {
		if c.Item != "pm2/b" {
			t.Errorf("%+v", c)
		}
	}
}
