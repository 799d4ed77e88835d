package self

import (
	"fmt"
	"strings"

	"healthaudit/audit"
	"healthaudit/snapshot"
)

// WaiverUnused reports waivers that no finding needs.
var WaiverUnused = &audit.Check{
	ID:       "audit-waiver-unused",
	Title:    "waiver no longer needed",
	Severity: audit.Info,
	Doc: "A comment asks audit to ignore a finding that is not there: what it was about is mended, or stands on another line. " +
		"Left where it is, it would hide the next one.",
	Hint:          "Take the comment out, or move it to the line that it is about.",
	Discriminator: "the file, the checks it names, and its number among those alike",
	Source:        "audit: a waiver that matches nothing hides what comes later",
	Last:          true,
	Judge: func(p *audit.Pass) {
		for name, w := range waivers(p) {
			if w.Problem(p.Now.At) != "" || p.Covered(w) > 0 || p.Narrow(w) || !p.Looked(w) || !allKnown(p, w) {
				continue
			}
			p.Report(audit.Report{Item: snapshot.Pseudo(snapshot.Auditor), Discriminator: name, At: w.At,
				Message: fmt.Sprintf("The waiver of %s in %s matches no finding.", strings.Join(w.Checks, ", "), w.At.Path)})
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
