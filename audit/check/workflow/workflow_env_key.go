package workflow

import (
	"fmt"

	"healthaudit/audit"
	"healthaudit/snapshot"
	model "healthaudit/snapshot/analyze/workflow"
)

// EnvKey finds keys of the workflow syntax that fell under env.
var EnvKey = &audit.Check{
	ID:       "workflow-env-key",
	System:   snapshot.Workflows,
	Title:    "key fell under env",
	Severity: audit.Medium,
	Doc: "A key of the workflow syntax, such as timeout-minutes, stands one level too deep, below env. The file loads: the key is an environment variable now, and what it asked for does not happen. " +
		"Keys that fell anywhere else make GitHub refuse the file, which workflow-syntax tells.",
	Hint:          "Give the key the indent of env itself.",
	Discriminator: "job and step key, and the key",
	Source:        "https://docs.github.com/actions/reference/workflows-and-actions/workflow-syntax",
	Still:         true,
	Judge: func(p *audit.Pass) {
		for _, n := range newJudge(p).notes(model.NoteEnvKey) {
			p.Report(audit.Report{Item: n.it.Key, Discriminator: n.Where + " " + n.Subject, At: locate(n.it, n.Pos),
				Message: fmt.Sprintf("%s has %s below env, where it is only the name of a variable", short(n.it), n.Subject)})
		}
	},
}
