package cron

import (
	"fmt"
	"strconv"
	"strings"
)

// maxLength is far above any expression that a person or a tool writes, in bytes.
const maxLength = 1024

type field struct {
	name     string
	min, max int
	names    []string // names[i] stands for min+i
}

var (
	secondField = field{name: "second", max: 59}
	minuteField = field{name: "minute", max: 59}
	hourField   = field{name: "hour", max: 23}
	domField    = field{name: "day of month", min: 1, max: 31}
	monthField  = field{name: "month", min: 1, max: 12,
		names: []string{"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"}}
	dowField = field{name: "day of week", max: 7,
		names: []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}}
)

var (
	netlifyMacros = map[string]string{
		"@hourly": "0 * * * *", "@daily": "0 0 * * *", "@weekly": "0 0 * * 0",
		"@monthly": "0 0 1 * *", "@yearly": "0 0 1 1 *",
	}
	crontabMacros = map[string]string{
		"@hourly": "0 * * * *", "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@weekly": "0 0 * * 0",
		"@monthly": "0 0 1 * *", "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *",
	}
)

// Parse reads an expression in a dialect. Every error is a *SyntaxError. A
// valid expression may still never fire ("0 0 31 2 *"): see Next.
func Parse(d Dialect, expr string) (*Schedule, error) {
	fail := func(format string, args ...any) (*Schedule, error) {
		return nil, &SyntaxError{Dialect: d, Message: fmt.Sprintf(format, args...)}
	}
	if len(expr) > maxLength {
		return fail("longer than %d bytes", maxLength)
	}
	parts := strings.Fields(expr)
	s := &Schedule{text: strings.Join(parts, " "), dialect: d}
	if len(parts) == 0 {
		return fail("empty")
	}
	switch d {
	case Crontab:
		if s.text == "@reboot" {
			s.reboot = true
			return s, nil
		}
		if m, ok := crontabMacros[s.text]; ok {
			parts = strings.Fields(m)
		}
	case Netlify:
		if m, ok := netlifyMacros[s.text]; ok {
			parts = strings.Fields(m)
		}
	case GitHub:
	case PM2:
		return parsePM2(s, parts)
	case Systemd:
		return parseSystemd(s, parts)
	default:
		return fail("unknown dialect")
	}
	if parts[0][0] == '@' {
		return fail("%q is not known here", parts[0])
	}
	if len(parts) != 5 {
		return fail("%d fields, want 5", len(parts))
	}
	return parsePOSIX(s, parts)
}

// parsePOSIX reads the five fields that Crontab, GitHub and Netlify share.
func parsePOSIX(s *Schedule, parts []string) (*Schedule, error) {
	week := dowField
	if s.dialect == GitHub {
		week.max = 6
	}
	s.second = 1
	sets := []*uint64{&s.minute, &s.hour, &s.dom, &s.month, &s.dow}
	for i, f := range []field{minuteField, hourField, domField, monthField, week} {
		set, err := f.list(parts[i], s.dialect != Crontab)
		if err != nil {
			return nil, &SyntaxError{Dialect: s.dialect, Field: f.name, Message: err.Error()}
		}
		*sets[i] = set
	}
	s.foldSunday()
	star := func(part string) bool { return part == "*" }
	if s.dialect == Crontab { // cron(8) looks at the first byte only: */2 and *,3 are stars too
		star = func(part string) bool { return part[0] == '*' }
	}
	s.either = !star(parts[2]) && !star(parts[4])
	s.wallClock = parts[0][0] != '*' && parts[1][0] != '*'
	s.catchUp = s.wallClock
	return s, nil
}

func (s *Schedule) foldSunday() {
	if s.dow&(1<<7) != 0 {
		s.dow = s.dow&^(1<<7) | 1
	}
}

// list reads "a,b-c,*/2". With open, "5/10" means 5-max/10.
func (f field) list(text string, open bool) (uint64, error) {
	var set uint64
	for part := range strings.SplitSeq(text, ",") {
		bits, err := f.span(part, open)
		if err != nil {
			return 0, err
		}
		set |= bits
	}
	return set, nil
}

func (f field) span(text string, open bool) (uint64, error) {
	head, stepText, stepped := strings.Cut(text, "/")
	step := 1
	if stepped {
		var err error
		if step, err = number(stepText); err != nil || step == 0 {
			return 0, fmt.Errorf("%q is not a step", stepText)
		}
	}
	lo, hi := f.min, f.max
	if head != "*" {
		a, b, ranged := strings.Cut(head, "-")
		var err error
		if lo, err = f.value(a); err != nil {
			return 0, err
		}
		switch {
		case ranged:
			if hi, err = f.value(b); err != nil {
				return 0, err
			}
		case stepped && !open:
			return 0, fmt.Errorf("a step needs a range or *, not %q", text)
		case !stepped:
			hi = lo
		}
	}
	return f.fill(lo, hi, step)
}

// fill returns the set of lo, lo+step … up to hi.
func (f field) fill(lo, hi, step int) (uint64, error) {
	if lo > hi {
		return 0, fmt.Errorf("the range %d-%d runs backwards", lo, hi)
	}
	var set uint64
	for ; lo <= hi; lo += step {
		set |= 1 << lo
	}
	return set, nil
}

func (f field) value(text string) (int, error) {
	for i, name := range f.names {
		if strings.EqualFold(text, name) {
			return f.min + i, nil
		}
	}
	n, err := number(text)
	if err != nil {
		return 0, err
	}
	if n < f.min || n > f.max {
		return 0, fmt.Errorf("%d is not in %d-%d", n, f.min, f.max)
	}
	return n, nil
}

// number reads ASCII digits only: no sign, no spaces.
func number(text string) (int, error) {
	if text == "" {
		return 0, fmt.Errorf("a number is missing")
	}
	for _, c := range []byte(text) {
		if c < '0' || c > '9' {
			return 0, fmt.Errorf("%q is not a number", text)
		}
	}
	n, err := strconv.Atoi(text)
	if err != nil || n > 1_000_000 {
		return 0, fmt.Errorf("%s is too large", text)
	}
	return n, nil
}
