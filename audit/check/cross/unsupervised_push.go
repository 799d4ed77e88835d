package cross

import (
	"healthaudit/audit"
	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/trait"
)

// UnsupervisedPush reports what commits and pushes everything while nobody looks.
var UnsupervisedPush = &audit.Check{
	ID:         "cross-unsupervised-push",
	Needs:      []snapshot.System{snapshot.Scripts},
	Title:      "pushes whatever lies there",
	Severity:   audit.Medium,
	Confidence: audit.Likely,
	Doc: "A crontab, PM2 or a loop without end runs `git add -A` (or `git add .`, `git commit -a`) and `git push`: whatever lies in the folder at that moment is published. " +
		"Half-written files, logs, merge conflicts and the `.env` that somebody just made are in the history then, and from there nobody gets them out again. " +
		"A workflow is left alone: it begins with a fresh checkout, and its runs can be read.",
	Hint:          "Name what shall be committed (`git add docs/report.json`), look whether it is what was meant (`git diff --cached --quiet && exit`), and push to a branch that somebody merges.",
	Discriminator: "none: one finding for each item; of five files or more one for all",
	Source:        "measured: several loops in one repository, every 2 to 15 minutes, straight to main",
	Still:         true,
	Judge:         judgeUnsupervisedPush,
}

func judgeUnsupervisedPush(p *audit.Pass) {
	index := marksOf(p)
	var all []audit.Damage
	for _, it := range index.Items {
		push, ok := index.First(it, trait.Push)
		_, adds := index.First(it, trait.AddAll)
		if !ok || !adds {
			continue
		}
		_, forever := index.First(it, trait.Forever)
		by := unwatched(startedBy(p)[it.Key])
		if by == "" && !forever {
			continue
		}
		r := audit.Report{Item: it.Key, At: at(it, push), Message: what(it) + " commits and pushes whatever lies in its folder"}
		switch {
		case by == "":
			r.Message += ", in a loop without end"
		case by != it.Key:
			r.Message += ", started by " + starter(p, by)
		case it.Kind == "cron":
			r.Message += ", on a schedule"
		default:
			r.Message += ", as long as PM2 keeps it running"
		}
		all = append(all, audit.Damage{Cause: "push", What: "commit and push whatever lies in their folder, while nobody looks", Report: r})
	}
	p.ReportAll(all)
}
