package self

import (
	"fmt"

	"healthaudit/audit"
	"healthaudit/snapshot"
)

// WaiverUnused reports waivers that no finding needs.
var WaiverUnused = &audit.Check{
	ID:       "audit-waiver-unused",
	Title:    "waiver no longer needed",
	Severity: audit.Info,
	Doc: "A comment in a file, an entry of audit.yaml or an `audit accept` is about a finding that is not there: what it was about is mended, or stands on another line. " +
		"Left where it is, it would hide the next one.",
	Hint:          "Take the comment out, or move it to the line that it is about.",
	Discriminator: "the file, the checks and the item it names, and its number among those alike; of audit accept the finding",
	Source:        "audit: a waiver that matches nothing hides what comes later",
	Last:          true,
	Judge: func(p *audit.Pass) {
		for name, w := range waivers(p) {
			if w.Problem(p.Now.At) != "" || p.Covered(w)+p.Spared(w) > 0 || p.Narrow(w) || !p.Looked(w) || !allKnown(p, w) {
				continue
			}
			r := audit.Report{Item: snapshot.Pseudo(snapshot.Auditor), Discriminator: name, At: w.At, Message: fmt.Sprintf("The %s matches no finding.", w)}
			switch {
			case w.Finding != "" && w.Over(p.Now.At): // what ended and is mended is nobody's business any more
				continue
			case w.Finding != "":
				r.Hint = fmt.Sprintf("What it was about is mended: `audit accept %.8s --withdraw`, so that it counts should it come back.", w.Finding)
			case w.Item != "":
				r.Hint = "Take the entry out of the configuration, or name the item that it is about."
			}
			p.Report(r)
		}
		for _, g := range ignores(p) {
			if !g.Meets(p.Now, p.Changes) && p.Seen(g.Item) {
				p.Report(audit.Report{Item: snapshot.Pseudo(snapshot.Auditor), Discriminator: "ignore " + g.Item + " " + g.Fact, At: g.At, Title: "ignore rule without use",
					Message: fmt.Sprintf("The rule that ignores changes of %s on %s meets no fact of any item.", g.Fact, g.Item),
					Hint:    "Take the rule out of the configuration, or correct it: `audit diff` shows the names of facts, `audit report --format json` all of them."})
			}
		}
	},
}

func allKnown(p *audit.Pass, w *audit.Waiver) bool {
	for _, id := range w.Checks {
		if !known(p, id) {
			return false
		}
	}
	return true
}
