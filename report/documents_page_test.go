package report

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// past adds what a page draws of week, journal and what was resolved.
func (d *Document) past() *Document {
	d.Schedules = []Schedule{
		{Item: "pm2/mailer", System: "pm2", Dialect: "pm2", Expression: "0 4 * * *", Effective: true, Next: nexts(16, 40, 64), PerDay: 1, Location: &Location{"ecosystem.config.js", 21, 5}},
		{Item: "workflows/nightly.yml", System: "workflows", Dialect: "github", Expression: "17 3 * * 1-5", Effective: true, Next: nexts(15, 39, 63), PerDay: 0.714, Location: &Location{".github/workflows/nightly.yml", 4, 7}},
		{Item: "functions/report-weekly", System: "functions", Dialect: "netlify", Expression: "@weekly", Why: "the code declares another one", Next: []time.Time{}, PerDay: 0.143, Location: &Location{"netlify.toml", 22, 3}},
		{Item: "scripts/cron:crontab:0badcafe", System: "scripts", Dialect: "crontab", Expression: "*/30 6-20 * * *", Timezone: "Europe/Berlin", Effective: true, Next: nexts(0, 1, 2), PerDay: 30, Location: &Location{"crontab", 3, 1}},
	}
	w := &Week{From: noon.Add(-12 * time.Hour), To: noon.Add(156 * time.Hour), Median: 1, Limit: 5, MinuteZero: 2, InEffect: 3, PerDay: 31.714, CrowdedMinutes: 3, CrowdedTimes: 1,
		Collisions: []Collision{{Time: "04:00", Days: 3, At: noon.Add(16 * time.Hour), Starts: 7, Items: []string{"pm2/mailer", "workflows/nightly.yml", "scripts/cron:crontab:0badcafe", "scripts/tools/a.sh", "scripts/tools/b.sh"}}}}
	for i := range 7 {
		day := Day{Date: w.From.AddDate(0, 0, i).Format(time.DateOnly), Hours: make([]int, 24), Crowded: make([]bool, 24)}
		for h := 5; h < 20; h++ {
			day.Hours[h] = 2
		}
		day.Hours[3], day.Hours[4], day.Crowded[4] = 1, 3+i%4, i < 3
		for _, n := range day.Hours {
			day.Starts += n
		}
		w.Days, w.Starts = append(w.Days, day), w.Starts+day.Starts
	}
	d.Week = w
	d.Journal = []JournalRow{
		{Seq: 55, At: noon.Add(-30 * time.Hour), Actor: "root via cron", Action: "recover", Item: "pm2/api", Result: "done", Detail: "restarted api: it is online", Hash: digest("55")},
		{Seq: 56, At: noon.Add(-26 * time.Hour), Actor: "ann via terminal", Action: "restore", Item: "workflows/ci.yml", Result: "done", Detail: "restored 1 file of snapshot #30", Hash: digest("56")},
		{Seq: 57, At: noon.Add(-3 * time.Hour), Actor: "ann via terminal", Action: "accept", Result: "failed", Detail: "the store was locked", Hash: digest("journal")},
	}
	d.Mended = []Mended{
		{ID: digest("m1"), Check: "pm2-restart-storm", Severity: "high", Item: "pm2/api", System: "pm2", Title: "restart storm", Opened: Mark{firstRun, noon.Add(-8 * time.Hour)}, Resolved: Mark{runID(40), noon.Add(-4 * time.Hour)}},
		{ID: digest("m2"), Check: "script-syntax", Severity: "medium", Item: "scripts/tools/old.sh", System: "scripts", Title: "cannot be parsed", Opened: Mark{firstRun, noon.Add(-30 * time.Hour)}, Resolved: Mark{beforeRun, noon.Add(-2 * time.Hour)}},
	}
	return d
}

func nexts(hours ...int) (out []time.Time) {
	for _, h := range hours {
		out = append(out, noon.Add(time.Duration(h)*time.Hour+17*time.Minute))
	}
	return out
}

