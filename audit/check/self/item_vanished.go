package self

import (
	"fmt"

	"healthaudit/audit"
)

// ItemVanished reports items that are gone without an explanation.
var ItemVanished = &audit.Check{
	ID:       "audit-item-vanished",
	Title:    "vanished without explanation",
	Severity: audit.Medium,
	Doc: "Something that ran, or could run, at the last audit is no longer there, although the place where it was listed could be read, and no commit explains it: " +
		"a deleted PM2 app, a workflow removed on disk only, a crontab line that somebody took out. What was not healthy when a commit deleted it is told too: " +
		"deleting mends no score before somebody says that it was meant.",
	Hint:          "If it was meant, `audit accept ITEM --removed` ends this; if not, `audit restore` brings its files back from an earlier snapshot.",
	Discriminator: "empty: one per item",
	Source:        "regression R6: an item that was healthy disappears",
	Judge: func(p *audit.Pass) {
		for _, g := range p.Gone {
			if p.Expected(g.Item) || len(emptied(p, g.Item.System())) > 0 { // told by those
				continue
			}
			r := audit.Report{Item: g.Item, Message: fmt.Sprintf("%s was there at the last audit and is gone.", g.Name)}
			if g.Commit != "" {
				r.Title = "removed while it was " + string(g.Level)
				r.Message = fmt.Sprintf("%s was %s when commit %.10s deleted %s.", g.Name, g.Level, g.Commit, g.Path)
			}
			if g.Path == "" {
				r.Hint = "If it was meant, `audit accept ITEM --removed` ends this; if not, start it again: it stands in no file of the project."
			} else {
				r.Evidence = append(r.Evidence, audit.Evidence{Name: "was declared in", Value: g.Path})
			}
			if g.Level != "" {
				r.Evidence = append(r.Evidence, audit.Evidence{Name: "last level", Value: string(g.Level)})
			}
			p.Report(r)
		}
	},
}
