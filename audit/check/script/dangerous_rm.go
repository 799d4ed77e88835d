package script

import (
	"fmt"

	"healthaudit/audit"
	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/trait"
)

// DangerousRM reports scripts that remove the whole machine when a variable is empty.
var DangerousRM = &audit.Check{
	ID:         "script-dangerous-rm",
	System:     snapshot.Scripts,
	Title:      "removes all when a variable is empty",
	Severity:   audit.Medium,
	Confidence: audit.Likely,
	Doc: "`rm -rf \"$DIR\"/*` is `rm -rf /*` when DIR is empty, and nothing in the script sees to it that it is not: the variable is an argument that may be left out, " +
		"or comes from an environment that cron and PM2 do not have. It is high where a crontab, a schedule or PM2 runs the script. " +
		"Scripts under `set -u`, variables that the script assigns or asks for, and `${DIR:?}` are left alone, and so is `rm -rf \"$DIR\"/dist`, which then finds nothing.",
	Hint:          "Write `${NAME:?}` instead of `$NAME`: the shell then ends with a message where the variable is empty.",
	Discriminator: "none: one finding for each script; of five files or more one for all",
	Source:        "shellcheck SC2115, narrowed to variables that nothing assigns",
	Still:         true,
	Judge:         judgeDangerousRM,
}

func judgeDangerousRM(p *audit.Pass) {
	var all []audit.Damage
	for _, m := range marksOf(p, trait.DangerousRM) {
		r := m.report()
		name := m.marks[0].Name
		r.Message = fmt.Sprintf("%s removes the folders of the whole machine when $%s is empty, and nothing in it sees to it that it is not", what(m.it), name)
		if m.unwatched() != "" {
			r.Severity = audit.High
		}
		all = append(all, audit.Damage{Cause: name, What: "remove the folders of the whole machine when $" + name + " is empty", Report: r})
	}
	p.ReportAll(all)
}
