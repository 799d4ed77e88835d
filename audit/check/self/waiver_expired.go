package self

import (
	"fmt"

	"healthaudit/audit"
	"healthaudit/snapshot"
)

// WaiverExpired reports waivers whose end is past, and whose findings are still there.
var WaiverExpired = &audit.Check{
	ID:       "audit-waiver-expired",
	Title:    "waiver has ended",
	Severity: audit.Low,
	Doc: "A finding was accepted for a while, and the while is over, or it became worse than what was accepted: it counts again. That is what the end " +
		"of a waiver is for, so that what was put off is decided a second time. The same goes for a rule that ignores changes.",
	Hint:          "Mend what it was about, or give the waiver a new end and check that its reason still holds.",
	Discriminator: "the file, the checks and the item it names, and its number among those alike; of audit accept the finding",
	Source:        "audit: a waiver has a reason and an end",
	Last:          true,
	Judge: func(p *audit.Pass) {
		for name, w := range waivers(p) {
			if w.Problem(p.Now.At) != "" {
				continue
			}
			if f := p.Worse(w); f != nil && !w.Over(p.Now.At) {
				p.Report(audit.Report{Item: snapshot.Pseudo(snapshot.Auditor), Discriminator: "lapsed " + name, At: f.At, Title: "acceptance has lapsed", Hint: again(w),
					Message: fmt.Sprintf("The %s was for a finding of severity %s, which is %s now: it counts again.", w, w.Severity, f.Severity)})
				continue
			}
			n := p.Covered(w)
			if n == 0 || !w.Over(p.Now.At) {
				continue
			}
			what := "the finding counts"
			if n > 1 {
				what = fmt.Sprintf("its %d findings count", n)
			}
			p.Report(audit.Report{Item: snapshot.Pseudo(snapshot.Auditor), Discriminator: name, At: p.Place(w), Hint: again(w),
				Message:  fmt.Sprintf("The %s ended on %s: %s again.", w, w.Until, what),
				Evidence: []audit.Evidence{{Name: "its reason was", Value: w.Reason}}})
		}
		for _, g := range ignores(p) {
			if g.Over(p.Now.At) && g.Meets(p.Now, p.Changes) {
				p.Report(audit.Report{Item: snapshot.Pseudo(snapshot.Auditor), Discriminator: "ignore " + g.Item + " " + g.Fact, At: g.At, Title: "ignore rule has ended",
					Message:  fmt.Sprintf("The rule that ignores changes of %s on %s ended on %s: they are told again.", g.Fact, g.Item, g.Until),
					Hint:     "Give the rule a new end and check that its reason still holds, or take it out of the configuration.",
					Evidence: []audit.Evidence{{Name: "its reason was", Value: g.Reason}}})
			}
		}
	},
}

// again says what to do about an acceptance that has ended; "" for a waiver in a file.
func again(w *audit.Waiver) string {
	if w.Finding == "" {
		return ""
	}
	return fmt.Sprintf("Mend what it was about, or decide anew: `audit accept %.8s --reason WHY --until DATE`; `audit accept %.8s --withdraw` ends this.", w.Finding, w.Finding)
}
