package self

import (
	"fmt"

	"healthaudit/audit"
	"healthaudit/snapshot"
)

// StoreLarge reports a store that outgrew its limit, or the disk below it.
var StoreLarge = &audit.Check{
	ID:       "audit-store-large",
	Title:    "store is near its limit",
	Severity: audit.Low,
	Doc: "The file of the store is larger than it should become, or the disk that holds it is nearly full: when it is, runs are no longer kept, and what " +
		"happens then is compared with what was before. A run that cannot be kept leaves the store as it was.",
	Hint:          "`audit store stats` shows what it holds. Make room on the disk, or move the store: --store FILE.",
	Discriminator: "size or disk",
	Source:        "audit: one file of state",
	Limits: []audit.Limit{
		{Name: "megabytes", Default: 2000, Unit: "MB", Doc: "how large the file of the store may be"},
		{Name: "free_megabytes", Default: 200, Unit: "MB", Doc: "how much must be free on its disk (medium)"},
	},
	Judge: func(p *audit.Pass) {
		self := snapshot.Pseudo(snapshot.Auditor)
		if p.Self == nil {
			p.DoubtAll(self)
			return
		}
		const mb = 1e6
		if most := p.Limit("megabytes"); float64(p.Self.StoreBytes) > most*mb {
			p.Report(audit.Report{Item: self, Discriminator: "size", Message: fmt.Sprintf("The store has more than %g MB", most)})
		}
		if least := p.Limit("free_megabytes"); p.Self.FreeBytes >= 0 && float64(p.Self.FreeBytes) < least*mb {
			p.Report(audit.Report{Item: self, Discriminator: "disk", Severity: audit.Medium, Title: "disk of the store is nearly full",
				Message: fmt.Sprintf("Less than %g MB are free on the disk that holds the store", least)})
		}
	},
}
