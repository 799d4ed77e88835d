package pipeline

import (
	"healthaudit/audit"
	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/waiver"
)

// maxWaivers bounds the waivers of a project: each that nothing needs is a
// finding. Further ones are left alone, and what they are about counts.
const maxWaivers = 10_000

// Waivers reads the waivers that stand in some captured files. A file whose
// bytes are lost has none: what it waived counts again, which nobody overlooks.
func Waivers(files []snapshot.File, content snapshot.Content) []audit.Waiver {
	var out []audit.Waiver
	for _, f := range files {
		if len(out) >= maxWaivers {
			break
		}
		b, err := content.Bytes(f.SHA256)
		if err != nil {
			continue
		}
		for _, c := range waiver.Parse(b) {
			out = append(out, audit.Waiver{Checks: c.Checks, Reason: c.Reason, Until: c.Until, From: c.From, To: c.To,
				At: audit.Location{Path: f.Path, Line: c.Line, Column: c.Column}})
		}
	}
	return out
}
