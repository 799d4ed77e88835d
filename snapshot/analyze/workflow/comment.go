package workflow

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"

	"healthaudit/snapshot/analyze/lazyregexp"
	"healthaudit/snapshot/cron"
)

// commentNotes finds schedules whose comment, behind them or on the line above
// them, says another time. Only claims that can be read in one way are taken.
func commentNotes(m *Model, text []string) []Message {
	var out []Message
	for _, s := range m.Schedules {
		said := commentOf(text, s.Pos.Line)
		if said == "" {
			continue
		}
		c, err := cron.Parse(cron.GitHub, s.Cron)
		if err != nil {
			continue
		}
		if claim := contradicted(said, s.Timezone, c); claim != "" {
			out = append(out, Message{Pos: s.Pos, Family: NoteComment, Subject: s.Cron,
				Text: fmt.Sprintf("the comment says %s, but %q %s", claim, s.Cron, means(c, s.Timezone))})
		}
	}
	return out
}

// MachineClock is the zone of schedules that go by the clock of a machine.
const MachineClock = "by the clock of the machine"

// Contradiction compares what a comment says with a schedule in that zone, "" is
// UTC: "the comment says daily, but …"; "" when they agree, or the comment can be
// read in more than one way.
func Contradiction(said, expr, zone string, c *cron.Schedule) string {
	if claim := contradicted(said, zone, c); claim != "" {
		return fmt.Sprintf("the comment says %s, but %q %s", claim, expr, means(c, zone))
	}
	return ""
}

// commentOf returns the comment that belongs to the cron on a line.
func commentOf(text []string, line int) string {
	if line < 1 || line > len(text) {
		return ""
	}
	if _, c, ok := strings.Cut(text[line-1], " #"); ok {
		return strings.TrimSpace(c)
	}
	if line < 2 {
		return ""
	}
	if c, ok := strings.CutPrefix(strings.TrimSpace(text[line-2]), "#"); ok && !strings.Contains(c, "cron:") {
		return strings.TrimSpace(c)
	}
	return ""
}

var (
	everyN    = lazyregexp.New(`(?i)\bevery\s+(\d{1,2})\s*(min|minutes?|mins|h|hrs?|hours?)\b`)
	everyOne  = lazyregexp.New(`(?i)^\W*(?:runs?\s+)?(hourly|daily|weekly|monthly|nightly|every (?:hour|day|night|week|month|minute))\b`)
	weekday   = lazyregexp.New(`(?i)\b(?:every|on|each)\s+(sun|mon|tues|wednes|thurs|fri|satur)days?\b`)
	utcTime   = lazyregexp.New(`(?i)\b(\d{1,2})(?::(\d{2}))?\s*(am|pm)?\s*\(?(?:utc|gmt)\b`)
	midnight  = lazyregexp.New(`(?i)\bmidnight\s+\(?(?:utc|gmt)\b`)
	hedged    = lazyregexp.New(`(?i)\b(except|between|during|business|working|weekdays?|weekend|from|until|through|first|last|second|third|other|twice|and|or|but|if|not|no|was|instead|todo|e\.g|example|was|then|plus|also|after|before|offset|stagger\w*|around|approx\w*|about|like|roughly)\b|[~/&;?≈]|->|→`)
	otherZone = lazyregexp.New(`\b([A-Z]{2,4}T|[A-Z]{2}[ST]|local|Europe|America|Asia|Beijing|Tokyo|time)\b|[+-]\d`)
)

// contradicted returns what the comment claims when the schedule is not that.
func contradicted(said, zone string, c *cron.Schedule) string {
	if len(said) > 200 || hedged().MatchString(said) {
		return ""
	}
	claims := everyN().FindAllStringSubmatch(said, -1)
	if len(claims) == 1 {
		n, _ := strconv.Atoi(claims[0][1])
		if unit := strings.ToLower(claims[0][2]); n > 0 && !intervalIs(c, n, unit[0] == 'm') {
			return "every " + claims[0][1] + " " + map[bool]string{true: "minutes", false: "hours"}[unit[0] == 'm']
		}
		return ""
	}
	if len(claims) > 1 {
		return ""
	}
	if g := everyOne().FindStringSubmatch(said); g != nil && !cadenceIs(c, strings.ToLower(g[1])) {
		return strings.ToLower(g[1])
	}
	if otherZone().MatchString(strings.ReplaceAll(strings.ReplaceAll(said, "UTC", ""), "GMT", "")) {
		return ""
	}
	if g := weekday().FindAllStringSubmatch(said, -1); len(g) == 1 && !firesOn(c, strings.ToLower(g[0][1])) {
		return "every " + strings.ToUpper(g[0][1][:1]) + strings.ToLower(g[0][1][1:]) + "day"
	}
	if zone != "" {
		return ""
	}
	return timeClaim(said, c)
}

