package self

import (
	"fmt"
	"strings"

	"healthaudit/audit"
	"healthaudit/snapshot"
)

// WaiverExpired reports waivers whose end is past, and whose findings are still there.
var WaiverExpired = &audit.Check{
	ID:       "audit-waiver-expired",
	Title:    "waiver has ended",
	Severity: audit.Low,
	Doc: "A finding was accepted for a while, and the while is over: it counts again. That is what the end of a waiver is for, " +
		"so that what was put off is decided a second time.",
	Hint:          "Mend what it was about, or give the waiver a new end and check that its reason still holds.",
	Discriminator: "the file, the checks it names, and its number among those alike",
	Source:        "audit: a waiver has a reason and an end",
	Last:          true,
	Judge: func(p *audit.Pass) {
		for name, w := range waivers(p) {
			n := p.Covered(w)
			if n == 0 || w.Problem(p.Now.At) != "" || !w.Over(p.Now.At) {
				continue
			}
			what := "the finding counts"
			if n > 1 {
				what = fmt.Sprintf("its %d findings count", n)
			}
			p.Report(audit.Report{Item: snapshot.Pseudo(snapshot.Auditor), Discriminator: name, At: w.At,
				Message:  fmt.Sprintf("The waiver of %s in %s ended on %s: %s again.", strings.Join(w.Checks, ", "), w.At.Path, w.Until, what),
				Evidence: []audit.Evidence{{Name: "its reason was", Value: w.Reason}}})
		}
	},
}
