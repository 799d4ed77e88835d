package self

import (
	"fmt"

	"healthaudit/audit"
	"healthaudit/snapshot"
)

// ArchiveFailed reports that the archive of this run could not be made.
var ArchiveFailed = &audit.Check{
	ID:       "audit-archive-failed",
	Title:    "no backup was made",
	Severity: audit.High,
	Needs:    []snapshot.System{snapshot.Auditor},
	Doc: "An archive was due after this run and could not be written, or did not read back as it was written: a full disk, a folder that may not be written, " +
		"a file of recipients that is gone. The run itself is kept, and so are the archives from before; what changed since them is in none.",
	Hint:          "Mend what the message says, and run audit archive create.",
	Discriminator: "none: there is one per run",
	Source:        "audit: a backup that fails unseen is found out on the day it is needed",
	Judge: func(p *audit.Pass) {
		item := snapshot.Pseudo(snapshot.Auditor)
		switch b := p.Backups; {
		case b == nil || !b.Tried:
			p.DoubtAll(item)
		case b.Failed != "":
			p.Report(audit.Report{Item: item, At: b.At, Hint: b.Hint, Message: fmt.Sprintf("The archive of this run could not be made: %s.", sentence(b.Failed))})
		}
	},
}
