// Package cron reads schedule expressions in five dialects and says when they
// fire. No library is used, because no two of them agree: each platform has a
// grammar, a rule for days and a habit around daylight saving of its own.
//
// Sources: Debian's cron 3.0pl1 (entry.c, cron.c) for Crontab; the GitHub
// documentation of on.schedule, which names POSIX cron, for GitHub; the Netlify
// documentation of scheduled functions and cron-parser 5 for Netlify; croner
// 4.1.97 (src/pattern.js, src/date.js), which PM2 bundles, for PM2;
// systemd.time(7) for OnCalendar= of Systemd, which is written unlike the others.
//
//	           Crontab            GitHub     Netlify    PM2
//	fields     5                  5          5          5, or 6 with seconds first
//	macros     @hourly … @reboot  none       @hourly …  none
//	Sunday     0 and 7            0          0 and 7    0 and 7
//	N/step     an error           N-max/step N-max/step N-max/step; days and months start at N+1
//	lists      of anything        anything   anything   of numbers and * only; "1," is 1
//	day rule   OR; AND when one   OR; AND when one      AND, always
//	           begins with *      is exactly *
//
// Invariants: times are in the location of the argument; Next is strictly
// after and Prev strictly before it; every search is bounded and an expression
// that never fires says so. Runs of one instant count once.
//
// It does not support, and rejects: backward ranges (Debian takes 22-2 and then
// never fires), "?", "W", "#", "H", "L" outside PM2's day of month, years,
// @every and CRON_TZ= inside an expression. It does not know that GitHub delays
// and drops runs, nor Netlify's rules about which functions are scheduled.
package cron

import (
	"errors"
	"fmt"
)

// A Dialect is a grammar of schedule expressions with its own meaning.
type Dialect string

// The dialects; the values are those of snapshot.Schedule.Dialect.
const (
	Crontab Dialect = "crontab"
	GitHub  Dialect = "github"
	Netlify Dialect = "netlify"
	PM2     Dialect = "pm2"
	Systemd Dialect = "systemd"
)

// A SyntaxError says which field of an expression is wrong and why.
type SyntaxError struct {
	Dialect Dialect
	Field   string // second, minute, hour, day of month, month or day of week; empty: the whole expression
	Message string
	Beyond  bool // it may be right, and is more than this package knows: see Unsupported
}

// Unsupported reports whether an error of Parse is one of an expression that its
// platform may well understand.
func Unsupported(err error) bool {
	var e *SyntaxError
	return errors.As(err, &e) && e.Beyond
}

// Error returns "minute: 61 is not in 0-59 (crontab schedule)".
func (e *SyntaxError) Error() string {
	s := e.Message
	if e.Field != "" {
		s = e.Field + ": " + s
	}
	return fmt.Sprintf("%s (%s schedule)", s, e.Dialect)
}

// A Schedule is a parsed expression. It is immutable and safe for concurrent
// use; schedules that fire at the same times under the same rules are equal
// but for String.
type Schedule struct {
	text    string
	dialect Dialect
	reboot  bool

	second, minute, hour, dom, month, dow uint64 // bit n: value n

	lastDay   bool // PM2's L: the day of month is the last one
	either    bool // a day matches by day of month OR by day of week
	wallClock bool // runs at fixed times of day: once in a repeated hour
	catchUp   bool // and soon after a skipped one
}

// String returns the expression with single spaces; Parse reads it back.
func (s *Schedule) String() string { return s.text }

// Dialect returns the dialect the expression was read in.
func (s *Schedule) Dialect() Dialect { return s.dialect }

// Reboot reports whether the schedule is @reboot, which has no times.
func (s *Schedule) Reboot() bool { return s.reboot }
