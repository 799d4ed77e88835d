package report

import (
	"slices"
	"strings"
)

// Only returns the document reduced to some systems: what it says of others is
// left out, the run's gate and score stay those of the whole run.
func (d *Document) Only(systems []string) *Document {
	in := func(s string) bool { return slices.Contains(systems, s) }
	c := *d
	c.Systems = keep(d.Systems, func(s System) bool { return in(s.System) })
	c.Items = keep(d.Items, func(i Item) bool { return in(i.System) })
	c.Findings = keep(d.Findings, func(f Finding) bool { return in(f.System) })
	c.Changes = keep(d.Changes, func(x Change) bool { return in(x.System) })
	c.Regressions = keep(d.Regressions, func(r Regression) bool { s, _, _ := strings.Cut(r.Item, "/"); return in(s) })
	c.Schedules = keep(d.Schedules, func(s Schedule) bool { return in(s.System) })
	c.Errors = keep(d.Errors, func(e Error) bool { return in(e.System) || e.Source == "store" }) // which all systems are read from
	c.Mended = keep(d.Mended, func(m Mended) bool { return in(m.System) })
	if len(c.Schedules) < len(d.Schedules) {
		c.Week = nil // its numbers are those of all
	}
	c.Checks = c.found()
	return &c
}

// OnlyNew returns the document reduced to the findings that are new, reopened
// or part of a regression; where a baseline is pinned, also to all that it does
// not hold.
func (d *Document) OnlyNew() *Document {
	c := *d
	c.Findings = keep(d.Findings, d.isNew)
	c.Checks = c.found()
	return &c
}

func (d *Document) isNew(f Finding) bool {
	return fresh(f) || d.Baseline != nil && !f.InBaseline && f.Status != "resolved"
}

// found returns the checks that have a finding.
func (d *Document) found() []Check {
	return keep(d.Checks, func(k Check) bool {
		return slices.ContainsFunc(d.Findings, func(f Finding) bool { return f.Check == k.ID })
	})
}

func keep[T any](list []T, want func(T) bool) []T {
	out := []T{}
	for _, v := range list {
		if want(v) {
			out = append(out, v)
		}
	}
	return out
}
