package script

import (
	"testing"

	"healthaudit/audit"
	"healthaudit/snapshot"
)

// What only our parser objects to is not said to fail, and the line is that of the fault.
func TestSyntax_entry(t *testing.T) {
	for problem, want := range map[string]string{
		"7:3:doubt:odd": "script does not parse; the crontab entry on line 7 may not parse: odd.",
		"7:3:sure:odd":  "crontab line cannot run as it is written; the crontab entry on line 7 cannot run as it is written: odd.",
	} {
		it := &snapshot.Item{Key: "scripts/cron:crontab:00000000", Kind: "cron", Path: "crontab", Line: 2}
		it.Add(snapshot.Semantic, "syntax", snapshot.Text("broken"))
		it.Add(snapshot.Detail, "problems", snapshot.List(problem))
		it.Sort()
		j := audit.Judge([]*audit.Check{Syntax}, &audit.World{Now: &snapshot.Snapshot{Items: []*snapshot.Item{it}}, Before: snapshot.Nothing, Derived: &snapshot.Derived{}})
		if len(j.Findings) != 1 || j.Findings[0].Title+"; "+j.Findings[0].Message != want {
			t.Errorf("%s: %+v, want %s", problem, j.Findings, want)
		}
	}
}
