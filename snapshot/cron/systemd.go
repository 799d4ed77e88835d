package cron

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// systemdMacros are the names of systemd.time(7).
var systemdMacros = map[string]string{
	"minutely": "*-*-* *:*:00", "hourly": "*-*-* *:00:00", "daily": "*-*-* 00:00:00", "monthly": "*-*-01 00:00:00", "weekly": "Mon *-*-* 00:00:00",
	"yearly": "*-01-01 00:00:00", "annually": "*-01-01 00:00:00", "quarterly": "*-01,04,07,10-01 00:00:00", "semiannually": "*-01,07-01 00:00:00",
}

var weekdays = []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}

// parseSystemd reads OnCalendar= of a timer: "Mon..Fri *-*-* 02:30:00". Years,
// days from the end of a month (~) and fractions of a second are not supported; a
// zone at the end is not part of the expression: see SystemdZone.
func parseSystemd(s *Schedule, parts []string) (*Schedule, error) {
	if m, ok := systemdMacros[strings.ToLower(s.text)]; ok {
		parts = strings.Fields(m)
	}
	fail := func(field string, err error) (*Schedule, error) {
		return nil, &SyntaxError{Dialect: Systemd, Field: field, Message: err.Error(), Beyond: errors.Is(err, errBeyond)}
	}
	s.dow, s.dom, s.month = 1<<7-1, 1<<32-2, 1<<13-2
	clock := "00:00:00"
	var err error
	for i, part := range parts {
		switch {
		case i == 0 && isWeekdays(part):
			if s.dow, err = weekdaySet(part); err != nil {
				return fail(dowField.name, err)
			}
		case strings.Contains(part, ":") && i == len(parts)-1:
			clock = part
		case strings.Contains(part, "-") && i < 2:
			if err := s.systemdDate(part); err != nil {
				return fail("", err)
			}
		default:
			return fail("", fmt.Errorf("%q is neither days of the week, nor a date, nor a time of day", part))
		}
	}
	if err := s.systemdClock(clock); err != nil {
		return fail("", err)
	}
	s.wallClock = true
	return s, nil
}

var errBeyond = errors.New("is not reckoned here")

func isWeekdays(part string) bool {
	return part[0] >= 'a' && part[0] <= 'z' || part[0] >= 'A' && part[0] <= 'Z'
}

func weekdaySet(text string) (set uint64, err error) {
	for part := range strings.SplitSeq(text, ",") {
		if part == "" { // systemd takes "Mon," as well
			continue
		}
		from, to, ranged := strings.Cut(part, "..")
		if !ranged {
			from, to, ranged = strings.Cut(part, "-")
		}
		lo, ok := weekday(from)
		hi := lo
		if ranged && ok {
			hi, ok = weekday(to)
		}
		if !ok || lo > hi { // the week begins on Monday and nothing goes over its end
			return 0, fmt.Errorf("%q is no day of the week", part)
		}
		for d := lo; d <= hi; d++ {
			set |= 1 << ((d + 1) % 7) // Sunday is 0 here
		}
	}
	if set == 0 {
		return 0, errors.New("no day is named")
	}
	return set, nil
}

// weekday returns the number of a day, Monday 0, by its short or long name.
func weekday(name string) (int, bool) {
	name = strings.ToLower(name)
	for i, short := range weekdays {
		long := strings.ToLower(time.Weekday((i + 1) % 7).String())
		if name == short || name == long {
			return i, true
		}
	}
	return 0, false
}

func (s *Schedule) systemdDate(text string) (err error) {
	parts := strings.Split(text, "-")
	if len(parts) == 3 {
		if parts[0] != "*" {
			return fmt.Errorf("a schedule of certain years %w", errBeyond)
		}
		parts = parts[1:]
	}
	if strings.Contains(text, "~") {
		return fmt.Errorf("a day from the end of the month %w", errBeyond)
	}
	if len(parts) != 2 {
		return fmt.Errorf("%q is no date of year, month and day", text)
	}
	if s.month, err = monthField.dotted(parts[0]); err != nil {
		return fmt.Errorf("month: %w", err)
	}
	if s.dom, err = domField.dotted(parts[1]); err != nil {
		return fmt.Errorf("day of month: %w", err)
	}
	return nil
}

func (s *Schedule) systemdClock(text string) (err error) {
	parts := strings.Split(text, ":")
	if len(parts) == 2 {
		parts = append(parts, "00")
	}
	if len(parts) != 3 {
		return fmt.Errorf("%q is no time of day", text)
	}
	sets := []*uint64{&s.hour, &s.minute, &s.second}
	for i, f := range []field{hourField, minuteField, secondField} {
		if *sets[i], err = f.dotted(parts[i]); err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
	}
	return nil
}

// dotted reads "1,5..9,0/15" or "*".
func (f field) dotted(text string) (set uint64, err error) {
	f.names = nil
	for part := range strings.SplitSeq(text, ",") {
		bits, err := f.dottedPart(part)
		if err != nil {
			return 0, err
		}
		set |= bits
	}
	return set, nil
}

// dottedPart reads one of the list. A step that leads nowhere is an error to
// systemd (chain_valid in calendarspec.c).
func (f field) dottedPart(text string) (uint64, error) {
	head, stepText, stepped := strings.Cut(text, "/")
	if head == "*" {
		if stepped {
			return 0, fmt.Errorf("a step needs a start, not %q", text)
		}
		return f.fill(f.min, f.max, 1)
	}
	first, last, ranged := strings.Cut(head, "..")
	lo, err := f.value(first)
	hi := lo
	switch {
	case err != nil:
		return 0, err
	case ranged:
		if hi, err = f.value(last); err != nil {
			return 0, err
		}
	case stepped:
		hi = f.max
	}
	step := 1
	if stepped {
		if step, err = number(stepText); err != nil || step == 0 || lo+step > hi {
			return 0, fmt.Errorf("the step of %q leads nowhere", text)
		}
	}
	return f.fill(lo, hi, step)
}

// SystemdZone splits the zone off an OnCalendar= expression; without one zone is "".
func SystemdZone(expr string) (rest, zone string) {
	i := strings.LastIndexAny(expr, " \t")
	if i < 0 {
		return expr, ""
	}
	if last := expr[i+1:]; last == "UTC" || strings.Contains(last, "/") && !strings.ContainsAny(last, ":*0123456789") {
		return strings.TrimSpace(expr[:i]), last
	}
	return expr, ""
}
