package pm2

import (
	"fmt"
	"path"
	"strings"

	"healthaudit/audit"
	"healthaudit/snapshot"
)

// ConfigInvalid finds process files that PM2 cannot load or partly ignores.
var ConfigInvalid = &audit.Check{
	ID: "pm2-config-invalid", System: "pm2", Title: "ecosystem file cannot be used", Severity: audit.High,
	Doc: "A process file with a mistake starts nothing: PM2 evaluates it as a program, and one value that it does not accept makes it refuse all apps of the file. " +
		"Apps that already run hide this until the next deployment. A file that only real Node can evaluate is not wrong, but what it declares is not known here.",
	Hint:          "Run `node --check FILE` and `pm2 start FILE` on a machine where nothing depends on it, and mend what they say.",
	Discriminator: "\"load\", or the app and the key that PM2 refuses",
	Source:        "https://github.com/Unitech/pm2 lib/Common.js parseConfig, lib/tools/Config.js validateJSON, lib/API/schema.json",
	Judge: func(p *audit.Pass) {
		for _, it := range p.Items() {
			if it.Kind != "file" {
				continue
			}
			r := audit.Report{Item: it.Key, Discriminator: "load", At: at(it)}
			reason := text(it, "reason")
			switch it.State {
			case "invalid":
				r.Message = fmt.Sprintf("PM2 cannot load %s: %s", it.Name, reason)
				r.Hint = fmt.Sprintf("Run `node --check %[1]s` and `pm2 start %[1]s` on a machine where nothing depends on it, and mend what they say.", snapshot.ShellWord(it.Path))
				if path.Ext(it.Path) == ".json" || strings.HasPrefix(path.Ext(it.Path), ".y") {
					r.Hint = fmt.Sprintf("Run `pm2 start %s` on a machine where nothing depends on it, and mend what it says.", snapshot.ShellWord(it.Path))
				}
			case "unreadable":
				r.Message = fmt.Sprintf("%s cannot be read: %s", it.Name, reason)
				r.Hint = "Make it a regular file that the user who runs PM2, and audit, may read."
			case "needs-node":
				r.Message, r.Severity = fmt.Sprintf("what %s declares is not known without running it: it %s", it.Name, reason), audit.Low
				r.Hint = "Let the file compute its apps without files, processes and packages, let real Node evaluate it (systems.pm2.node, see the README), or accept that audit knows only what runs."
			default:
				refused(p, it)
				continue
			}
			p.Report(r)
		}
	},
}

// refused reports what PM2's own validation refuses: facts refused.APP.KEY.
func refused(p *audit.Pass, it *snapshot.Item) {
	for _, f := range it.Facts.All() {
		name, ok := strings.CutPrefix(f.Name, "refused.")
		if !ok {
			continue
		}
		r := audit.Report{Item: it.Key, Discriminator: name, Message: f.Value.Str(), At: audit.Location{Path: it.Path}}
		if app := name[:max(strings.LastIndexByte(name, '.'), 0)]; app != "" {
			r.Message = app + ": " + r.Message
			r.At.Line = declaredAt(p, it.Path, app)
			r.Hint = fmt.Sprintf("Correct it in %s. Whether PM2 takes the file then, `pm2 start %s` shows on a machine where nothing depends on it.", it.Path, snapshot.ShellWord(it.Path))
		}
		p.Report(r)
	}
}

// declaredAt returns the line on which a file declares an app, 0 when unknown.
func declaredAt(p *audit.Pass, file, app string) int {
	for _, it := range p.Items() {
		if it.Kind == "app" && it.Path == file && it.Name == app {
			return it.Line
		}
	}
	return 0
}