// intervalIs reports whether the schedule fires at that interval, as far as
// cron can say it: intervals that do not divide an hour or a day are not judged.
func intervalIs(c *cron.Schedule, n int, minutes bool) bool {
	unit, whole := time.Hour, 24
	if minutes {
		unit, whole = time.Minute, 60
	}
	if whole%n != 0 || n == whole {
		return true
	}
	return c.SmallestGap() == time.Duration(n)*unit
}

func cadenceIs(c *cron.Schedule, word string) bool {
	per := c.PerDay()
	switch strings.TrimPrefix(word, "every ") {
	case "minute":
		return c.SmallestGap() == time.Minute
	case "hour", "hourly":
		return c.SmallestGap() == time.Hour
	case "day", "daily", "night", "nightly":
		return per > 0.7 && per < 3 // some say daily of working days
	case "week", "weekly":
		return per > 0.1 && per < 0.5
	case "month", "monthly":
		return per > 0.02 && per < 0.1
	}
	return true
}

var weekdays = map[string]time.Weekday{"sun": time.Sunday, "mon": time.Monday, "tues": time.Tuesday, "wednes": time.Wednesday,
	"thurs": time.Thursday, "fri": time.Friday, "satur": time.Saturday}

// sample is a span that holds every weekday and every day of the month.
var sampleStart, sampleEnd = time.Date(2001, time.January, 1, 0, 0, 0, 0, time.UTC), time.Date(2001, time.April, 1, 0, 0, 0, 0, time.UTC)

func firesOn(c *cron.Schedule, day string) bool {
	runs := c.Between(sampleStart, sampleEnd, 2000)
	for _, t := range runs {
		if t.Weekday() == weekdays[day] {
			return true
		}
	}
	return len(runs) == 0
}

// timeClaim judges one time of day that is expressly in UTC.
func timeClaim(said string, c *cron.Schedule) string {
	all := utcTime().FindAllStringSubmatch(said, -1)
	var hour, minute int
	switch {
	case len(all) == 0 && midnight().MatchString(said):
	case len(all) == 1:
		hour, _ = strconv.Atoi(all[0][1])
		minute, _ = strconv.Atoi(all[0][2])
		half := strings.ToLower(all[0][3])
		if all[0][2] == "" && half == "" || hour > 23 || minute > 59 || half != "" && (hour > 12 || hour == 0) {
			return ""
		}
		if half != "" {
			hour %= 12
		}
		if half == "pm" {
			hour += 12
		}
	default:
		return ""
	}
	runs := c.Between(sampleStart, sampleEnd, 3000)
	for _, t := range runs {
		if t.Hour() == hour && (t.Minute() == minute || minute == 0 && len(all) == 1 && all[0][2] == "") {
			return ""
		}
	}
	if len(runs) == 0 {
		return ""
	}
	return fmt.Sprintf("%02d:%02d UTC", hour, minute)
}

// means says in a few words how often a schedule fires; without a zone it does so
// in UTC.
func means(c *cron.Schedule, zone string) string {
	zone = " " + cmp.Or(zone, "UTC")
	gap, per := c.SmallestGap(), c.PerDay()
	even := per*gap.Hours() > 23.9 // "0 */5 * * *" is not: there are four hours from 20:00 to midnight
	switch {
	case gap == 0:
		return "hardly ever fires"
	case gap == time.Minute && even:
		return "fires every minute"
	case gap < time.Hour && even:
		return fmt.Sprintf("fires every %d minutes", int(gap/time.Minute))
	case gap == time.Hour && even:
		return "fires every hour"
	case gap < 24*time.Hour && even:
		return fmt.Sprintf("fires every %d hours", int(gap/time.Hour))
	case gap < 24*time.Hour && per >= 1:
		return fmt.Sprintf("fires %.0f times a day", per)
	case per > 0.99:
		return "fires once a day at " + first(c, zone)
	case gap == 7*24*time.Hour:
		return "fires once a week, on " + firstDay(c, zone)
	}
	return fmt.Sprintf("fires %.1f times a month, at %s", per*30.4, first(c, zone))
}

func first(c *cron.Schedule, zone string) string {
	t, _ := c.Next(sampleStart.Add(-1))
	return t.Format("15:04") + zone
}

func firstDay(c *cron.Schedule, zone string) string {
	t, _ := c.Next(sampleStart.Add(-1))
	return t.Format("Monday at 15:04") + zone
}
