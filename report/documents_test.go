package report

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"time"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

const (
	thisRun   = "01KAR4GZ00ABCDEFGHJKMNPQRS"
	beforeRun = "01KAAAAAAAAAAAAAAAAAAAAA41"
	firstRun  = "01KAKJ2900ABCDEFGHJKMNPQRS"
)

func ptr[T any](v T) *T { return &v }

func digest(s string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(s))) }

// documents are what every renderer is tried on, by name.
func documents() map[string]*Document {
	return map[string]*Document{
		"ordinary": ordinary().past(), "first-run": firstDocument(), "empty": empty(), "nothing-wrong": nothingWrong(),
		"hostile": hostile(), "many": many(), "unreadable": unreadable(), "zero": {Schema: Schema, Run: Run{ID: thisRun, Started: noon, Finished: noon, Root: "/", Past: "first"}, Recovery: Recovery{Mode: "off"}},
	}
}

func base() *Document {
	return &Document{
		Schema: Schema, Tool: Tool{"1.0.0"},
		Run: Run{ID: thisRun, Seq: 42, Started: noon, Finished: noon.Add(412 * time.Millisecond).Truncate(time.Second), DurationMS: 412, Host: "web-1", Root: "/srv/shop", Past: "known",
			Git: &Git{Commit: "9f8b7a6c5d4e3f2a1b0c9d8e7f6a5b4c3d2e1f0a", Branch: "main"}},
		Gate:        Gate{FailOn: []string{"critical", "regression"}, FailUnder: ptr(0.0), Passed: true},
		Score:       Score{Value: ptr(100.0), Grade: ptr("A"), Delta: ptr(0.0), DeltaLikeForLike: ptr(0.0), ComparedTo: beforeRef(), WithoutWaivers: ptr(100.0), Coverage: 1, History: history(100, 100)},
		Systems:     []System{system("pm2", 7), system("workflows", 6), system("functions", 12), system("scripts", 31)},
		Recovery:    Recovery{Mode: "plan"},
		JournalHead: &Head{Seq: 57, Hash: digest("journal")},
	}
}

func history(values ...float64) []ScorePoint {
	out := make([]ScorePoint, len(values))
	for i, v := range values {
		back := len(values) - 1 - i
		out[i] = ScorePoint{Seq: uint64(42 - back), At: noon.Add(-time.Duration(back) * 2 * time.Hour), Value: ptr(v), Run: runID(42 - back)}
		if back == 0 {
			out[i].Run = thisRun
		}
	}
	return out
}

// runID is the id of a run of which nothing but its number matters.
func runID(seq int) string { return fmt.Sprintf("01KAAAAAAAAAAAAAAAAAAAAA%02d", seq) }

// beforeRef is the run that the deltas are from.
func beforeRef() *SnapshotRef {
	return &SnapshotRef{Seq: 41, ID: beforeRun, At: noon.Add(-2 * time.Hour)}
}

func system(name string, items int) System {
	return System{System: name, Status: "ok", ComparedTo: ptr(beforeRun), Items: items, Score: SystemScore{ptr(100.0), ptr("A")}, DurationMS: 80}
}

// finding makes a persisting finding on an item; place is "path:line" or empty.
func finding(severity, check, item, place, title, message, hint string, loss float64) Finding {
	f := Finding{ID: digest(item + check + message), Check: check, Severity: severity, Confidence: "high", Status: "persisting", Item: item,
		System: strings.Split(item, "/")[0], Title: title, Message: message, Hint: hint, Loss: loss, FirstSeen: Mark{firstRun, noon.Add(-72 * time.Hour)}, Opened: Mark{firstRun, noon.Add(-72 * time.Hour)}}
	if path, line, ok := strings.Cut(place, ":"); ok {
		f.Location = &Location{Path: path, Column: 1}
		fmt.Sscan(line, &f.Location.Line)
	}
	return f
}

func (f Finding) is(status string, regression bool) Finding {
	f.Status, f.Regression = status, regression
	if status == "new" {
		f.FirstSeen = Mark{thisRun, noon}
	}
	if status == "new" || status == "reopened" {
		f.Opened = Mark{thisRun, noon}
	}
	return f
}

