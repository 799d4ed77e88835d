package self

import (
	"fmt"
	"strings"

	"healthaudit/audit"
	"healthaudit/snapshot"
)

// InventoryEmpty reports systems of which everything is gone at once.
var InventoryEmpty = &audit.Check{
	ID:       "audit-inventory-empty",
	Title:    "everything is gone",
	Severity: audit.High,
	Doc: "There were several items of a kind at the last audit, it could be listed, and now there is none, without an explanation. More often than that everything was removed, " +
		"audit looks in the wrong place: another user, another PM2_HOME, a checkout without its files. It is told once, instead of each item; what only a commit removed, and was healthy, is no finding.",
	Hint:          "Check the user and the folder that audit runs with. If it was meant, `audit accept ITEM --removed` for each of them ends this.",
	Discriminator: "none: one finding per system",
	Source:        "PM2 answers another user, or another PM2_HOME, from a daemon of its own, which has an empty list",
	Judge: func(p *audit.Pass) {
		for _, sys := range snapshot.Systems {
			gone := emptied(p, sys)
			if len(gone) == 0 {
				continue
			}
			r := audit.Report{Item: snapshot.Pseudo(sys), Message: fmt.Sprintf("All %d %s that were there are gone: %s", len(gone), things[sys], some(gone))}
			if sys == snapshot.PM2 {
				r.Hint = "Is this the user whose apps these are, and the right PM2_HOME? `pm2 ls` as that user shows it; `pm2 resurrect` starts what was saved. If it was meant, `audit accept ITEM --removed` for each of them ends this."
			}
			p.Report(r)
		}
	},
}

var things = map[snapshot.System]string{snapshot.PM2: "items of PM2", snapshot.Workflows: "workflows", snapshot.Functions: "functions", snapshot.Scripts: "scripts"}

// emptied returns the items that are gone from a system that has none left. One
// alone is told as itself.
func emptied(p *audit.Pass, sys snapshot.System) (gone []audit.Gone) {
	if !p.Now.System(sys).Status.Listed() || len(p.Now.Of(sys)) > 0 {
		return nil
	}
	for _, g := range p.Gone {
		if g.Item.System() == sys {
			gone = append(gone, g)
		}
	}
	if len(gone) < 2 {
		return nil
	}
	return gone
}

// some names the first few.
func some(gone []audit.Gone) string {
	const most = 5
	var names []string
	for _, g := range gone[:min(len(gone), most)] {
		names = append(names, g.Name)
	}
	if n := len(gone) - most; n > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(names, ", "), n)
	}
	return strings.Join(names, ", ")
}
