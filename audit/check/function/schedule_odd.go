package function

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"time"

	"healthaudit/audit"
	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/workflow"
	"healthaudit/snapshot/cron"
)

// ScheduleOdd finds schedules that take effect and are hardly what was meant.
var ScheduleOdd = &audit.Check{
	ID:       "function-schedule-odd",
	System:   snapshot.Functions,
	Title:    "schedule is hardly meant so",
	Severity: audit.Low,
	Doc: "The schedule takes effect, and is not what the comment beside it says; or never comes (30 February); or the function runs every minute, " +
		"1,440 times a day, each of which counts. Times are UTC. Only comments that can be understood in one way are compared.",
	Hint:          "Decide which of the two is meant and correct the other.",
	Discriminator: "comment, never, or often",
	Source:        "docs.netlify.com/build/functions/scheduled-functions: five fields, UTC",
	Judge: func(p *audit.Pass) {
		for _, it := range p.Items() {
			if s, ok := effective(it); ok && it.Kind == kindFunction {
				oddSchedule(p, it, s)
			}
		}
	},
}

func oddSchedule(p *audit.Pass, it *snapshot.Item, s snapshot.Schedule) {
	c, err := cron.Parse(cron.Netlify, s.Expression)
	if err != nil {
		return
	}
	report := func(discriminator, message, hint string) {
		p.Report(audit.Report{Item: it.Key, Discriminator: discriminator, Message: message, Hint: hint, At: audit.Location{Path: s.Path, Line: s.Line, Column: s.Column}})
	}
	if _, ok := c.Next(p.Now.At); !ok {
		report("never", fmt.Sprintf("%s never runs: %q is a day that does not come", it.Name, s.Expression), "Correct the day or the month.")
		return
	}
	if c.SmallestGap() == time.Minute && c.PerDay() > 1000 {
		report("often", fmt.Sprintf("%s runs every minute, %.0f times a day", it.Name, c.PerDay()), "Let it run more rarely, or waive this if it must.")
	}
	if said := commentAt(p, it, s); said != "" {
		if text := workflow.Contradiction(said, s.Expression, "", c); text != "" {
			report("comment", it.Name+": "+text, "")
		}
	}
}

// commentAt returns the comment behind a schedule, or on the line above it.
func commentAt(p *audit.Pass, it *snapshot.Item, s snapshot.Schedule) string {
	var text []byte
	if f, ok := fileAt(it, s.Path); ok {
		text = p.Bytes(f)
	} else if i := slices.IndexFunc(p.Items(), func(o *snapshot.Item) bool { return o.Kind == kindFile && o.Path == s.Path }); i >= 0 {
		f, _ := p.Items()[i].OwnFile()
		text = p.Bytes(f)
	}
	lines := bytes.Split(text, []byte("\n"))
	if s.Line < 1 || s.Line > len(lines) {
		return ""
	}
	line := string(lines[s.Line-1])
	for _, mark := range []string{" //", " #"} {
		if i := strings.Index(line, mark); i >= 0 && strings.HasSuffix(s.Path, ".toml") == (mark == " #") {
			return strings.TrimSpace(line[i+len(mark):])
		}
	}
	if s.Line < 2 {
		return ""
	}
	above := strings.TrimSpace(string(lines[s.Line-2]))
	for _, mark := range []string{"//", "#"} {
		if c, ok := strings.CutPrefix(above, mark); ok && !strings.Contains(c, "schedule") {
			return strings.TrimSpace(c)
		}
	}
	return ""
}