// busy is what a page looks like after a month of runs, with recovery at work.
func busy() *Document {
	d := ordinary().past()
	values := []float64{88.1, 88.1, 90.4, 91, 91, 93.4, 93.4, 86.2, 86.2, 84, 91.8, 93.4, 93.4, 93.4, 95.2, 95.2, 95.2, 94.1, 93.4, 93.4, 90.2, 71.3, 70.9, 88, 93.4, 93.4, 91.8, 93.4, 93.4, 60}
	d.Score.History = history(values...)
	d.Score.History[12].Value = nil
	d.Recovery = Recovery{Mode: "plan", Rules: 3, Totals: map[string]int{"planned": 1, "skipped": 1, "failed": 1}, Steps: []Step{
		{ID: digest("s1"), Rule: "restart-errored", Action: "pm2-restart", Item: "pm2/api", Status: "planned", Attempt: 2, MaxAttempts: 3, What: "restart api", Reason: "its level is failing for 2 h"},
		{ID: digest("s2"), Rule: "make-executable", Action: "chmod", Item: "scripts/tools/backup-database.sh", Status: "skipped", Skip: "proposal", Reason: "the rule proposes only", Hint: "chmod +x tools/backup-database.sh"},
		{ID: digest("s3"), Rule: "restore-last-good", Action: "restore", Item: "workflows/deploy.yml", Status: "failed", Attempt: 1, MaxAttempts: 1, Reason: "the file changed meanwhile"}},
		Unknown: []UntoldRule{{Rule: "restart-leaking", Items: 2, Item: "pm2/mailer", Why: "memory is not known"}}}
	d.Archive = &Archive{Path: ".audit/archives/2026-11-23.tar.zst", SHA256: digest("a"), Bytes: 182345, Encrypted: true}
	d.Suppressed = Suppressed{Findings: 1, Waivers: 1}
	for i := range 9 {
		f := finding("low", "script-shellcheck", fmt.Sprintf("scripts/tools/job-%d.sh", i), fmt.Sprintf("tools/job-%d.sh:%d", i, i+2), "lint of a shell script", fmt.Sprintf("line %d: $FILES is not quoted", i+2), "Quote the variable.", 0.02)
		if i == 4 {
			f = f.is("new", false)
		}
		d.Findings = append(d.Findings, f)
	}
	for _, f := range d.Findings {
		if !slices.ContainsFunc(d.Items, func(it Item) bool { return it.Key == f.Item }) && !strings.HasSuffix(f.Item, "/(system)") {
			d.Items = append(d.Items, Item{Key: f.Item, System: f.System, Level: map[string]string{"critical": "failing", "high": "failing", "medium": "degraded"}[f.Severity], Score: ptr(90.0), Change: "unchanged"})
		}
	}
	d.Findings[0].Evidence = []Evidence{{"restarts", "14"}, {"uptime", "9 s"}, {"last line", "Error: connect ECONNREFUSED 10.0.0.7:5432"}}
	return d
}

// crowd is a document with so many findings, of as many checks as there may be.
func crowd(n int) *Document {
	d := busy()
	d.Findings = nil
	for i := range n {
		sev := []string{"high", "medium", "low", "low", "low", "medium", "low", "low", "critical", "low"}[i%10]
		f := finding(sev, fmt.Sprintf("script-rule-%03d", i*7%200), fmt.Sprintf("scripts/packages/module-%03d/tools/generate-everything.sh", i), fmt.Sprintf("packages/module-%03d/tools/generate-everything.sh:%d", i, i+1),
			fmt.Sprintf("rule %d of the long list is broken", i*7%200), fmt.Sprintf("line %d of module-%03d: the variable FILES is not quoted, and a name with a space becomes two", i+1, i), "Quote the variable, or list the names in an array and expand that.", 0.01)
		f.Evidence = []Evidence{{"line", "rm -rf $FILES"}, {"shell", "bash"}}
		d.Findings = append(d.Findings, f)
	}
	return d
}
