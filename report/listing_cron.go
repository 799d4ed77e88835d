package report

import (
	"io"
	"time"
)

// A CronChange is what became of a schedule: installed, changed, there, removed
// or absent.
type CronChange struct{ State, Place, Schedule string }

// Line says it in one line.
func (c CronChange) Line() string {
	c = cleaned(c)
	switch c.State {
	case "there":
		return "already there: " + c.Schedule + " in " + c.Place
	case "absent":
		return "nothing to remove: nothing that audit cron install wrote is in " + c.Place
	case "removed":
		return "removed from " + c.Place + "; every other line is as it was"
	}
	return c.State + ": " + c.Schedule + " in " + c.Place
}

// A CronView is what starts audit on this project.
type CronView struct {
	Root      string         `json:"root"`
	Schedules []CronSchedule `json:"schedules"`
	LastRun   *time.Time     `json:"last_run"` // null: none is known
	Notes     []string       `json:"notes"`
}

// A CronSchedule is one place that starts audit.
type CronSchedule struct {
	Place    string     `json:"place"`
	Schedule string     `json:"schedule"`
	Next     *time.Time `json:"next"` // null: never, or not known
	Program  string     `json:"program"`
	Problem  string     `json:"problem"` // why it will not work; empty
}

// Cron writes what starts audit.
func Cron(w io.Writer, v CronView, o Options) error {
	v = cleaned(v)
	p := newPage(o)
	if len(v.Schedules) == 0 {
		p.line(0, inkYellow, "Nothing that audit cron install wrote starts audit on "+v.Root+": audit cron install does.")
	}
	for _, s := range v.Schedules {
		text := s.Place + ": " + s.Schedule
		if s.Next != nil {
			text += ", next at " + stamp(*s.Next) + " UTC"
		}
		p.hang(0, 2, inkNone, text)
		p.line(2, inkAlarm, s.Problem)
	}
	if v.LastRun != nil {
		p.line(0, inkNone, "The last run began at "+stamp(*v.LastRun)+" UTC.")
	}
	for _, n := range v.Notes {
		p.line(0, inkYellow, "Note: "+n)
	}
	_, err := w.Write(p.Bytes())
	return err
}
