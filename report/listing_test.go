package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"
)

func ref(seq uint64) SnapshotRef {
	return SnapshotRef{Seq: seq, ID: thisRun, At: noon.Add(-time.Duration(42-seq) * 2 * time.Hour)}
}

func snapshotRows() []SnapshotRow {
	return []SnapshotRow{
		{Seq: 42, ID: thisRun, At: noon, Score: ptr(60.0), Grade: ptr("D"), Items: 56, Findings: Counts{1, 2, 2, 2, 1}, Regressions: 4, Exit: 1, Commit: "9f8b7a6c5d4e3f2a1b0c9d8e7f6a5b4c3d2e1f0a"},
		{Seq: 41, ID: beforeRun, At: noon.Add(-2 * time.Hour), Score: ptr(93.4), Grade: ptr("A"), Items: 56, Findings: Counts{Low: 2}, Passed: true, Flags: []string{"baseline"}},
		{Seq: 1, ID: firstRun, At: noon.Add(-82 * time.Hour), Items: 12004, Findings: Counts{Critical: 120, High: 1000, Medium: 4, Low: 30000}, Passed: true, Exit: 3, Flags: []string{"partial", "only workflows,scripts"}},
	}
}

func diffView() DiffView {
	return DiffView{Old: ref(41), New: ref(42),
		Changes: []Change{
			{Item: "pm2/api", System: "pm2", Op: "changed", Files: []string{"ecosystem.config.js"}, Facts: []FactChange{
				{"exec-mode", "fork", "cluster", "neutral"}, {"instances", 1.0, 4.0, "neutral"}, {"max-memory", "300M", nil, "up"}, {"env.TOKEN", "(secret)", "(another secret)", "neutral"}}},
			{Item: "scripts/tools/rotate-logs.sh", System: "scripts", Op: "removed", Files: []string{"tools/rotate-logs.sh"}},
			{Item: "workflows/ci.yml", System: "workflows", Op: "rebased"},
			{Item: "workflows/deploy.yml", System: "workflows", Op: "changed", Files: []string{".github/workflows/deploy.yml"}, Facts: []FactChange{
				{"jobs.deploy.steps", []string{"checkout", "setup-node", "npm ci", "Build storefront", "upload"}, []any{"checkout", "Build storefront"}, "neutral"},
				{"jobs.deploy.timeout-minutes", nil, 10.0, "down"}, {"permissions", "", "write-all", "up"}}},
			{Item: "workflows/部署\n\x1b[31m.yml", System: "workflows", Op: "added"},
		},
		NotCompared: []NotCompared{{"functions", "not asked for (--only)"}},
		Patches:     []Patch{{".github/workflows/deploy.yml", "@@ -3,2 +3,2 @@\n permissions:\n-  contents: read\n+permissions: write-all # " + strings.Repeat("long ", 30) + "\x1b[2J\n"}},
	}
}

func historyView() HistoryView {
	return HistoryView{Item: "workflows/deploy.yml", System: "workflows", Name: "deploy", Path: ".github/workflows/deploy.yml", Entries: []HistoryEntry{
		{Seq: 42, ID: thisRun, At: noon, Commit: "9f8b7a6c5d4e3f2a", Level: "failing", Score: ptr(70.0), State: "active", Op: "changed",
			Facts:  []FactChange{{"permissions", []string{"contents: read"}, "write-all", "up"}},
			Opened: []FindingShort{{"", "workflow-missing-target", "high", "runs what is not there", `step "Build storefront" runs "npm run build:prod" in web, which has no such script`, ""}}},
		{Seq: 40, ID: beforeRun, At: noon.Add(-4 * time.Hour), Level: "ok", Score: ptr(100.0), Closed: []FindingShort{{"", "workflow-lint", "medium", "lint", "", ""}}},
		{Seq: 7, ID: firstRun, At: noon.Add(-72 * time.Hour), Op: "removed"},
		{Seq: 3, ID: firstRun, At: noon.Add(-80 * time.Hour), Level: "unknown"},
		{Seq: 1, ID: firstRun, At: noon.Add(-82 * time.Hour), Level: "degraded", Score: ptr(88.0), Op: "added"},
	}, Scores: curve(88, 88, -1, 100, 100, 100, 70), Metrics: []Line{{"memory.bytes", curve(-1, 104857600, 104857700, 209715200, 209715300, 314572800, 419430400)}, {"instances", curve(2, 2, 2, 2, 2, 2, 2)}}}
}

