package function

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"healthaudit/audit"
	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/netlify"
)

// ScheduleIgnored finds schedules that are written down and never run.
var ScheduleIgnored = &audit.Check{
	ID:       "function-schedule-ignored",
	Version:  2,
	System:   snapshot.Functions,
	Title:    "schedule does not take effect",
	Severity: audit.High,
	Doc: "A schedule is declared in a form that Netlify does not read, so the function never runs by itself, and nobody is told: " +
		"[[scheduled.functions]] in netlify.toml is no key of Netlify's; config.schedule counts only beside a default export, as plain literals " +
		"without satisfies or as; schedule() counts only when imported by name and used directly as the handler; a schedule in netlify.toml " +
		"counts only for a function that exists.",
	Hint:          "Declare the schedule in a form that Netlify reads, then check the function's page for its Scheduled badge.",
	Discriminator: "of a function: where the schedule is declared (schedule(), config, toml); of a netlify.toml: scheduled.functions, or missing functions",
	Source:        "docs.netlify.com/build/functions/scheduled-functions; @netlify/config 25 and @netlify/zip-it-and-ship-it 16, measured",
	Still:         true,
	Judge: func(p *audit.Pass) {
		for _, it := range p.Items() {
			switch it.Kind {
			case kindFunction:
				ignoredInFunction(p, it)
			case kindFile:
				ignoredInConfig(p, it)
			}
		}
	},
}

// ignoredInFunction reports the schedules of one function. Where another
// declaration takes effect, an ignored one does no harm.
func ignoredInFunction(p *audit.Pass, it *snapshot.Item) {
	for _, s := range it.Schedules {
		if s.Effective {
			return
		}
	}
	fn, _ := analysis(p, it)
	for i, s := range it.Schedules {
		if s.Why == netlify.WhyNoSuchKey || s.Why == netlify.WhyOverridden || strings.HasPrefix(s.Why, netlify.WhyRefused) {
			continue // one finding for all of them, on the netlify.toml, or on what overrides it
		}
		form := "toml"
		if i < len(fn.Declared) {
			form = fn.Declared[i].Form
		}
		expr := s.Expression
		if expr == "" {
			expr = "its schedule"
		} else {
			expr = strconv.Quote(expr)
		}
		p.Report(audit.Report{Item: it.Key, Discriminator: form,
			Message: fmt.Sprintf("%s never runs by itself: %s does not take effect: %s", it.Name, expr, s.Why),
			Hint:    hint(it.Name, s), At: audit.Location{Path: s.Path, Line: s.Line, Column: s.Column},
			Evidence: []audit.Evidence{{Name: "declared", Value: s.Expression}}})
	}
}

// hint prints what to write into netlify.toml, which counts for every kind of function.
func hint(name string, s snapshot.Schedule) string {
	if s.Expression == "" || netlify.BadSchedule(s.Expression) != "" {
		return "Write a valid five-field cron expression (UTC) as a plain string."
	}
	return "If it should run, write into netlify.toml:\n" + block(name, s.Expression)
}

func block(name, expr string) string {
	return fmt.Sprintf("[functions.%s]\n  schedule = %s", strconv.Quote(name), strconv.Quote(expr))
}

func ignoredInConfig(p *audit.Pass, it *snapshot.Item) {
	c, ok := config(p, it)
	if !ok || c.Broken {
		return
	}
	ignoredTables(p, it, c)
	ignoredNames(p, it, c)
}

// ignoredNames reports the schedules for functions that are not there, all of a
// file at once.
func ignoredNames(p *audit.Pass, it *snapshot.Item, c *netlify.Config) {
	var names []string
	var at netlify.Place
	for _, r := range c.Rules {
		if r.Schedule == "" || !slices.ContainsFunc(it.Schedules, func(s snapshot.Schedule) bool {
			return s.Why == netlify.WhyNoFunction && s.Line == r.Settings.At.Line && s.Column == r.Settings.At.Column
		}) {
			continue
		}
		if names = append(names, r.Pattern); len(names) == 1 || r.Settings.At.Line < at.Line {
			at = r.Settings.At
		}
	}
	if len(names) == 0 {
		return
	}
	msg := fmt.Sprintf("a schedule is set for %s, but there is no function of that name", names[0])
	if len(names) > 1 {
		slices.Sort(names)
		msg = fmt.Sprintf("%d schedules are set for functions that are not there: %s", len(names), some(names))
	}
	p.Report(audit.Report{Item: it.Key, Discriminator: "missing functions", Message: msg,
		Hint: "Correct the name (that of the file in the functions folder, without its ending; upper and lower case count), restore the function, or delete the table.",
		At:   audit.Location{Path: it.Path, Line: at.Line, Column: at.Column}})
}

// some names the first few.
func some(names []string) string {
	s := strings.Join(names[:min(len(names), shown)], ", ")
	if more := len(names) - shown; more > 0 {
		s += fmt.Sprintf(" and %d more", more)
	}
	return s
}

// shown is how many functions a finding about many names.
const shown = 3

// ignoredTables reports all [[scheduled.functions]] of a file at once.
func ignoredTables(p *audit.Pass, it *snapshot.Item, c *netlify.Config) {
	var lost []netlify.Named
	var names []string
	scheduled := running(p)
	for _, n := range c.Scheduled {
		if scheduled[n.Name] {
			continue // another declaration takes effect
		}
		lost = append(lost, n)
		if n.Name != "" {
			names = append(names, n.Name)
		}
	}
	if len(lost) == 0 {
		return
	}
	msg := "1 schedule is declared as [[scheduled.functions]], a key that Netlify does not read, and never runs"
	if len(lost) > 1 {
		msg = fmt.Sprintf("%d schedules are declared as [[scheduled.functions]], a key that Netlify does not read, and never run", len(lost))
	}
	if len(names) > 0 {
		msg += ": " + some(names)
	}
	h := "Write a table for each function that should run"
	if first := lost[0]; first.Name != "" && netlify.BadSchedule(first.Schedule) == "" {
		h += ", such as:\n" + block(first.Name, first.Schedule)
	}
	p.Report(audit.Report{Item: it.Key, Discriminator: "scheduled.functions", Message: msg, Hint: h,
		At:       audit.Location{Path: it.Path, Line: lost[0].At.Line, Column: lost[0].At.Column},
		Evidence: []audit.Evidence{{Name: "tables", Value: strconv.Itoa(len(c.Scheduled))}}})
}

// running returns the names of the functions with a schedule that takes effect.
func running(p *audit.Pass) map[string]bool {
	out := map[string]bool{}
	for _, it := range p.Items() {
		for _, s := range it.Schedules {
			if s.Effective && it.Kind == kindFunction {
				out[it.Name] = true
			}
		}
	}
	return out
}