func ordinary() *Document {
	d := base()
	d.Run.Git.Dirty = true
	d.Score = Score{Value: ptr(60.0), Grade: ptr("D"), Delta: ptr(-33.4), DeltaLikeForLike: ptr(-34.1), ComparedTo: beforeRef(), WithoutWaivers: ptr(59.2), Coverage: 0.982, History: history(93.4, 93.4, 91.8, 93.4, 60.0)}
	d.Systems[0].Score, d.Systems[0].Counts = SystemScore{ptr(46.9), ptr("F")}, Counts{Critical: 1, Medium: 1}
	d.Systems[1].Score, d.Systems[1].Counts = SystemScore{ptr(82.9), ptr("B")}, Counts{High: 1, Low: 1}
	d.Systems[2].Score, d.Systems[2].Counts = SystemScore{ptr(93.1), ptr("A")}, Counts{High: 1, Info: 1}
	d.Systems[3].Score, d.Systems[3].Counts = SystemScore{ptr(98.8), ptr("A")}, Counts{Medium: 1, Low: 2}
	d.Findings = []Finding{
		finding("critical", "pm2-crash-loop", "pm2/api", "ecosystem.config.js:4", "crash loop", "api restarted 14 times since the run before, 2 h ago; it lives 9 s on average", "Read its error log (pm2 logs api --err --lines 50), repair the cause, then pm2 restart api.", 28.7).is("new", true),
		finding("high", "workflow-missing-target", "workflows/deploy.yml", ".github/workflows/deploy.yml:31", "runs what is not there", `job deploy, step "Build storefront" runs "npm run build:prod" in web, but web/package.json has no such script`, "Add the script to web/package.json, or call one of build, build:dev, test.", 6.4).is("new", true),
		finding("high", "function-no-handler", "functions/checkout", "netlify/functions/checkout.mjs:1", "exports no handler", "checkout.mjs exports neither default nor handler: Netlify answers every request with 502", "Begin checkout.mjs with\nexport default async (req) => {\n  return new Response(\"ok\")\n}", 3.9).is("reopened", true),
		finding("medium", "pm2-not-running", "pm2/mailer", "ecosystem.config.js:19", "declared, not running", "mailer is declared in ecosystem.config.js and PM2 does not have it", "pm2 start ecosystem.config.js --only mailer", 0.7),
		finding("medium", "script-not-executable", "scripts/tools/backup-database.sh", "tools/backup-database.sh:1", "not executable", "crontab:3 starts tools/backup-database.sh directly, and it has mode 0644", "chmod +x tools/backup-database.sh, then git update-index --chmod=+x.", 0.3),
		finding("low", "workflow-lint", "workflows/(system)", "", "lint", "11 uses of actions that are not pinned to a commit in 6 workflows", "Pin third-party actions to a full commit hash.", 0.2),
		finding("low", "cross-backup-litter", "scripts/(system)", "tools/sync.sh.bak:1", "backup copies in the tree", "3 copies of tools/sync.sh: sync.sh.bak, sync.sh.old, sync (copy).sh", "Delete them: git remembers.", 0.04),
		finding("info", "function-schedule-ignored", "functions/report-weekly", "netlify.toml:22", "schedule is not used here", "the schedule in netlify.toml is the same as in the code", "", 0),
		finding("medium", "script-conflict-marker", "scripts/tools/import.js", "tools/import.js:88", "conflict marker", "a line of seven < stands in tools/import.js", "Resolve it.", 0).is("resolved", false),
	}
	w := finding("low", "workflow-shared-concurrency", "workflows/nightly.yml", ".github/workflows/nightly.yml:7", "shares a concurrency group", "nightly.yml and deploy.yml cancel each other in group main", "", 0)
	w.Waiver = &Waiver{Reason: "they never run at the same hour", Until: "2027-01-31", By: "ann"}
	d.Findings = append(d.Findings, w)
	d.Regressions = []Regression{
		{Item: "pm2/api", Code: "R1", Was: "ok", Now: "failing", Reference: Mark{beforeRun, noon.Add(-2 * time.Hour)}, Since: Mark{thisRun, noon}},
		{Item: "pm2/api", Code: "R2", Was: "100.0", Now: "40.0", Reference: Mark{beforeRun, noon.Add(-2 * time.Hour)}, Since: Mark{thisRun, noon}},
		{Item: "workflows/deploy.yml", Code: "R1", Was: "ok", Now: "failing", Reference: Mark{beforeRun, noon.Add(-2 * time.Hour)}, Since: Mark{thisRun, noon}},
		{Item: "functions/checkout", Code: "R2", Was: "100.0", Now: "70.0", Reference: Mark{runID(39), noon.Add(-6 * time.Hour)}, Since: Mark{runID(40), noon.Add(-4 * time.Hour)}},
		{Item: "pm2/mailer", Code: "R3", Was: "100.0", Now: "88.0", Reference: Mark{runID(39), noon.Add(-6 * time.Hour)}, Since: Mark{beforeRun, noon.Add(-2 * time.Hour)}},
		{Item: "pm2/mailer", Code: "R5", Was: "as usual", Now: "memory grows without end", Reference: Mark{runID(39), noon.Add(-6 * time.Hour)}, Since: Mark{beforeRun, noon.Add(-2 * time.Hour)}},
		{Item: "scripts/tools/import.js", Code: "R4", Was: "100.0", Now: "84.9", Reference: Mark{beforeRun, noon.Add(-2 * time.Hour)}, Since: Mark{thisRun, noon}},
		{Item: "scripts/tools/rotate-logs.sh", Code: "R6", Was: "ok", Now: "gone", Reference: Mark{runID(17), noon.Add(-50 * time.Hour)}, Since: Mark{runID(18), noon.Add(-48 * time.Hour)}},
	}
	d.Changes = []Change{
		{Item: "workflows/deploy.yml", System: "workflows", Op: "changed", Files: []string{".github/workflows/deploy.yml"}, Facts: []FactChange{
			{Name: "jobs.deploy.steps", Old: []string{"checkout", "setup-node", "Build"}, New: []string{"checkout", "Build storefront"}, Risk: "neutral"},
			{Name: "permissions", Old: []string{"contents: read"}, New: "write-all", Risk: "up"}}},
		{Item: "scripts/npm:build", System: "scripts", Op: "added"},
		{Item: "scripts/tools/rotate-logs.sh", System: "scripts", Op: "removed"},
	}
	d.Items = []Item{
		{Key: "functions/checkout", System: "functions", Name: "checkout", Path: "netlify/functions/checkout.mjs", Level: "failing", Score: ptr(70.0), Change: "unchanged"},
		{Key: "pm2/api", System: "pm2", Name: "api", Path: "ecosystem.config.js", State: "online", Level: "failing", Score: ptr(40.0), Change: "unchanged", Flapping: ptr(35.5),
			Facts: map[string]any{"exec-mode": "fork", "instances": 1.0, "watch": false, "env": []string{"NODE_ENV"}}, Metrics: map[string]float64{"restarts": 14},
			Files: []File{{"ecosystem.config.js", "0644", 812, digest("eco"), "shared"}}, Starts: []string{"scripts/server.js"}},
		{Key: "scripts/cron:crontab:0badcafe", System: "scripts", Name: "sync.sh", Path: "crontab", Level: "unknown", Change: "unknown", Unknown: "the crontab uses a variable that is not set"},
		{Key: "workflows/deploy.yml", System: "workflows", Name: "deploy", Path: ".github/workflows/deploy.yml", State: "active", Level: "failing", Score: ptr(70.0), Change: "changed"},
	}
	d.Checks = []Check{{ID: "pm2-crash-loop", Title: "crash loop", Severity: "critical", Help: "Read its error log, repair the cause, then restart it.",
		Doc: "A process that dies again and again serves nobody, and `pm2 list` shows <online> between two deaths.\n\nIts counter tells.", Confidence: "high"}}
	d.Findings[0].FailsGate = true
	for i := range d.Regressions {
		d.Regressions[i].FailsGate = true
	}
	d.Gate.Passed, d.Gate.Exit, d.Gate.Why = false, 1, []string{"1 critical finding", "4 regressions"}
	return d
}

