package cross

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"healthaudit/audit"
	"healthaudit/snapshot"
	"healthaudit/snapshot/cron"
)

// PileUp reports minutes in which far more starts than in others.
var PileUp = &audit.Check{
	ID:       "cross-schedule-pile-up",
	Needs:    []snapshot.System{snapshot.PM2, snapshot.Workflows, snapshot.Functions, snapshot.Scripts},
	Title:    "too much starts at once",
	Severity: audit.Low,
	Doc: "Schedules are copied from one another, and so midnight or two o'clock is when everything runs: one machine has all jobs at once and none for the rest of the night, " +
		"a shared database gets every report in the same second, and what fails fails together. Counted are the starts in each minute of a week, for each platform by itself: " +
		"the machine (crontabs, systemd timers and PM2), Netlify, and GitHub. More than five, and more than three times the median, are a pile. Workflows at minute 0 are told by " +
		"`workflow-on-the-hour`. What runs on the machine is reckoned in UTC: when they pile up on one clock they do on every other.",
	Hint:          "Spread them: any odd minute does. `audit schedules` shows the week, and which minutes are crowded.",
	Discriminator: "the platform",
	Source:        "measured: 44 of 69 schedules of one project start in the same minute",
	Limits:        []audit.Limit{{Name: "min", Default: 6, Unit: "starts", Doc: "smallest pile that is reported"}},
	Judge:         judgePileUp,
}

// A platform runs the schedules of some dialects.
type platformLoad struct {
	id, name string
	dialects []string
}

var platforms = []platformLoad{
	{"machine", "on the machine", []string{"crontab", "pm2", "systemd"}},
	{"netlify", "at Netlify", []string{"netlify"}},
	{"github", "at GitHub", []string{"github"}},
}

// A beat is when one schedule starts.
type beat struct {
	item     *snapshot.Item
	schedule snapshot.Schedule
	minutes  cron.Minutes
}

func (b beat) place() audit.Location {
	return audit.Location{Path: cmp.Or(b.schedule.Path, b.item.Path), Line: b.schedule.Line, Column: b.schedule.Column}
}

func judgePileUp(p *audit.Pass) {
	if !slices.ContainsFunc(p.Now.Items, func(it *snapshot.Item) bool { return len(it.Schedules) > 0 }) {
		return
	}
	for _, pl := range platforms {
		week := cron.NewWeek(p.Now.At.UTC())
		beats := pl.beats(p, week)
		limit := max(week.Limit(), p.Limit("min")-1)
		worst := -1
		for i := range week.Len() {
			if float64(week.Starts(i)) > limit && (worst < 0 || week.Starts(i) > week.Starts(worst)) && (pl.id != "github" || week.At(i).Minute() != 0) {
				worst = i
			}
		}
		if worst >= 0 {
			p.Report(pl.pile(week, worst, beats))
		}
	}
}

// beats counts the schedules of a platform that are in effect.
func (pl platformLoad) beats(p *audit.Pass, week *cron.Week) (out []beat) {
	known := map[string]cron.Minutes{} // many are written alike
	for _, it := range p.Items() {
		for _, s := range it.Schedules {
			if !s.Effective || !slices.Contains(pl.dialects, s.Dialect) {
				continue
			}
			id := s.Dialect + " " + s.Expression + " " + s.Timezone
			m, ok := known[id]
			if !ok {
				m = minutesOf(s, week)
				known[id] = m
			}
			if m != nil {
				week.Add(m)
				out = append(out, beat{it, s, m})
			}
		}
	}
	return out
}

// minutesOf returns when a schedule starts; nil where that cannot be told.
func minutesOf(s snapshot.Schedule, week *cron.Week) cron.Minutes {
	c, err := cron.Parse(cron.Dialect(s.Dialect), s.Expression)
	if err != nil || c.Reboot() {
		return nil
	}
	loc := time.UTC
	if s.Timezone != "" {
		if loc, err = time.LoadLocation(s.Timezone); err != nil {
			return nil
		}
	}
	return week.Minutes(c, loc)
}

func (pl platformLoad) pile(week *cron.Week, minute int, beats []beat) audit.Report {
	beats = slices.DeleteFunc(beats, func(b beat) bool { return !b.minutes.Has(minute) })
	slices.SortStableFunc(beats, func(a, b beat) int {
		return cmp.Or(cmp.Compare(a.place().Path, b.place().Path), a.place().Line-b.place().Line)
	})
	days := 0
	for i := minute % (24 * 60); i < week.Len(); i += 24 * 60 {
		if week.Starts(i) >= week.Starts(minute) {
			days++
		}
	}
	when := "every day"
	if days < 7 {
		when = fmt.Sprintf("on %d days of the week", days)
		if days == 1 {
			when = "on " + week.At(minute).Weekday().String() + "s"
		}
	}
	var names []string
	for _, b := range beats {
		names = append(names, string(b.item.Key))
	}
	return audit.Report{Item: snapshot.Pseudo(snapshot.Scripts), Discriminator: pl.id, Wide: true,
		At: beats[0].place(),
		Message: fmt.Sprintf("%d schedules start %s at %s UTC %s; the usual minute has %.0f", week.Starts(minute), pl.name,
			week.At(minute).Format("15:04"), when, week.Median()),
		Evidence: []audit.Evidence{{Name: "items", Value: few(slices.Compact(names))}, {Name: "limit", Value: strings.TrimSuffix(fmt.Sprintf("%.1f", week.Limit()), ".0")}}}
}
