package script

import (
	"fmt"

	"healthaudit/audit"
	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/trait"
)

// UnguardedCD reports scripts that destroy in the wrong folder when a cd fails.
var UnguardedCD = &audit.Check{
	ID:         "script-unguarded-cd",
	System:     snapshot.Scripts,
	Title:      "destroys wherever it stands",
	Severity:   audit.Medium,
	Confidence: audit.Likely,
	Doc: "The script changes its folder, does not look whether that worked, and then removes, resets, cleans or commits whatever lies in the folder it is in. " +
		"When the folder was renamed or a disk is not mounted, the cd fails, the shell goes on, and all of that happens in the folder the script was started from: " +
		"under cron that is the home folder. It is high where a crontab, a schedule or PM2 runs it, low where only build products are removed. " +
		"A script that ends at the first failure (`set -e`), that asks for the folder or makes it, or that goes to its own folder is left alone.",
	Hint:          "Write `cd FOLDER || exit 1`, or `cd FOLDER && …` in front of what may only happen there, or `set -e` at the beginning.",
	Discriminator: "none: one finding for each script; of five files or more one for all",
	Source:        "shellcheck SC2164, narrowed to what destroys",
	Still:         true,
	Judge:         judgeUnguardedCD,
}

func judgeUnguardedCD(p *audit.Pass) {
	var all []audit.Damage
	for _, m := range marksOf(p, trait.UnguardedCD) {
		r := m.report()
		worst := m.marks[0]
		for _, k := range m.marks {
			if worst.Name == trait.RemoveProducts && k.Name != worst.Name {
				worst = k
			}
		}
		r.At.Line, r.At.Column = worst.Line, worst.Column
		r.Message = fmt.Sprintf("%s does not look whether its cd worked, and then runs %s wherever it is", what(m.it), worst.Name)
		switch {
		case worst.Name == trait.RemoveProducts:
			r.Severity = audit.Low
		case m.unwatched() != "":
			r.Severity = audit.High
		default:
			r.Severity = audit.Medium
		}
		all = append(all, audit.Damage{Cause: worst.Name, What: "do not look whether their cd worked, and then run " + worst.Name + " wherever they are", Report: r})
	}
	p.ReportAll(all)
}