func firstDocument() *Document {
	d := base()
	d.Run.Seq, d.Run.Past = 1, "first"
	d.Score = Score{Value: ptr(93.4), Grade: ptr("A"), WithoutWaivers: ptr(93.4), Coverage: 1, History: []ScorePoint{{1, noon, ptr(93.4), thisRun}}}
	for i := range d.Systems {
		d.Systems[i].ComparedTo = nil
	}
	d.Systems[0] = System{System: "pm2", Status: "absent", Reason: "no PM2 home and no ecosystem file"}
	d.Systems[3].Score, d.Systems[3].Counts = SystemScore{ptr(98.8), ptr("A")}, Counts{Medium: 1}
	d.Findings = []Finding{finding("medium", "script-not-executable", "scripts/tools/backup-database.sh", "tools/backup-database.sh:1", "not executable", "crontab:3 starts tools/backup-database.sh directly, and it has mode 0644", "chmod +x tools/backup-database.sh", 1.2).is("new", false)}
	d.JournalHead = nil
	return d
}

func empty() *Document {
	d := base()
	d.Run.Git = nil
	d.Score = Score{Coverage: 1}
	d.Systems = nil
	for _, s := range []string{"pm2", "workflows", "functions", "scripts"} {
		d.Systems = append(d.Systems, System{System: s, Status: "absent", Reason: "nothing of that kind here"})
	}
	d.JournalHead = nil
	return d
}

