package audit

import (
	"testing"
	"time"

	"healthaudit/snapshot"
)

// TestStill: a check that is Still cannot see what moves by itself.
func TestStill(t *testing.T) {
	it := &snapshot.Item{Key: "pm2/app", Source: "home"}
	it.Add(snapshot.Semantic, "script", snapshot.Text("a.js"))
	it.Add(snapshot.Volatile, "pid", snapshot.Number(7))
	it.Metrics = []snapshot.Metric{{Name: "memory", Value: 1}}
	calm := &snapshot.Item{Key: "scripts/x", Source: "tree"}
	now := &snapshot.Snapshot{Seq: 3, ID: "01", At: time.Unix(1e9, 0), Items: []*snapshot.Item{it, calm},
		Systems: []snapshot.SystemState{{System: snapshot.PM2, Status: snapshot.StatusOK, Took: 5}}}
	saw := false
	check := &Check{ID: "cross-still", Severity: Low, Title: "still", Still: true, Judge: func(p *Pass) {
		saw = true
		app := p.Now.Item("pm2/app")
		if _, ok := app.Fact("pid"); ok || len(app.Metrics) > 0 || app.Facts.Len() != 1 || app == it {
			t.Errorf("it sees %+v", app)
		}
		if p.Now.Item("scripts/x") != calm || p.Now.Moving() != now {
			t.Error("what does not move is another")
		}
		if p.Now.Seq != 0 || p.Now.ID != "" || !p.Now.At.IsZero() || p.Now.Systems[0].Took != 0 || p.Before != snapshot.Nothing || p.Changes != nil || p.Gone != nil || p.History != nil {
			t.Errorf("it sees %+v", p.World)
		}
		p.Report(Report{Item: "pm2/app", Message: "it is there"})
		p.Doubt("scripts/x", "")
		p.DoubtAll("scripts/x")
	}}
	w := &World{Now: now, Before: now, Changes: []snapshot.Change{{}}, Gone: []Gone{{}}, Severity: map[string]Severity{"cross-still": High}}
	first := Judge([]*Check{check}, w)
	if !saw || it.Facts.Len() != 2 || len(it.Metrics) != 1 || now.Systems[0].Took != 5 {
		t.Fatalf("%v %+v", saw, it)
	}
	saw, w.Known = false, first.Still
	again := Judge([]*Check{check}, w)
	if saw {
		t.Error("it looked although it is known what it finds")
	}
	if len(again.Findings) != 1 || again.Findings[0].Severity != High || again.Findings[0].ID != first.Findings[0].ID || len(again.Doubts) != 1 || len(again.Blind) != 1 {
		t.Errorf("%+v", again)
	}
}