func journalRows() []JournalRow {
	return []JournalRow{
		{Seq: 57, At: noon, Run: thisRun, Actor: "deploy via cron", Action: "run", Result: "done", Detail: "snapshot #42, 56 items", Hash: digest("57")},
		{Seq: 56, At: noon.Add(-time.Hour), Actor: "ann", Action: "restore", Item: "workflows/deploy.yml", Result: "failed", Detail: ".github/workflows/deploy.yml changed since the latest snapshot\nsecond line", Hash: digest("56")},
	}
}

func checkDoc() CheckDoc {
	return CheckDoc{ID: "pm2-crash-loop", System: "pm2", Title: "crash loop", Severity: "critical", Confidence: "high",
		Doc:  "A process that dies again and again serves nobody, and PM2 shows it as online between two deaths.\n\nThe counter of restarts is compared with the snapshot before;\na reset of the counter starts a new series.",
		Hint: "Read its error log, repair the cause, then restart it.", Discriminator: "none: one per app", Source: "https://pm2.keymetrics.io/docs/usage/restart-strategies/",
		Limits: []LimitDoc{{"restarts", 5, "restarts", "how many between two snapshots are a loop"}},
		Bad:    "before: restarts 3, now: restarts 17   # " + strings.Repeat("wide ", 20) + "\n\nfile.yml:\n\ta: 1   # " + strings.Repeat("wide ", 20) + "\n", Good: "before: restarts 3\nnow: restarts 3\n"}
}

func restoreView() RestoreView {
	return RestoreView{Snapshot: ref(41), Target: "/srv/shop", Files: []RestoreFile{
		{".github/workflows/deploy.yml", "workflows/deploy.yml", "written", "", 1832, "", ""},
		{"netlify/functions/" + strings.Repeat("very-long-folder/", 6) + "checkout.mjs", "functions/checkout", "kept", "it changed since the latest snapshot; --overwrite always takes the old one", 912, "", ""},
		{"tools/sync.sh", "scripts/tools/sync.sh", "unchanged", "", 40, "", ""}}}
}