func nothingWrong() *Document {
	d := base()
	d.Score.History = history(98.2, 99.1, 100, 100)
	return d
}

func unreadable() *Document {
	d := base()
	d.Run.Seq = 0
	d.Score = Score{Value: ptr(88.2), Grade: ptr("B"), Delta: ptr(1.4), DeltaLikeForLike: ptr(0.0), ComparedTo: beforeRef(), WithoutWaivers: ptr(88.2), Coverage: 0.61, History: history(86.8, 88.2)}
	d.Systems[0] = System{System: "pm2", Status: "error", Reason: "the daemon accepts and does not answer", ComparedTo: ptr(beforeRun), Items: 7}
	d.Systems[1].Status = "partial"
	d.Systems[2] = System{System: "functions", Status: "skipped", Reason: "not asked for (--only)", Items: 12}
	d.Findings = []Finding{finding("high", "audit-system-unreadable", "pm2/(system)", "", "listing failed", "the PM2 daemon at /root/.pm2/rpc.sock accepts and does not answer within 5 s", "Run audit as the user the daemon belongs to, or restart it: pm2 kill, pm2 resurrect.", 11.8).is("new", false)}
	old := finding("high", "pm2-errored", "pm2/api", "", "errored", "api has stopped after too many restarts", "pm2 logs api", 0)
	old.Carried = true
	d.Findings = append(d.Findings, old)
	for i := range 7 {
		d.Items = append(d.Items, Item{Key: fmt.Sprintf("pm2/worker-%d", i), System: "pm2", Level: "unknown", Change: "unknown"})
	}
	d.Errors = []Error{{"pm2", "", "the daemon accepts and does not answer", "Run audit as the user the daemon belongs to."}, {"workflows", ".github/workflows/secret.yml", "permission denied", "chmod o+r .github/workflows/secret.yml"}}
	d.Gate.Exit = 3
	return d
}

