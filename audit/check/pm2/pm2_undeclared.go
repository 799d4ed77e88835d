package pm2

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"healthaudit/audit"
	"healthaudit/snapshot"
)

// Undeclared finds apps of the project that only the running daemon knows.
var Undeclared = &audit.Check{
	ID: "pm2-undeclared", System: "pm2", Title: "app runs that nothing declares", Severity: audit.Low,
	Doc: "A project that declares apps in a process file and runs one more, which is in no file and not in the dump either, loses that one with the next reboot or deployment. " +
		"Only apps whose script or command is one of the project's count; modules of PM2 and the servers of static pages do not. " +
		"As long as a process file cannot be read nobody knows what it declares, and nothing is said.",
	Hint:          "Write it into the process file, or keep it with `pm2 save`; if nobody needs it, `pm2 delete NAME`.",
	Discriminator: "none: one finding per app",
	Source:        "https://github.com/Unitech/pm2 lib/API.js _startJson: declared and running apps are matched by name",
	Judge: func(p *audit.Pass) {
		file, known := declaring(p)
		for _, app := range apps(p) {
			d := daemon(p, app)
			dumped, told := app.Fact("in-dump")
			if app.Kind != "app" || app.State == notRunning || text(app, "script") == "" || text(app, "declared.file") != "" || strings.HasPrefix(app.Name, "static-page-server-") {
				continue
			}
			if !known || !told || d == nil || d.State != alive || text(d, "dump") == "torn" { // pm2-dump-stale says of all what a torn dump means
				p.Doubt(app.Key, "")
				continue
			}
			if file == "" || dumped.IsTrue() || !ofProject(p, app) {
				continue
			}
			r := audit.Report{
				Item: app.Key, At: at(app),
				Message: fmt.Sprintf("%s runs, but no process file declares it and PM2's dump does not have it: after a reboot nothing starts it", app.Name),
				Hint:    fmt.Sprintf("Write it into %s (or name the file that declares it under systems.pm2.files in audit.yaml), or keep it as it is with `pm2 save`; if nobody needs it: %s.", file, command("delete", app)),
			}
			doubtDeclared(p, file, &r)
			if r.Confidence == audit.Guess {
				r.Severity = audit.Low
			}
			p.Report(r)
		}
	},
}

// declaring returns a process file that declares apps, the first by name, and
// whether every file could be read.
func declaring(p *audit.Pass) (file string, known bool) {
	known = true
	for _, it := range p.Items() {
		if it.Kind != "file" {
			continue
		}
		if it.State != "ok" {
			known = false
			continue
		}
		apps, _ := it.Fact("apps")
		if file == "" && len(apps.Strings()) > 0 {
			file = it.Path
		}
	}
	return file, known
}

// ofProject reports whether an app runs something of the project.
func ofProject(p *audit.Pass, app *snapshot.Item) bool {
	return slices.ContainsFunc(app.Refs.All(), func(r snapshot.Ref) bool {
		switch r.Kind {
		case snapshot.RefFile:
			return p.Now.Tree.HasFile(r.Path)
		case snapshot.RefNPM:
			return p.Now.Tree.HasFile(path.Join(r.Dir, "package.json"))
		}
		return false
	})
}
