package rules

import (
	"fmt"
	"slices"
	"strings"

	"healthaudit/snapshot"
)

// set makes the rules of a file, and checks what they are together.
func (r *reader) set(d *fileDoc) (*Set, error) {
	s := &Set{Path: r.path, Hash: snapshot.Sum(r.src)}
	var err error
	if s.Limits, err = r.limits(&d.Limits); err != nil {
		return nil, err
	}
	if d.Defaults.MaxGap != "" {
		if s.MaxGap, err = d.Defaults.MaxGap.parse(); err != nil {
			return nil, r.fail("$.defaults.max_gap", err.Error(), "")
		}
	}
	if len(d.Rules) > maxRules {
		return nil, r.fail("$.rules", fmt.Sprintf("more than %d rules", maxRules), "")
	}
	first := map[string]int{}
	for i := range d.Rules {
		at := fmt.Sprintf("$.rules[%d]", i)
		rule, err := r.rule(at, &d.Rules[i], &d.Defaults)
		if err != nil {
			return nil, err
		}
		if line, twice := first[rule.ID]; twice {
			return nil, r.fail(at+".id", fmt.Sprintf("the rule %s is there already, at line %d", rule.ID, line), "")
		}
		first[rule.ID] = rule.Line
		s.Rules = append(s.Rules, rule)
	}
	return s, r.depends(s)
}

// depends checks that rules wait for rules that are there, and not for
// themselves in a circle.
func (r *reader) depends(s *Set) error {
	ids := make([]string, len(s.Rules))
	for i, rule := range s.Rules {
		ids[i] = rule.ID
	}
	for i, rule := range s.Rules {
		for j, d := range rule.Depends {
			if s.Rule(d) == nil {
				return r.fail(fmt.Sprintf("$.rules[%d].depends_on[%d]", i, j), fmt.Sprintf("there is no rule %q", d), r.v.Meant(d, ids))
			}
		}
		if way := circle(s, rule, []string{rule.ID}, map[string]bool{}); way != nil {
			return r.fail(fmt.Sprintf("$.rules[%d].depends_on", i), "rules wait for one another: "+strings.Join(way, " → "), "")
		}
	}
	return nil
}

// circle returns the way from a rule back to itself. What was seen leads nowhere.
func circle(s *Set, at *Rule, way []string, seen map[string]bool) []string {
	for _, d := range at.Depends {
		if d == way[0] {
			return append(way, d)
		}
		next := s.Rule(d)
		if next == nil || seen[d] {
			continue
		}
		seen[d] = true
		if found := circle(s, next, append(slices.Clone(way), d), seen); found != nil {
			return found
		}
	}
	return nil
}

// DefaultLimits bound a file that sets none.
var DefaultLimits = Limits{Actions: 5, PerSystem: 3, UnhealthyPct: 40, StopAfter: 2, ActionsPerDay: 20}

func (r *reader) limits(d *limitsDoc) (Limits, error) {
	l := DefaultLimits
	for _, f := range []struct {
		key  string
		from *int
		to   *int
		max  int
	}{{"max_actions", d.Actions, &l.Actions, 1000}, {"max_per_system", d.PerSystem, &l.PerSystem, 1000}, {"max_unhealthy_pct", d.UnhealthyPct, &l.UnhealthyPct, 100},
		{"stop_after_failures", d.StopAfter, &l.StopAfter, 1000}, {"max_actions_per_day", d.ActionsPerDay, &l.ActionsPerDay, 10000}} {
		if f.from == nil {
			continue
		}
		if *f.from < 0 || *f.from > f.max {
			return l, r.fail("$.limits."+f.key, fmt.Sprintf("%s is %d, want a number from 0 to %d", f.key, *f.from, f.max), "")
		}
		*f.to = *f.from
	}
	return l, nil
}
