package pipeline

import (
	"healthaudit/report"
)

// suppressed counts what waivers accept and rules ignore.
func (v *View) suppressed() report.Suppressed {
	s := report.Suppressed{Changes: v.hidden.Changes, IgnoreRules: v.hidden.Rules}
	by := map[[3]string]bool{}
	for _, t := range v.findings {
		if t.Open() && t.Accepted() {
			s.Findings++
			by[[3]string{t.Waived.Author(), t.Waived.Reason, t.Waived.Until}] = true
		}
	}
	s.Waivers = len(by)
	return s
}
