package pipeline

import (
	"fmt"
	"slices"
	"strings"

	"healthaudit/audit"
	"healthaudit/snapshot"
)

// gate decides whether the run passes, and the exit code (DESIGN: 5 an archive that
// failed, 1 gate, 3 incomplete).
func (v *View) gate() {
	v.Info.Passed = len(v.reasons()) == 0
	switch {
	case v.Info.ArchiveFailed != "":
		v.Info.Exit = 5
	case !v.Info.Passed:
		v.Info.Exit = 1
	case slices.ContainsFunc(v.Info.Systems, func(s snapshot.SystemState) bool { return s.Status == snapshot.StatusError }):
		v.Info.Exit = 3
	default:
		v.Info.Exit = 0
	}
}

// asked reports whether a system gates the run: what it was not asked for does not.
func (v *View) asked(sys snapshot.System) bool {
	return sys == snapshot.Auditor || v.Snapshot.System(sys).Status != snapshot.StatusSkipped
}

// reasons says why the gate fails, one line each; empty when it passes.
func (v *View) reasons() []string {
	out := []string{}
	for _, cond := range v.Info.FailOn {
		n, what := 0, v.condition(cond)
		if cond == "regression" {
			n = v.regressed(v.asked)
		} else {
			for _, t := range v.findings {
				if v.meets(cond, t) {
					n++
				}
			}
		}
		if n == 1 {
			out = append(out, "1 "+what)
		} else if n > 1 {
			out = append(out, fmt.Sprintf("%d %s", n, plural(what)))
		}
	}
	if u := v.Info.FailUnder; u != nil && v.Score.Value != nil && audit.Floor(*v.Score.Value) < *u {
		out = append(out, fmt.Sprintf("score %.1f is below %g", audit.Floor(*v.Score.Value), *u))
	}
	return out
}

// condition names in the singular what the gate fails on.
func (v *View) condition(cond string) string {
	switch {
	case cond == "regression":
		return cond
	case cond == "new" && v.Info.Baseline != nil:
		return "finding that is not in the baseline"
	case cond == "new":
		return "new or reopened finding"
	case cond == audit.Critical.String():
		return "critical finding"
	}
	return "finding of severity " + cond + " or worse"
}

// meets reports whether a finding is one that a condition of the gate is about:
// a severity means that or worse; new is what is new or reopened since the
// reference or, where a baseline is pinned, all that is not in it.
func (v *View) meets(cond string, t audit.Tracked) bool {
	if !v.asked(t.System) {
		return false
	}
	if cond != "new" {
		min, err := audit.ParseSeverity(cond)
		return err == nil && t.Counts() && t.Severity >= min
	}
	s, ok := t.StatusAt(v.Seq)
	isNew := ok && (s == audit.New || s == audit.Reopened) && len(v.Info.Reference) > 0
	if b := v.Info.Baseline; b != nil {
		isNew = t.Open() && !b.holds(t)
	}
	return isNew && !t.Accepted()
}

// failing reports whether a finding by itself makes the gate fail.
func (v *View) failing(t audit.Tracked) bool {
	return slices.ContainsFunc(v.Info.FailOn, func(cond string) bool { return v.meets(cond, t) })
}

func plural(what string) string {
	if rest, ok := strings.CutPrefix(what, "finding that is"); ok {
		return "findings that are" + rest
	}
	if rest, ok := strings.CutPrefix(what, "finding of"); ok {
		return "findings of" + rest
	}
	return what + "s"
}
