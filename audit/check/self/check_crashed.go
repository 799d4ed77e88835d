package self

import (
	"fmt"

	"healthaudit/audit"
	"healthaudit/snapshot"
)

// CheckCrashed reports checks that could not be run to their end: a bug of audit.
var CheckCrashed = &audit.Check{
	ID:       "audit-check-crashed",
	Title:    "a check stopped",
	Severity: audit.Low,
	Doc: "A check of audit stopped in the middle because of a bug of its own. What it had found there before is carried, and nothing counts as mended; all other items and checks are judged. " +
		"Were the check left out instead, a score would rise because nobody looks any more.",
	Hint:          "This is a bug of audit, not of the project: report it with the output of `audit version` and the place it names. `checks: {off: [CHECK]}` in audit.yaml leaves the check out until then.",
	Discriminator: "the check that stopped",
	Source:        "audit: a check that did not run proves nothing",
	Last:          true,
	Judge: func(p *audit.Pass) {
		for _, c := range p.Crashed() {
			r := audit.Report{Item: c.Item, Discriminator: c.Check, Message: fmt.Sprintf("The check %s stopped: %s.", c.Check, sentence(c.What))}
			if it := p.Now.Item(c.Item); it != nil {
				r.Message = fmt.Sprintf("The check %s stopped at %s: %s.", c.Check, it.Name, sentence(c.What))
				r.At = audit.Location{Path: it.Path, Line: it.Line}
			} else {
				r.Item = snapshot.Pseudo(snapshot.Auditor)
			}
			p.Report(r)
		}
	},
}
