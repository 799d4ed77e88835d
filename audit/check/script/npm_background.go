package script

import (
	"fmt"

	"healthaudit/audit"
	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/trait"
)

// NPMBackground reports npm scripts that leave a command behind.
var NPMBackground = &audit.Check{
	ID:         "script-npm-background",
	System:     snapshot.Scripts,
	Title:      "leaves a command behind",
	Severity:   audit.Low,
	Confidence: audit.Likely,
	Doc: "An npm script puts a command into the background with a single & and never waits for it. npm does not know of it: its failure is nobody's, it goes on after Ctrl-C " +
		"or the end of the job, and holds its port. On Windows & means \"and then\", so that the second command begins when the first has ended: for a server, never. " +
		"It is medium where a workflow, a crontab or PM2 starts the script. A script that waits for the command or ends it, and one that only opens a page, is left alone.",
	Hint:          "Start them together with concurrently or npm-run-all (`run-p`), which end all when one ends, or write `&&` if one shall follow the other.",
	Discriminator: "none: one finding for each npm script; of five files or more one for all",
	Source:        "https://docs.npmjs.com/cli/using-npm/scripts: a script is one shell command, and npm waits for that",
	Still:         true,
	Judge:         judgeNPMBackground,
}

func judgeNPMBackground(p *audit.Pass) {
	var all []audit.Damage
	for _, m := range marksOf(p, trait.Background) {
		r := m.report()
		r.Message = fmt.Sprintf("%s puts a command into the background and never waits for it", what(m.it))
		if m.started.By() != "" {
			r.Severity = audit.Medium
		}
		all = append(all, audit.Damage{Cause: "background", What: "put a command into the background and never wait for it", Report: r})
	}
	p.ReportAll(all)
}