func TestListings(t *testing.T) {
	stats := StatsView{Path: "/srv/shop/.audit/audit.db", FileBytes: 33554432, InUseBytes: 20123456, Snapshots: 388, Items: 2000, Blobs: 3121, BlobBytes: 9123456, Journal: 1,
		Oldest: ptr(ref(1)), Newest: ptr(ref(42)), CacheBytes: 3456789}
	dry := restoreView()
	dry.DryRun = true
	for _, c := range []struct {
		name string
		v    any
		wide bool // has foreign lines that are shown as wide as they are
		text func(io.Writer, Options) error
	}{
		{"list", snapshotRows(), false, func(w io.Writer, o Options) error { return Snapshots(w, snapshotRows(), o) }},
		{"list-empty", []SnapshotRow(nil), false, func(w io.Writer, o Options) error { return Snapshots(w, nil, o) }},
		{"diff", diffView(), true, func(w io.Writer, o Options) error { return Diff(w, diffView(), o) }},
		{"diff-same", DiffView{Old: ref(41), New: ref(42)}, false, func(w io.Writer, o Options) error { return Diff(w, DiffView{Old: ref(41), New: ref(42)}, o) }},
		{"history", historyView(), false, func(w io.Writer, o Options) error { return History(w, historyView(), o) }},
		{"journal", journalRows(), false, func(w io.Writer, o Options) error { return Journal(w, journalRows(), o) }},
		{"checks", []CheckRow{{"cross-backup-litter", "", "low", "backup copies in the tree"}, {"workflow-shared-concurrency", "workflows", "medium", "shares a concurrency group"}}, false, func(w io.Writer, o Options) error {
			return Checks(w, []CheckRow{{"cross-backup-litter", "", "low", "backup copies in the tree"}, {"workflow-shared-concurrency", "workflows", "medium", "shares a concurrency group"}}, o)
		}},
		{"explain", checkDoc(), false, func(w io.Writer, o Options) error { return CheckExplain(w, checkDoc(), o) }},
		{"stats", stats, false, func(w io.Writer, o Options) error { return Stats(w, stats, o) }},
		{"schedules", schedulesView(0), false, func(w io.Writer, o Options) error { return Schedules(w, schedulesView(0), o) }},
		{"schedules-abroad", schedulesView(330 * time.Minute), false, func(w io.Writer, o Options) error { return Schedules(w, schedulesView(330*time.Minute), o) }},
		{"schedules-none", SchedulesView{Snapshot: ref(42)}, false, func(w io.Writer, o Options) error { return Schedules(w, SchedulesView{Snapshot: ref(42)}, o) }},
		{"bisect", bisectView(), false, func(w io.Writer, o Options) error { return Bisect(w, bisectView(), o) }},
		{"bisect-always", BisectView{Check: "script-syntax", Item: "scripts/a.sh", First: BisectPoint{Snapshot: ref(1)}, Snapshots: 1}, false, func(w io.Writer, o Options) error {
			return Bisect(w, BisectView{Check: "script-syntax", Item: "scripts/a.sh", First: BisectPoint{Snapshot: ref(1)}, Snapshots: 1}, o)
		}},
		{"baseline", baselineView(), false, func(w io.Writer, o Options) error { return Baseline(w, baselineView(), o) }},
		{"status", statusView(), false, func(w io.Writer, o Options) error { return Status(w, statusView(), o) }},
		{"restore", restoreView(), false, func(w io.Writer, o Options) error { return Restore(w, restoreView(), o) }},
		{"restore-dry", dry, false, func(w io.Writer, o Options) error { return Restore(w, dry, o) }},
	} {
		for _, width := range []int{60, 80, 120} {
			t.Run(fmt.Sprintf("%s-%d", c.name, width), func(t *testing.T) {
				var b, again bytes.Buffer
				if err := errors.Join(c.text(&b, Options{Width: width}), c.text(&again, Options{Width: width})); err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(b.Bytes(), again.Bytes()) {
					t.Error("other bytes the second time")
				}
				if c.wide {
					fits(t, b.Bytes(), 400)
				} else {
					fits(t, b.Bytes(), width)
				}
				if width != 120 {
					golden(t, fmt.Sprintf("listing-%s-%d.txt", c.name, width), b.Bytes())
				}
			})
		}
		t.Run(c.name+"-every-width", func(t *testing.T) {
			for width := 60; width <= 200 && !c.wide && !t.Failed(); width++ {
				var b bytes.Buffer
				if err := c.text(&b, Options{Width: width}); err != nil {
					t.Fatal(err)
				}
				fits(t, b.Bytes(), width)
			}
		})
		t.Run(c.name+"-json", func(t *testing.T) {
			var b bytes.Buffer
			if err := WriteJSON(&b, c.v); err != nil {
				t.Fatal(err)
			}
			var back any
			if err := json.Unmarshal(b.Bytes(), &back); err != nil || back == nil {
				t.Fatalf("%v: %s", err, b.Bytes())
			}
			for _, name := range []string{"changes", "patches", "flags", "entries", "files", "buckets", "limits", "facts", "opened", "schedules", "next", "days", "hours", "crowded", "collisions", "items", "not_read"} {
				if bytes.Contains(b.Bytes(), []byte(`"`+name+`": null`)) {
					t.Errorf("%s is null", name)
				}
			}
		})
	}
}

// full fails after a few bytes, as a pipe that was closed.
type full struct{ left int }

func (f *full) Write(b []byte) (int, error) {
	if f.left -= len(b); f.left < 0 {
		return 0, io.ErrClosedPipe
	}
	return len(b), nil
}

func TestListings_report_a_writer_that_fails(t *testing.T) {
	rows := make([]SnapshotRow, 500)
	for name, err := range map[string]error{
		"list":    Snapshots(&full{200}, rows, Options{}),
		"restore": Restore(&full{150}, restoreView(), Options{}),
		"diff":    Diff(&full{10}, diffView(), Options{}),
		"json":    WriteJSON(&full{10}, rows),
		"table":   Table.Render(&full{10}, ordinary(), Options{}),
	} {
		if !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("%s: error %v, want that of the writer", name, err)
		}
	}
}
