package cross

import (
	"fmt"
	"path"
	"strings"

	"healthaudit/audit"
	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/lazyregexp"
)

// CommittedLogs reports what automation writes while it runs, and git tracks.
var CommittedLogs = &audit.Check{
	ID:         "cross-committed-logs",
	Title:      "logs in git",
	Severity:   audit.Low,
	Confidence: audit.Likely,
	Doc: "Logs, pid files and Python's caches change with every run. Where git tracks them, every run makes the work tree dirty, every pull can conflict, " +
		"loops that commit what changed commit their own logs for ever, and addresses or tokens in a log become public. A log or two may be kept on purpose: " +
		"below the limit they are only mentioned.",
	Hint:          "`git rm --cached` them and add their pattern to .gitignore (`*.log`, `*.pid`, `__pycache__/`); the files stay on disk.",
	Discriminator: "none: one finding for the repository",
	Source:        "measured: 164 log paths in one public project, one of them with 898 versions in git",
	Limits:        []audit.Limit{{Name: "many", Default: 3, Unit: "files", Doc: "files from which it is more than information"}},
	Still:         true,
	Judge:         judgeCommittedLogs,
}

var logName = lazyregexp.New(`(?i)^(.+\.log(\.\d+)?(\.gz)?|.+-(out|error)(-\d+)?\.log|npm-debug\.log.*|.+\.pid|.+\.pyc)$`)

func judgeCommittedLogs(p *audit.Pass) {
	var paths []string
	for _, e := range tracked(p) {
		if logName().MatchString(path.Base(e.Path)) && !example(e.Path) && !strings.Contains(strings.ToLower(e.Path), "fixture") {
			paths = append(paths, e.Path)
		}
	}
	if len(paths) == 0 {
		return
	}
	r := audit.Report{Item: snapshot.Pseudo(snapshot.Scripts), At: audit.Location{Path: paths[0]}, Wide: len(paths) > 1,
		Message:  fmt.Sprintf("git tracks %s, which a run writes.", paths[0]),
		Evidence: []audit.Evidence{{Name: "files", Value: few(paths)}}}
	if n := len(paths); n > 1 {
		r.Message = fmt.Sprintf("git tracks %d files that runs write, %s among them.", n, paths[0])
	}
	if len(paths) < int(p.Limit("many")) {
		r.Severity = audit.Info
	}
	p.Report(r)
}
