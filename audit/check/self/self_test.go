package self

import (
	"slices"
	"testing"

	"healthaudit/audit"
	"healthaudit/audit/check/checktest"
	"healthaudit/snapshot"
	"healthaudit/snapshot/collect/script"
)

func TestCases(t *testing.T) { checktest.Run(t, All, script.Collector) }

func TestSystemUnreadable(t *testing.T) {
	broken := &snapshot.Item{Key: "scripts/file:web/package.json"}
	now := &snapshot.Snapshot{Items: []*snapshot.Item{broken}, Systems: []snapshot.SystemState{
		{System: snapshot.PM2, Status: snapshot.StatusPartial, Sources: []snapshot.Source{{Name: "/home/a/.pm2", OK: true}, {Name: "/home/b/.pm2", Message: "no permission"}}},
		{System: snapshot.Scripts, Status: snapshot.StatusPartial, Sources: []snapshot.Source{{Name: "npm:web/package.json", Message: "not JSON"}}},
	}}
	judge := func() []audit.Finding {
		return audit.Judge([]*audit.Check{SystemUnreadable}, &audit.World{Now: now, Before: snapshot.Nothing}).Findings
	}
	got := judge()
	if len(got) != 1 || got[0].Item != "pm2/(system)" || got[0].Severity != audit.Medium || got[0].Discriminator != "/home/b/.pm2" {
		t.Errorf("only the failed home is to be told, the broken file is judged itself: %+v", got)
	}
	broken.Unknown = "no permission"
	if got := judge(); len(got) != 2 {
		t.Errorf("an unreadable file has no verdict of its own: %+v", got)
	}
}

// Nobody watches what could not be listed three times in a row.
func TestSystemUnreadable_for_long(t *testing.T) {
	now := &snapshot.Snapshot{Systems: []snapshot.SystemState{{System: snapshot.PM2, Status: snapshot.StatusError, Reason: "no answer"}}}
	for runs, want := range map[int]audit.Severity{0: audit.High, 1: audit.High, 2: audit.High, 3: audit.Critical, 9: audit.Critical} {
		w := &audit.World{Now: now, Before: snapshot.Nothing, Failing: map[snapshot.System]int{snapshot.PM2: runs}}
		if got := audit.Judge([]*audit.Check{SystemUnreadable}, w).Findings; len(got) != 1 || got[0].Severity != want {
			t.Errorf("%d runs: %+v", runs, got)
		}
	}
}

// A PM2 home that is no folder is three sources, and one thing to mend.
func TestSystemUnreadable_one_place(t *testing.T) {
	bad := func(name, why string) snapshot.Source { return snapshot.Source{Name: name, Message: why} }
	now := &snapshot.Snapshot{Systems: []snapshot.SystemState{{System: snapshot.PM2, Status: snapshot.StatusPartial, Sources: []snapshot.Source{
		bad("daemon:/a", "it is not a folder"), bad("dump:/a", "it is not a folder"), bad("runtime:/a", "it is not a folder"), bad("runtime:/b", "it is not a folder"), bad("dump:/b", "no rights")}}}}
	var got []string
	for _, f := range audit.Judge([]*audit.Check{SystemUnreadable}, &audit.World{Now: now, Before: snapshot.Nothing}).Findings {
		got = append(got, f.Discriminator)
	}
	slices.Sort(got)
	if !slices.Equal(got, []string{"daemon:/a", "dump:/b", "runtime:/b"}) {
		t.Errorf("%q", got)
	}
}
