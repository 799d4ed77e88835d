package cross

import (
	"cmp"
	"fmt"
	"path"
	"strings"
	"time"

	"healthaudit/audit"
	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/lazyregexp"
	"healthaudit/snapshot/analyze/workflow"
	"healthaudit/snapshot/cron"
)

// ScheduleOdd finds schedules of the machine that are hardly what was meant.
var ScheduleOdd = &audit.Check{
	ID:       "cross-schedule-odd",
	Needs:    []snapshot.System{snapshot.PM2, snapshot.Scripts},
	Title:    "schedule is hardly meant so",
	Severity: audit.Low,
	Doc: "A crontab entry, a timer of systemd or a cron_restart of PM2 is valid, and is not what the comment beside it says; or is for a day that does not come (30 February), so that the job never " +
		"runs (medium); or names days of the month and a weekday, `1-7` and Monday, for the first Monday: cron takes either, seven days and every Monday. CRON_TZ in a crontab is told too: cronie " +
		"(Fedora, RHEL) reads it, the cron of Debian and Ubuntu passes it over and goes by the clock of the machine; so is a file of etc/cron.d with a dot in its name, which those two never read (medium). Only comments that can be understood in one way are compared. " +
		"`function-schedule-odd` and `workflow-schedule-comment` say the same of functions and workflows.",
	Hint:          "Decide which of the two is meant and correct the other.",
	Discriminator: "comment, never, or either, and the expression; timezone; name",
	Source:        "crontab(5) of Debian 12, under LIMITATIONS and on both day fields; cron(8) there, on names in /etc/cron.d; seen in the wild: `cron_restart: '0 */5 * * *'` with \"Every 5 minutes\" beside it",
	Still:         true,
	Judge: func(p *audit.Pass) {
		t := texts{pass: p}
		for _, it := range p.Items() {
			for _, s := range it.Schedules {
				oddSchedule(p, it, s, t.of(it, s.Path))
			}
			if it.Kind == "file" && it.System() == snapshot.Scripts {
				oddZone(p, it)
				oddName(p, it)
			}
		}
	},
}

// someDay is when looking for a day that comes begins; any would do.
var someDay = time.Date(2001, time.January, 1, 0, 0, 0, 0, time.UTC)

// oddSchedule judges a schedule that stands in a text of these lines.
func oddSchedule(p *audit.Pass, it *snapshot.Item, s snapshot.Schedule, text []string) {
	if s.Dialect != string(cron.Crontab) && s.Dialect != string(cron.PM2) && s.Dialect != string(cron.Systemd) {
		return
	}
	c, err := cron.Parse(cron.Dialect(s.Dialect), s.Expression)
	if err != nil || c.Reboot() {
		return
	}
	line := s.Line
	if s.Dialect == string(cron.PM2) {
		line = lineOfCron(text, s)
	}
	report := func(kind, message, hint string, severity audit.Severity) {
		p.Report(audit.Report{Item: it.Key, Discriminator: kind + " " + s.Expression, Message: message, Hint: hint, Severity: severity,
			At: audit.Location{Path: cmp.Or(s.Path, it.Path), Line: max(cmp.Or(line, s.Line), 1), Column: max(s.Column, 1)}})
	}
	if _, ok := c.Next(someDay); !ok {
		report("never", fmt.Sprintf("%s never runs: %q is a day that does not come", what(it), s.Expression), "Correct the day or the month.", audit.Medium)
		return
	}
	if which, day := nthWeekday(s); which != "" {
		report("either", fmt.Sprintf("%s is not for the %s %s of a month: %q runs on each of these seven days, and on every %s besides", what(it), which, day, s.Expression, day),
			fmt.Sprintf("Write * for the weekday and let the command ask for it: `[ \"$(date +\\%%u)\" = %d ] && …`.", (int(day)+6)%7+1), audit.Low)
	}
	if text := workflow.Contradiction(saidBeside(text, line, path.Ext(s.Path)), s.Expression, cmp.Or(s.Timezone, workflow.MachineClock), c); text != "" {
		report("comment", what(it)+": "+text, "", audit.Low)
	}
}

// texts are the lines of the files in which schedules stand, each read once for
// all of its schedules.
type texts struct {
	pass  *audit.Pass
	lines map[string][]string      // by path
	files map[string]snapshot.File // of the items that are files, by path
}

// of returns the lines of the text in which a schedule of an item stands.
func (t *texts) of(it *snapshot.Item, at string) []string {
	if lines, ok := t.lines[at]; ok {
		return lines
	}
	if t.lines == nil {
		t.lines, t.files = map[string][]string{}, map[string]snapshot.File{}
		for _, o := range t.pass.Items() {
			if f, ok := o.OwnFile(); ok && o.Kind == "file" {
				t.files[f.Path] = f
			}
		}
	}
	f, ok := t.files[at]
	for _, own := range it.Files {
		if own.Path == at {
			f, ok = own, true
		}
	}
	if ok {
		t.lines[at] = strings.Split(string(t.pass.Bytes(f)), "\n")
	}
	return t.lines[at]
}

