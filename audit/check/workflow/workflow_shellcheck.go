package workflow

import (
	"fmt"
	"strings"

	"healthaudit/audit"
	"healthaudit/snapshot"
	model "healthaudit/snapshot/analyze/workflow"
)

// Shellcheck passes on what shellcheck says of the scripts of run steps.
var Shellcheck = &audit.Check{
	ID:         "workflow-shellcheck",
	System:     snapshot.Workflows,
	Title:      "shell that may go wrong",
	Severity:   audit.Low,
	Version:    2,
	Confidence: audit.Likely,
	Doc: "shellcheck knows hundreds of ways in which a shell script does something else than it seems to say: a cd that fails and is ignored, " +
		"an rm of an empty variable, a test that is always true. Where shellcheck is on PATH, its errors and warnings on run steps are shown here, " +
		"one finding for each of its codes in a file. Codes that a `disable=` line of the project's .shellcheckrc or a `# shellcheck disable=` comment switches off are left out. " +
		"Where shellcheck is missing, nothing new is found and nothing counts as mended.",
	Hint:          "The page https://www.shellcheck.net/wiki/CODE explains each code, with a correction.",
	Discriminator: "the code",
	Source:        "https://www.shellcheck.net; codes left out because of GitHub's expressions and env: actionlint v1.7.12, rule_shellcheck.go",
	Judge:         judgeShellcheck,
}

func judgeShellcheck(p *audit.Pass) {
	for _, it := range files(p) {
		f, ok := it.OwnFile()
		if !ok || f.SHA256 == "" {
			continue
		}
		v, asked := model.ShellSaid(p.Derived, f.SHA256)
		if !asked {
			p.DoubtAll(it.Key)
			continue
		}
		first, places := map[int]model.ShellMessage{}, map[int]int{}
		var codes []int
		for _, m := range v.Said {
			if places[m.Code]++; places[m.Code] == 1 {
				first[m.Code] = m
				codes = append(codes, m.Code)
			}
		}
		for _, code := range codes {
			m := first[code]
			r := audit.Report{Item: it.Key, Discriminator: shellCode(code), At: locate(it, m.Pos),
				Message:  fmt.Sprintf("%s of %s: %s (%s)", stepName(it, m.Where), short(it), strings.TrimRight(m.Text, "."), shellCode(code)),
				Hint:     fmt.Sprintf("https://www.shellcheck.net/wiki/%s explains it, with a correction.", shellCode(code)),
				Evidence: []audit.Evidence{{Name: "places", Value: fmt.Sprint(places[code])}}}
			if m.Error {
				r.Severity = audit.Medium
			}
			p.Report(r)
		}
	}
}

func shellCode(code int) string { return fmt.Sprintf("SC%d", code) }
