package pipeline

import (
	"fmt"
	"testing"

	"healthaudit/audit"
	"healthaudit/snapshot"
)

// TestGate_marks_what_fails_it holds the reasons of the gate against the findings that are marked as
// failing it: there is one exactly when there is the other.
func TestGate_marks_what_fails_it(t *testing.T) {
	const now = 7
	rec := func(s audit.Severity, opened uint64) *audit.Record {
		at := audit.Mark{Seq: opened}
		return &audit.Record{Finding: audit.Finding{Item: "scripts/a", System: snapshot.Scripts, Severity: s}, First: at, Opened: at}
	}
	high, low, fresh := rec(audit.High, 3), rec(audit.Low, 3), rec(audit.Low, now)
	waived, resolved, other := rec(audit.Critical, now), rec(audit.Critical, 3), rec(audit.Critical, now)
	waived.Waived = &audit.Waived{Reason: "r", Until: "2027-01-01"}
	resolved.Resolved = &audit.Mark{Seq: now}
	other.Item, other.System = "pm2/a", snapshot.PM2
	for _, c := range []struct {
		name      string
		on        []string
		findings  []*audit.Record
		reference bool
		want      []int // of the findings, those that fail the gate
	}{
		{"a severity means that or worse", []string{"medium"}, []*audit.Record{high, low}, true, []int{0}},
		{"what is waived or resolved fails nothing", []string{"info", "new"}, []*audit.Record{waived, resolved}, true, nil},
		{"a system that was not asked for fails nothing", []string{"info", "new"}, []*audit.Record{other}, true, nil},
		{"new is what was not there before", []string{"new"}, []*audit.Record{high, fresh}, true, []int{1}},
		{"nothing is new in a first run", []string{"new"}, []*audit.Record{fresh}, false, nil},
		{"never", []string{"never"}, []*audit.Record{high, fresh}, true, nil},
		{"a regression is not one finding", []string{"regression"}, []*audit.Record{high, fresh}, true, nil},
	} {
		v := &View{Seq: now, Info: &Info{FailOn: c.on}, Snapshot: &snapshot.Snapshot{Systems: []snapshot.SystemState{
			{System: snapshot.Scripts, Status: snapshot.StatusOK}, {System: snapshot.PM2, Status: snapshot.StatusSkipped}}}}
		if c.reference {
			v.Info.Reference = map[snapshot.System]uint64{snapshot.Scripts: now - 1}
		}
		var fail []int
		for i, r := range c.findings {
			tracked := audit.Tracked{Record: r}
			v.findings = append(v.findings, tracked)
			if v.failing(tracked) {
				fail = append(fail, i)
			}
		}
		if fmt.Sprint(fail) != fmt.Sprint(c.want) || (len(v.reasons()) > 0) != (len(c.want) > 0) {
			t.Errorf("%s: %v fail the gate, want %v; its reasons are %q", c.name, fail, c.want, v.reasons())
		}
	}
}
