package script

import (
	"fmt"

	"healthaudit/audit"
	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/trait"
)

// CurlPipeShell reports scripts that run what they download, unseen.
var CurlPipeShell = &audit.Check{
	ID:       "script-curl-pipe-shell",
	System:   snapshot.Scripts,
	Title:    "runs what it downloads",
	Severity: audit.Low,
	Doc: "What curl or wget brings goes into a shell at once: whoever holds the server decides what runs here, nobody can look at it, and when the connection breaks " +
		"half of a script has run. Without encryption (http://) everybody on the way decides, too: that is medium, and high where a crontab, a schedule or PM2 runs the script.",
	Hint:          "Download to a file, compare it with a checksum that stands in the script (`echo \"SUM  FILE\" | sha256sum -c`), then run it; or install from a package manager.",
	Discriminator: "none: one finding for each script; of five files or more one for all",
	Source:        "https://github.com/ossf/scorecard/blob/main/docs/checks.md#pinned-dependencies (downloadThenRun)",
	Still:         true,
	Judge:         judgeCurlPipeShell,
}

func judgeCurlPipeShell(p *audit.Pass) {
	var all []audit.Damage
	for _, m := range marksOf(p, trait.PipeToShell) {
		r := m.report()
		worst, plain := m.marks[0], ""
		for _, k := range m.marks {
			if k.Name != "" && plain == "" {
				worst, plain = k, ", over a connection that anybody can change"
				r.Severity = audit.Medium
			}
		}
		if plain != "" && m.unwatched() != "" {
			r.Severity = audit.High
		}
		r.At.Line, r.At.Column = worst.Line, worst.Column
		r.Message = fmt.Sprintf("%s runs what it downloads, before anybody has seen it%s", what(m.it), plain)
		all = append(all, audit.Damage{Cause: "download " + worst.Name, What: "run what they download, before anybody has seen it" + plain, Report: r})
	}
	p.ReportAll(all)
}
