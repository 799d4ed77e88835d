package script

import (
	"fmt"
	"strings"

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
	Doc: "A shell script writes the value of a variable that is called like a password, token or key to its output, in a sentence for a person, or every variable " +
		"(`env`, `printenv`, `set`, `export -p`) where it uses such a variable or reads a `.env`; `env`, `printenv` and `export -p` show only what is exported. Whoever runs it on a shared screen shows it; " +
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
			name, every := strings.CutPrefix(m.marks[0].Name, trait.Everything)
			if every {
				r.Hint = "Show the names alone (in bash `compgen -e`, else `awk 'BEGIN {for (n in ENVIRON) print n}'`), or the variables that matter (`printenv PATH`). Replace the secrets where such a log was kept."
			}
			r.Message = fmt.Sprintf("%s says %s to whoever sees its output", what(m.it), said(name, every))
			all = append(all, audit.Damage{Cause: "secret", What: "say the value of a secret to whoever sees their output", Report: r})
		}
		p.ReportAll(all)
	},
}

// said is what of the environment is said.
func said(name string, every bool) string {
	switch {
	case !every:
		return "the value of " + name
	case name == "":
		return "the secrets of its environment"
	case name == ".env":
		return "every variable, those of its .env among them,"
	}
	return "every variable, " + name + " among them,"
}
