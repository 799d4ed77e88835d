package workflow

import (
	"maps"
	"slices"
	"strings"

	"healthaudit/audit"
	"healthaudit/snapshot"
	model "healthaudit/snapshot/analyze/workflow"
)

// A note is one note of the analyser, and whose it is.
type note struct {
	it *snapshot.Item
	model.Message
}

// notes returns the notes of a family on all files, in the order of the items.
func (j *judge) notes(family string) []note {
	var out []note
	for _, it := range j.files {
		for _, m := range j.verdict(it).Notes {
			if m.Family == family {
				out = append(out, note{it, m})
			}
		}
	}
	return out
}

// crowdOf is from how many files on the same damage is one finding: somebody,
// or some program, did it to all of them, and it is mended in one go.
const crowdOf = 5

// A damage is one finding on one file, and what it has in common with others.
type damage struct {
	signature string // equal for damage that has one cause
	what      string // the damage without the file, for a cluster
	report    audit.Report
	together  audit.Severity // of a cluster that is high file by file; 0: no worse than one
	file      *snapshot.Item // whose past tells who did it; nil where that is about something else
}

// reportAll reports damage file by file, or as one finding on the system for
// each signature that crowdOf files or more share. Those files have no finding
// of their own from this check.
func reportAll(p *audit.Pass, list []damage) {
	by := map[string][]damage{}
	for _, d := range list {
		by[d.signature] = append(by[d.signature], d)
	}
	for _, sig := range slices.Sorted(maps.Keys(by)) {
		ds := by[sig]
		var names []string
		for _, d := range ds {
			names = append(names, d.report.Item.Name())
		}
		slices.Sort(names)
		names = slices.Compact(names)
		if len(names) < crowdOf {
			for _, d := range ds {
				p.Report(since(d.file, d.report))
			}
			continue
		}
		worst := ds[0].report
		for _, d := range ds {
			if d.report.Severity > worst.Severity {
				worst.Severity = d.report.Severity
			}
		}
		if t := ds[0].together; t != 0 && (worst.Severity == 0 || worst.Severity >= audit.High) {
			worst.Severity = t
		}
		worst.Item, worst.Discriminator = snapshot.Pseudo(snapshot.Workflows), "cluster "+sig
		worst.Message = plural(len(names), "file") + " " + ds[0].what + ": " + and(names)
		worst.Evidence = append([]audit.Evidence{{Name: "files", Value: strings.Join(names, ", ")}}, ds[0].report.Evidence...)
		worst = sinceAll(ds, worst, "One change did this to all of them: find it with `git log`, and undo it once instead of file by file.")
		worst.Wide = true
		p.Report(worst)
	}
}
