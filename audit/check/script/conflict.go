package script

import (
	"fmt"

	"healthaudit/audit"
	"healthaudit/snapshot"
)

// ConflictMarker reports scripts that were saved in the middle of a merge.
var ConflictMarker = &audit.Check{
	ID:       "script-conflict-marker",
	System:   snapshot.Scripts,
	Title:    "merge conflict left in",
	Severity: audit.High,
	Doc: "The lines <<<<<<<, ======= and >>>>>>> were committed: a merge was never finished. The file does not parse, or, in a here-document or a comment, " +
		"both sides of the conflict are in force. All three markers must stand at the beginnings of lines, in order. Workflows and functions have their own checks.",
	Hint:          "Decide which side holds, remove the three markers, and run the script once.",
	Discriminator: "empty: one per file",
	Source:        "git-merge(1), HOW CONFLICTS ARE PRESENTED",
	Still:         true,
	Judge: func(p *audit.Pass) {
		for _, it := range p.Items() {
			for _, q := range problems(it) {
				if q.weight == "conflict" {
					p.Report(audit.Report{Item: it.Key, At: q.at(it), Message: fmt.Sprintf("%s holds an unfinished merge.", it.Path)})
					break
				}
			}
		}
	},
}
