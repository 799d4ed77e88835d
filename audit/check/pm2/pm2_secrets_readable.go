package pm2

import (
	"fmt"
	"slices"
	"strings"

	"healthaudit/audit"
	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/lazyregexp"
)

// SecretsReadable finds PM2 homes whose secrets every user of the machine can read.
var SecretsReadable = &audit.Check{
	ID: "pm2-secrets-readable", System: "pm2", Title: "everyone can read PM2's secrets", Severity: audit.Low,
	Doc: "dump.pm2 holds the whole environment of every app in clear, module_conf.json the settings of modules, and PM2 writes both readable for everyone. " +
		"Where the folders above let others pass, every user and every other service of the machine can read them. It weighs more when variables of the apps are named like secrets.",
	Hint:          "Run `chmod 700 PM2_HOME` (by default ~/.pm2) and `chmod 600` on the files as the user who owns them. PM2 writes the dump with mode 0644 again at each save, so the folder is what counts.",
	Discriminator: "none: one finding per daemon",
	Source:        "measured with PM2 7.0.4; https://github.com/Unitech/pm2/issues/5190",
	Judge: func(p *audit.Pass) {
		all := byDaemon(p)
		for _, d := range daemons(p) {
			v, ok := d.Fact("readable")
			if !ok {
				continue
			}
			r := audit.Report{Item: d.Key, Message: fmt.Sprintf("every user of the machine can read %s in the PM2 home", strings.Join(v.Strings(), ", "))}
			if slices.ContainsFunc(all[d.Key], holdsSecrets) {
				r.Severity = audit.Medium
				r.Message += ", and with them the values of variables that are named like secrets"
			}
			p.Report(r)
		}
	},
}

// secretName matches names of variables whose values are secrets.
var secretName = lazyregexp.New(`(?i)(token|secret|passw|credential|private_?key|api_?key|access_?key|database_url|dsn)`)

func holdsSecrets(app *snapshot.Item) bool {
	return slices.ContainsFunc(app.Facts.All(), func(f snapshot.Fact) bool {
		name, ok := strings.CutPrefix(f.Name, "env.")
		return ok && secretName().MatchString(name)
	})
}
