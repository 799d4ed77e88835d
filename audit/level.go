package audit

import "healthaudit/snapshot"

// A Level says how an item is.
type Level string

const (
	LevelOK       Level = "ok"
	LevelDegraded Level = "degraded" // an open medium finding
	LevelFailing  Level = "failing"  // an open critical or high finding
	LevelUnknown  Level = "unknown"  // not judged
)

// Worst returns the worst severity of the findings that count of every item that has some.
func Worst(findings []Tracked) map[snapshot.Key]Severity {
	m := map[snapshot.Key]Severity{}
	for _, t := range findings {
		if t.Counts() {
			m[t.Item] = max(m[t.Item], t.Severity)
		}
	}
	return m
}

// Trends returns what the worst finding of a check about trends says of every
// item that has one that counts: its title.
func Trends(findings []Tracked, trend func(check string) bool) map[snapshot.Key]string {
	m, worst := map[snapshot.Key]string{}, map[snapshot.Key]Severity{}
	for _, t := range findings {
		if t.Counts() && trend(t.Check) && t.Severity > worst[t.Item] {
			m[t.Item], worst[t.Item] = t.Title, t.Severity
		}
	}
	return m
}

// LevelOf returns the level of an item whose worst open finding is given, 0 for none.
func LevelOf(it *snapshot.Item, worst Severity) Level {
	if it.Carried || it.Unknown != "" && worst < Medium {
		return LevelUnknown
	}
	return worst.level()
}

func (s Severity) level() Level {
	switch {
	case s >= High:
		return LevelFailing
	case s == Medium:
		return LevelDegraded
	}
	return LevelOK
}

func (l Level) rank() int {
	switch l {
	case LevelDegraded:
		return 1
	case LevelFailing:
		return 2
	}
	return 0
}