func hostile() *Document {
	d := base()
	long := strings.Repeat("a-very-long-name/", 18)[:300]
	names := []string{
		"two\nlines\r\nof | pipes | and `ticks`", "<script>alert(1)</script>&amp;", "\x1b[31mred\x1b[0m \x1b]0;title\a \u009b1mC1", "\u202egnp.exe\u202c right-to-left \u2066x\u2069",
		long, "部署生产环境的工作流程名称非常非常长需要换行显示才可以看得见的那一种", "zero\u200bwidth\ufeff and \u00ad soft", "bad \xff\xfe utf-8 \x00\x07\x7f", "👨‍👩‍👧 emoji ⚠️ ✅ 🇩🇪", "z" + strings.Repeat("\u0300", 40), "\u0301 starts with an accent", "tab\tand a\u2028line separator", "שלום עולם", "::error file=x::of a workflow", `=HYPERLINK("http://x","y")`, "-2+3 [a](1) [b](http://x) {0}", "@SUM(1)", strings.Repeat("x", 300),
	}
	d.Score.Value, d.Score.Grade, d.Score.Delta = ptr(69.9), ptr("D"), ptr(-30.1)
	for i, n := range names {
		key := "workflows/" + n
		f := finding([]string{"high", "medium", "low"}[i%3], fmt.Sprintf("workflow-check-%c", 'a'+i), key, n+":7", n, "message "+n, "hint "+n, float64(i)/7).is("new", i%2 == 0)
		f.Location, f.FailsGate = &Location{n, 7, 1}, i%3 == 0
		d.Findings = append(d.Findings, f)
		d.Items = append(d.Items, Item{Key: key, System: "workflows", Name: n, Path: n, State: n, Level: "unknown", Change: "unknown", Unknown: n, Facts: map[string]any{n: n, "l": []string{n}}})
		d.Errors = append(d.Errors, Error{"workflows", n, n, n})
		d.Regressions = append(d.Regressions, Regression{key, "R1", n, n, Mark{firstRun, noon.Add(-time.Hour)}, Mark{thisRun, noon}, i%4 == 0})
		d.Changes = append(d.Changes, Change{Item: key, System: "workflows", Op: "changed", Facts: []FactChange{{n, n, []string{n}, "up"}}, Files: []string{n}})
	}
	d.past()
	for i, n := range names {
		d.Schedules = append(d.Schedules, Schedule{Item: "workflows/" + n, System: "workflows", Dialect: "github", Expression: n, Timezone: n, Why: n, Effective: i%2 == 0, Location: &Location{n, 1, 1}})
		d.Journal = append(d.Journal, JournalRow{Seq: uint64(60 + i), At: noon, Actor: n, Action: n, Item: n, Result: n, Detail: n, Hash: digest(n)})
		d.Mended = append(d.Mended, Mended{ID: digest(n), Check: "workflow-a-b", Severity: "low", Item: "workflows/" + n, System: "workflows", Title: n, Opened: Mark{firstRun, noon.Add(-72 * time.Hour)}, Resolved: Mark{beforeRun, noon.Add(-2 * time.Hour)}})
		d.Week.Collisions[0].Items = append([]string{"workflows/" + n}, d.Week.Collisions[0].Items...)
	}
	d.Journal = d.Journal[len(d.Journal)-20:] // as many as a document has
	d.Run.Root, d.Run.Host, d.Run.Git.Branch = "/srv/"+names[0], names[2], names[3]
	d.Gate.Why = names[:3]
	return d
}

func many() *Document {
	d := base()
	d.Score.Value, d.Score.Grade, d.Score.Delta, d.Score.DeltaLikeForLike, d.Score.WithoutWaivers = ptr(58.1), ptr("F"), ptr(-1.3), ptr(-1.3), ptr(58.1)
	d.Systems[3].Items, d.Systems[3].Counts = 4012, Counts{High: 12, Medium: 150, Low: 338}
	d.Systems[3].Score = SystemScore{ptr(58.1), ptr("F")}
	for i := range 500 {
		sev, check, title := "low", "script-shellcheck", "lint of a shell script"
		hint := "Quote the variable."
		switch {
		case i < 12:
			sev, check, title, hint = "high", fmt.Sprintf("script-syntax-%c", 'a'+i%3), "cannot be parsed", "node --check shows the place."
		case i < 162:
			sev, check, title, hint = "medium", fmt.Sprintf("script-rule-%02d", i%25), fmt.Sprintf("rule %d broken", i%25), "See the rule."
		}
		item := fmt.Sprintf("scripts/packages/module-%03d/tools/generate.sh", i)
		f := finding(sev, check, item, fmt.Sprintf("packages/module-%03d/tools/generate.sh:%d", i, i+1), title, fmt.Sprintf("line %d of module-%03d: $FILES is not quoted", i+1, i), hint, float64(500-i)/5000)
		if i%50 == 3 {
			f = f.is("new", false)
		}
		d.Findings = append(d.Findings, f)
	}
	return d
}
