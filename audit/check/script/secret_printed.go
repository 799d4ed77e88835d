package script

import (
	"fmt"

	"healthaudit/audit"
	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/trait"
)

// SecretPrinted reports scripts that say the value of a secret.
var SecretPrinted = &audit.Check{
	ID:         "script-secret-printed",
	System:     snapshot.Scripts,
	Title:      "says the value of a secret",
	Severity:   audit.Low,
	Confidence: audit.Likely,
	Doc: "A shell script writes the value of a variable that is called like a password, token or key to its output, in a sentence for a person. Whoever runs it on a shared screen shows it; " +
		"where a crontab, a schedule or PM2 runs it (medium) the value stays in the log or the mail. In workflows GitHub masks what it knows as a secret, in that very form. " +
		"What goes into a file, a pipe or another variable is left out, and so is a value that stands in the script itself, and a beginning of up to 8 characters.",
	Hint:          "Say whether it is set (`${NAME:+set}`), or its first four characters (`${NAME:0:4}`). Replace the secret where such a log was kept.",
	Discriminator: "none: one finding for each script; of five files or more one for all",
	Source:        "https://cwe.mitre.org/data/definitions/532.html",
	Still:         true,
	Judge: func(p *audit.Pass) {
		var all []audit.Damage
		for _, m := range marksOf(p, trait.Secret) {
			r := m.report()
			if m.unwatched() != "" {
				r.Severity = audit.Medium
			}
			r.Message = fmt.Sprintf("%s says the value of %s to whoever sees its output", what(m.it), m.marks[0].Name)
			all = append(all, audit.Damage{Cause: "secret", What: "say the value of a secret to whoever sees their output", Report: r})
		}
		p.ReportAll(all)
	},
}
