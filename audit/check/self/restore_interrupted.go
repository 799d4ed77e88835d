package self

import (
	"fmt"

	"healthaudit/audit"
	"healthaudit/snapshot"
)

// RestoreInterrupted reports restores that were killed between two files.
var RestoreInterrupted = &audit.Check{
	ID:       "audit-restore-interrupted",
	Title:    "a restore is half done",
	Severity: audit.High,
	Doc: "A restore was killed, or the machine went down, when some of its files were written and others not: each file is whole, but together they are neither " +
		"the old state nor the new one. It ends when all of them are as they were to become, or as they were, or somebody changed the rest.",
	Hint:          "Give the command of the restore once more to go on, or go back with `audit restore --undo N`, N being its entry in `audit journal`.",
	Discriminator: "number of the journal's entry",
	Source:        "audit: a restore is noted before its first file and after its last one",
	Judge: func(p *audit.Pass) {
		self := snapshot.Pseudo(snapshot.Auditor)
		if p.Self == nil {
			p.DoubtAll(self)
			return
		}
		for _, h := range p.Self.Halfway {
			p.Report(audit.Report{Item: self, Discriminator: fmt.Sprint(h.Entry), Message: "The " + h.Said() + ".", Hint: h.Next() + "."})
		}
	},
}
