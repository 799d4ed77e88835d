package pipeline

import (
	"cmp"
	"slices"
	"strings"

	"healthaudit/audit"
	"healthaudit/report"
	"healthaudit/snapshot"
)

func (v *View) documentFindings() ([]report.Finding, []report.Check) {
	out := make([]report.Finding, 0, len(v.findings))
	checks := map[string]report.Check{}
	worse := map[snapshot.Key]uint64{} // since which snapshot
	for _, r := range v.Regressions {
		if since, ok := worse[r.Item]; !ok || r.Since.Seq < since {
			worse[r.Item] = r.Since.Seq
		}
	}
	regressed := func(t audit.Tracked) bool { // what was there before is not what made it worse
		since, ok := worse[t.Item]
		return ok && t.Counts() && t.Severity >= audit.Medium && (t.Opened.Seq >= since || t.Updated != nil && t.Updated.Seq >= since)
	}
	for _, t := range v.findings {
		status, ok := t.StatusAt(v.Seq)
		if !ok {
			continue
		}
		f := report.Finding{ID: t.ID, Check: t.Check, Severity: t.Severity.String(), Confidence: string(t.Confidence),
			Status: string(status), Carried: t.Carried, Updated: t.Updated != nil && t.Updated.Seq == v.Seq,
			Regression: regressed(t),
			Item:       string(t.Item), System: string(t.System), Title: t.Title, Message: t.Message, Hint: t.Hint,
			Loss: significant(v.Score.Loss[t.ID]), Location: location(t.At.Path, t.At.Line, t.At.Column),
			Evidence: make([]report.Evidence, 0, len(t.Evidence)), FirstSeen: mark(t.First), Opened: mark(t.Opened), Occurrence: t.Occurrences, Version: t.CheckVersion}
		if t.Accepted() {
			f.Waiver = &report.Waiver{Reason: t.Waived.Reason, Until: t.Waived.Until, By: t.Waived.Author()}
		}
		f.FailsGate = v.failing(t)
		f.InBaseline = t.Open() && v.Info.Baseline != nil && v.Info.Baseline.holds(t)
		for _, e := range t.Evidence {
			f.Evidence = append(f.Evidence, report.Evidence{Name: e.Name, Value: e.Value})
		}
		out = append(out, f)
		c, seen := checks[t.Check]
		if !seen {
			c = v.check(t)
		}
		if worst, _ := audit.ParseSeverity(c.Severity); t.Severity > worst {
			c.Severity = t.Severity.String()
		}
		checks[t.Check] = c
	}
	list := make([]report.Check, 0, len(checks))
	for _, c := range checks {
		list = append(list, c)
	}
	slices.SortFunc(list, func(a, b report.Check) int { return strings.Compare(a.ID, b.ID) })
	return out, list
}

// check returns what a finding's check says of itself; of one that is no longer
// there, what the finding says.
func (v *View) check(t audit.Tracked) report.Check {
	for _, k := range v.known {
		if k.ID == t.Check {
			return report.Check{ID: k.ID, Title: k.Title, Help: k.Hint, Doc: k.Doc, Confidence: string(cmp.Or(k.Confidence, audit.Certain))}
		}
	}
	return report.Check{ID: t.Check, Title: t.Title, Help: t.Hint, Confidence: string(t.Confidence)}
}

func location(p string, line, column int) *report.Location {
	if p == "" {
		return nil
	}
	return &report.Location{Path: p, Line: max(line, 1), Column: max(column, 1)}
}
