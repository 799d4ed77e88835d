package cross

import (
	"fmt"
	"slices"
	"strings"

	"healthaudit/audit"
	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/litter"
)

// BackupLitter reports copies and backups that lie among living automation.
var BackupLitter = &audit.Check{
	ID:         "cross-backup-litter",
	Title:      "backup copies among living files",
	Severity:   audit.Low,
	Confidence: audit.Likely,
	Doc: "Copies such as ci.yml.bak, deploy copy.sh or .history/ lie beside the files they once were. Git remembers those already; the copies are searched, reviewed, " +
		"packed and repaired along with the living files, and sooner or later somebody edits the wrong one. In a functions folder Netlify bundles them; " +
		"in .github/workflows they hide which workflows really run. There is one finding for each family of names in each place, not one per file. " +
		"A few copies outside the folders of automation are only mentioned, and so are workflows that somebody switched off by renaming them.",
	Hint:          "Look whether a copy holds something the living file lacks, then `git rm` the family and add its pattern to .gitignore.",
	Discriminator: "place and family; outside the folders of automation the place alone",
	Source:        "measured: in one of 59 public repositories 47 % of all files, in another 2,471 of 95,622",
	Limits: []audit.Limit{{Name: "min", Default: 1, Unit: "files", Doc: "smallest family that is reported"},
		{Name: "many", Default: 20, Unit: "files", Doc: "copies outside the folders of automation that are more than information"}},
	Still: true,
	Judge: judgeLitter,
}

func judgeLitter(p *audit.Pass) {
	for _, q := range litter.Piles(p.Now) {
		if len(q.Paths) >= int(p.Limit("min")) && p.Now.System(q.System).Status.Listed() {
			p.Report(report(&q, int(p.Limit("many"))))
		}
	}
}

func report(q *litter.Pile, many int) audit.Report {
	r := audit.Report{Item: snapshot.Pseudo(q.System), Discriminator: q.Place + " " + q.Family, At: audit.Location{Path: q.Paths[0]}, Wide: len(q.Paths) > 1}
	slices.Sort(q.Live)
	live := len(slices.Compact(q.Live))
	off := q.Family == "*.disabled" && q.Place == ".github/workflows" && live == 0
	switch {
	case q.Place == litter.Elsewhere && len(q.Paths) < many:
		r.Severity = audit.Info
	case off:
		r.Title, r.Severity = "workflows switched off by renaming", audit.Info
		r.Hint = "Remove those that will not come back: git remembers them."
	case q.System == snapshot.Functions, q.Place == ".github/workflows":
		r.Severity = audit.Medium
	}
	files, lie := "files", "lie"
	if len(q.Paths) == 1 {
		files, lie = "file", "lies"
	}
	r.Message = fmt.Sprintf("%d %s of the family %s %s in %s", len(q.Paths), files, q.Family, lie, q.Place)
	if q.Place == litter.Elsewhere {
		r.Message = fmt.Sprintf("%d backup or copied %s %s outside the folders of automation", len(q.Paths), files, lie)
	}
	switch {
	case off:
		r.Message += ": switched off by their names."
	case strings.HasSuffix(q.Family, "/"), q.Place == litter.Elsewhere:
		r.Message += "."
	case live == 0:
		r.Message += "; the living file is not beside it."
	default:
		r.Message += fmt.Sprintf("; %d living beside them.", live)
	}
	r.Evidence = []audit.Evidence{{Name: "files", Value: fmt.Sprint(len(q.Paths))}, {Name: "examples", Value: strings.Join(q.Paths[:min(3, len(q.Paths))], ", ")}}
	return r
}