// lineOfCron returns the line of a cron_restart of an app that is declared at the
// place of s, 0 when it does not stand behind it as it is.
func lineOfCron(lines []string, s snapshot.Schedule) int {
	const reach = 40 // lines of one app
	for i := max(s.Line-1, 0); s.Line > 0 && i < min(len(lines), s.Line+reach); i++ {
		if strings.Contains(lines[i], s.Expression) && strings.Contains(lines[i], "cron") {
			return i + 1
		}
	}
	return 0
}

// saidBeside returns the comment behind a line, or the one alone above it.
func saidBeside(lines []string, line int, ext string) string {
	mark := map[string]string{".js": "//", ".cjs": "//", ".mjs": "//", ".ts": "//", ".json": "//"}[ext]
	if mark == "" {
		mark = "#"
	}
	if line < 1 || line > len(lines) {
		return ""
	}
	if mark == "//" || ext == ".yml" || ext == ".yaml" { // in crontabs and units what follows a # belongs to the value
		if _, c, ok := strings.Cut(lines[line-1], " "+mark); ok {
			return strings.TrimSpace(c)
		}
	}
	if line < 2 {
		return ""
	}
	c, ok := strings.CutPrefix(strings.TrimSpace(lines[line-2]), mark)
	if !ok || strings.Contains(c, "* *") { // an entry that is switched off
		return ""
	}
	return strings.TrimSpace(strings.TrimLeft(c, mark))
}

var (
	weekOfMonth = map[string]string{"1-7": "first", "8-14": "second", "15-21": "third", "22-28": "fourth", "24-30": "last", "25-31": "last"}
	oneWeekday  = lazyregexp.New(`^(?i:[0-7]|sun|mon|tue|wed|thu|fri|sat)$`)
)

// nthWeekday says which weekday of a month a crontab schedule is meant for that
// names seven days and one weekday.
func nthWeekday(s snapshot.Schedule) (which string, day time.Weekday) {
	f := strings.Fields(s.Expression)
	if s.Dialect != string(cron.Crontab) || len(f) != 5 || !oneWeekday().MatchString(f[4]) {
		return "", 0
	}
	return weekOfMonth[f[2]], weekdayOf(f[4])
}

func weekdayOf(field string) time.Weekday {
	for d := time.Sunday; d <= time.Saturday; d++ {
		if strings.EqualFold(d.String()[:3], field) {
			return d
		}
	}
	return time.Weekday(field[0]-'0') % 7
}

// oddZone tells of a CRON_TZ that not every cron reads.
func oddZone(p *audit.Pass, it *snapshot.Item) {
	env, _ := it.Fact("env")
	f, ok := it.OwnFile()
	if !ok || !strings.Contains(" "+strings.Join(env.Strings(), " ")+" ", " CRON_TZ ") {
		return
	}
	for i, l := range strings.Split(string(p.Bytes(f)), "\n") {
		if strings.HasPrefix(strings.TrimSpace(l), "CRON_TZ") {
			p.Report(audit.Report{Item: it.Key, Discriminator: "timezone", Confidence: audit.Likely, At: audit.Location{Path: it.Path, Line: i + 1, Column: 1},
				Message: fmt.Sprintf("%s sets CRON_TZ, which the cron of Debian and Ubuntu passes over: there its entries run by the clock of the machine", it.Path),
				Hint:    "On Fedora and RHEL (cronie) all is well: waive this. Elsewhere write the times in the zone of the machine (`timedatectl` shows it), or use a timer of systemd, whose OnCalendar= takes a zone."})
			return
		}
	}
}

// notInstalled matches names that are meant to be passed over: examples, what is
// switched off, and what dpkg and rpm leave beside a file.
var notInstalled = lazyregexp.New(`(?i)example|sample|\bdist\b|disabled|\boff\b|\.(?:dpkg-|ucf-|rpm(?:save|new|orig)$)`)

var runParts = lazyregexp.New(`^[A-Za-z0-9_-]+$`)

// oddName tells of a file in etc/cron.d that Debian's cron never reads.
func oddName(p *audit.Pass, it *snapshot.Item) {
	dir, base := path.Split(it.Path)
	if dir != "etc/cron.d/" && !strings.HasSuffix(dir, "/etc/cron.d/") || runParts().MatchString(base) || notInstalled().MatchString(base) {
		return
	}
	p.Report(audit.Report{Item: it.Key, Discriminator: "name", Severity: audit.Medium, Confidence: audit.Likely, At: audit.Location{Path: it.Path, Line: 1, Column: 1},
		Message: fmt.Sprintf("none of %s ever runs under the cron of Debian and Ubuntu, which reads no file of /etc/cron.d whose name has anything but letters, digits, _ and -", it.Path),
		Hint:    fmt.Sprintf("Call it %s where it is installed.", strings.Map(plainName, strings.TrimSuffix(base, path.Ext(base))))})
}

func plainName(r rune) rune {
	if runParts().MatchString(string(r)) {
		return r
	}
	return '-'
}
