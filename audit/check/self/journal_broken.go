package self

import (
	"fmt"

	"healthaudit/audit"
	"healthaudit/snapshot"
)

// JournalBroken reports a journal whose end is not where it was.
var JournalBroken = &audit.Check{
	ID:       "audit-journal-broken",
	Title:    "journal lacks entries",
	Severity: audit.High,
	Doc: "The journal says what audit did, and by whom; its head, kept beside it, says what its last entry is. The two differ: entries were cut off or changed " +
		"by something other than audit. Each run looks at the end only; `audit journal verify` proves the whole chain.",
	Hint:          "Run `audit journal verify`, and compare with the journal head printed in an earlier report.",
	Discriminator: "empty: one for the auditor",
	Source:        "audit: a hash chain, whose head is kept in the same transaction",
	Judge: func(p *audit.Pass) {
		self := snapshot.Pseudo(snapshot.Auditor)
		switch {
		case p.Self == nil:
			p.DoubtAll(self)
		case p.Self.Journal != "":
			p.Report(audit.Report{Item: self, Message: fmt.Sprintf("The journal is not what was written: %s", p.Self.Journal)})
		}
	},
}
