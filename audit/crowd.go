package audit

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"healthaudit/snapshot"
)

// CrowdOf is from how many files on the same damage is one finding: somebody, or
// some program, did it to all of them, and it is mended in one go.
const CrowdOf = 5

// Damage is one finding on one item, and what it has in common with others.
type Damage struct {
	Cause  string // equal for damage that has one cause; part of the discriminator
	What   string // the damage without the item, behind "5 files": "push whatever lies there"
	Report Report
}

// ReportAll reports damage item by item, or as one finding on the system where
// items of CrowdOf files or more share its cause, as grave as the gravest of them.
// Those items have no finding of their own from this check.
func (p *Pass) ReportAll(list []Damage) {
	by := map[string][]Damage{}
	for _, d := range list {
		id := string(d.Report.Item.System()) + "\x00" + d.Cause
		by[id] = append(by[id], d)
	}
	for _, id := range slices.Sorted(maps.Keys(by)) {
		ds := by[id]
		var files []string
		for _, d := range ds {
			files = append(files, d.Report.At.Path)
		}
		slices.Sort(files)
		if files = slices.Compact(files); len(files) < CrowdOf {
			for _, d := range ds {
				p.Report(d.Report)
			}
			continue
		}
		r := slices.MaxFunc(ds, func(a, b Damage) int { return int(a.Report.Severity - b.Report.Severity) }).Report
		r.Item, r.Discriminator, r.Wide = snapshot.Pseudo(r.Item.System()), "cluster "+ds[0].Cause, true
		r.Message = fmt.Sprintf("%d files %s: %s", len(files), ds[0].What, few(files))
		r.Evidence = []Evidence{{Name: "files", Value: strings.Join(files, ", ")}}
		r.Hint = "Look for what they have in common, a template or a tool that wrote them, and mend that first. " + cmp.Or(r.Hint, p.check.Hint)
		p.Report(r)
	}
}

// few joins names for a sentence; of many it shows the first.
func few(names []string) string {
	const most = 5
	if more := len(names) - most; more > 0 {
		return strings.Join(names[:most], ", ") + fmt.Sprintf(" and %d more", more)
	}
	return strings.Join(names, ", ")
}
