package cron

import (
	"errors"
	"fmt"
	"strings"
)

// parsePM2 reads what croner 4.1.97 reads, with its own ideas: lists hold only
// numbers and *, "5/10" in days and months starts one later, days of month and
// of week must both match. What croner takes without meaning (a part that
// selects nothing, "?") is an error here.
func parsePM2(s *Schedule, parts []string) (*Schedule, error) {
	if len(parts) == 5 {
		parts = append([]string{"0"}, parts...)
	}
	if len(parts) != 6 {
		return nil, &SyntaxError{Dialect: PM2, Message: fmt.Sprintf("%d fields, want 5 or 6", len(parts))}
	}
	if strings.EqualFold(parts[3], "L") {
		s.lastDay = true
		parts[3] = "28,29,30,31"
	}
	sets := []*uint64{&s.second, &s.minute, &s.hour, &s.dom, &s.month, &s.dow}
	for i, f := range []field{secondField, minuteField, hourField, domField, monthField, dowField} {
		set, err := f.croner(parts[i])
		if err != nil {
			return nil, &SyntaxError{Dialect: PM2, Field: f.name, Message: err.Error()}
		}
		*sets[i] = set
	}
	s.foldSunday()
	s.wallClock = true
	return s, nil
}

func (f field) croner(text string) (uint64, error) {
	if !strings.Contains(text, ",") {
		return f.cronerPart(text)
	}
	var set uint64
	for part := range strings.SplitSeq(text, ",") {
		if strings.ContainsAny(part, "-/") {
			return 0, errors.New("a list can hold numbers only, no ranges or steps")
		}
		if part == "" {
			continue
		}
		bits, err := f.cronerPart(part)
		if err != nil {
			return 0, err
		}
		set |= bits
	}
	if set == 0 {
		return 0, errors.New("an empty list")
	}
	return set, nil
}

func (f field) cronerPart(text string) (uint64, error) {
	head, stepText, stepped := strings.Cut(text, "/")
	if !stepped {
		return f.span(text, true)
	}
	step, err := number(stepText)
	if most := f.max - f.min + 1; err != nil || step == 0 || step > most {
		return 0, fmt.Errorf("%q is not a step from 1 to %d", stepText, most)
	}
	if head == "*" || strings.Contains(head, "-") {
		return f.span(text, true)
	}
	start, err := number(head)
	for i, name := range f.names {
		if strings.EqualFold(head, name) {
			start, err = f.min+i, nil
		}
	}
	if err != nil {
		return 0, err
	}
	start += f.min // handleStepping forgets the offset of fields that start at 1
	if start > f.max {
		return 0, fmt.Errorf("%q selects nothing", text)
	}
	return f.fill(start, f.max, step)
}
