package pm2

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"healthaudit/audit"
	"healthaudit/snapshot"
)

// NotRunning finds apps that should run and do not.
var NotRunning = &audit.Check{
	ID: "pm2-not-running", System: "pm2", Title: "app does not run", Severity: audit.High, Version: 2,
	Doc: "An app that an ecosystem file declares and that PM2 does not list was never started, or was deleted and forgotten. " +
		"One that is stopped although PM2 should keep it running was stopped by someone. An app with `autorestart: false` or `autostart: false`, " +
		"or with the exit code it may end with, has a right to be stopped. A file of which PM2 knows no app at all is one finding, on the file; what PM2 cannot start, for its script is missing or it refuses what the file says, is told there too. " +
		"What a file declares that asks for its environment is a guess.",
	Hint:          "Start it: `pm2 start FILE --only NAME` from the project's root, then `pm2 save`. If it is no longer needed, take it out of the file.",
	Discriminator: "none: one finding per app, or per file when PM2 knows none of its apps",
	Source:        "https://github.com/Unitech/pm2 lib/API.js _startJson: declared and running apps are matched by name",
	Judge: func(p *audit.Pass) {
		processes, unknown := instances(p), neverStarted(p)
		for _, app := range unseen(p) {
			p.Doubt(fileKey(text(app, "declared.file")), "")
		}
		for _, file := range slices.Sorted(maps.Keys(unknown)) {
			reportFile(p, file, unknown[file])
		}
		for _, app := range apps(p) {
			d := daemon(p, app)
			if d == nil || d.State != alive {
				continue // pm2-daemon-down says it once for all apps
			}
			file := text(app, "declared.file")
			switch {
			case app.State == notRunning && file != "":
				if unknown[file] == nil && !fileReported(p, app, file) {
					reportUnlisted(p, app, file)
				}
			case app.State == notRunning:
				p.Report(audit.Report{
					Item: app.Key, At: at(app), Severity: audit.Medium,
					Message: fmt.Sprintf("%s stands in PM2's dump, but PM2 does not list it: the next `pm2 save` forgets it", app.Name),
					Hint:    "Run `pm2 resurrect` to bring it back, or `pm2 save` if it was deleted on purpose.",
				})
			default:
				reportStopped(p, app, processes)
			}
		}
	},
}

// neverStarted returns the apps of the files of which PM2 knows no app: nobody
// ran `pm2 start FILE`, which is one thing and not one per app.
func neverStarted(p *audit.Pass) map[string][]*snapshot.Item {
	unlisted, known := map[string][]*snapshot.Item{}, map[string]bool{}
	for _, app := range p.Items() {
		file := text(app, "declared.file")
		if app.Kind != "app" || file == "" {
			continue
		}
		d := daemon(p, app)
		dumped, _ := app.Fact("in-dump")
		if app.Unknown != "" || app.State != notRunning || dumped.IsTrue() || d == nil || d.State != alive || p.Now.Item(fileKey(file)) == nil {
			known[file] = true
			continue
		}
		unlisted[file] = append(unlisted[file], app)
	}
	maps.DeleteFunc(unlisted, func(file string, apps []*snapshot.Item) bool { return known[file] || len(apps) < 2 })
	return unlisted
}

func fileKey(file string) snapshot.Key {
	return snapshot.NewKey(snapshot.PM2, "file:"+snapshot.Escape(file))
}

func reportFile(p *audit.Pass, file string, all []*snapshot.Item) {
	var names []string
	severity := audit.Medium
	for _, app := range all {
		if fileReported(p, app, file) {
			continue
		}
		names = append(names, app.Name)
		if !isFalse(app, "declared.autostart") {
			severity = audit.High
		}
	}
	if len(names) == 0 {
		return
	}
	r := audit.Report{
		Item: fileKey(file), Severity: severity, At: audit.Location{Path: file},
		Message: fmt.Sprintf("%s declares %s, and PM2 lists none of them", file, list(names)),
		Hint:    fmt.Sprintf("Start them: `pm2 start %s` from the project's root, then `pm2 save`. If the file is no longer used with PM2 here, remove it.", file),
	}
	doubtDeclared(p, file, &r)
	p.Report(r)
}

// list writes names for a person, the first few of many.
func list(names []string) string {
	const most = 5
	switch n := len(names); {
	case n == 1:
		return names[0]
	case n > most:
		return fmt.Sprintf("%s and %d more apps", strings.Join(names[:most], ", "), n-most)
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}

func reportUnlisted(p *audit.Pass, app *snapshot.Item, file string) {
	r := audit.Report{
		Item: app.Key, At: at(app),
		Message: fmt.Sprintf("%s declares %s, but PM2 does not list it", file, app.Name),
		Hint:    fmt.Sprintf("Start it: %s from the project's root, then `pm2 save`. If it is no longer needed, take it out of the file.", only("start", file, app)),
	}
	if isFalse(app, "declared.autostart") {
		r.Severity = audit.Medium
	}
	doubtDeclared(p, file, &r)
	p.Report(r)
}

// doubtDeclared makes a guess of what a file declares when it asks for its
// environment: another one than was assumed may declare other apps.
func doubtDeclared(p *audit.Pass, file string, r *audit.Report) {
	it := p.Now.Item(fileKey(file))
	if it == nil {
		return
	}
	v, _ := it.Fact("reads")
	var reads []string
	for _, name := range v.Strings() {
		if name != "os.cpus" { // how many instances, never which apps
			reads = append(reads, name)
		}
	}
	if len(reads) == 0 {
		return
	}
	r.Confidence, r.Severity = audit.Guess, audit.Medium
	r.Evidence = append(r.Evidence, audit.Evidence{Name: "the file reads", Value: strings.Join(reads, ", ")})
}

// fileReported reports whether a finding on the file says why PM2 does not list
// an app: its script is not there, or PM2 refuses what the file says of it. An app
// that once ran and was saved is missed all the same.
func fileReported(p *audit.Pass, app *snapshot.Item, file string) bool {
	if missing, _ := missingScript(p.Now.Tree, app, file); missing != "" && !slices.Contains(p.Off, ScriptMissing.ID) {
		return true
	}
	dumped, _ := app.Fact("in-dump")
	return !dumped.IsTrue() && refusalReported(p, app, file)
}

// refusalReported reports whether pm2-config-invalid says why PM2 starts an app not
// from its file.
func refusalReported(p *audit.Pass, app *snapshot.Item, file string) bool {
	of := p.Now.Item(fileKey(file))
	return of != nil && !slices.Contains(p.Off, ConfigInvalid.ID) && slices.ContainsFunc(of.Facts.All(), func(f snapshot.Fact) bool {
		about, ok := strings.CutPrefix(f.Name, "refused.")
		i := strings.LastIndexByte(about, '.')
		if !ok || i < 0 {
			return false
		}
		// For want of a script or name one app is not started, for anything else none of the file.
		key := about[i+1:]
		return key != "script" && key != "name" || about[:i] == bare(app)
	})
}

func reportStopped(p *audit.Pass, app *snapshot.Item, processes crowd) {
	stopped, all := processes.in(app, "stopped")
	if len(stopped) == 0 || mayStop(app, stopped) || len(leftDown(stopped)) > 0 && !slices.Contains(p.Off, RestartsDisabled.ID) {
		return
	}
	r := audit.Report{
		Item: app.Key, At: at(app), Severity: audit.Medium,
		Message: fmt.Sprintf("%s is stopped, although PM2 is to keep it running", app.Name),
		Hint:    fmt.Sprintf("If that is not on purpose: %s.", command("restart", app)),
	}
	if all > 1 {
		r.Message = fmt.Sprintf("%d of %d instances of %s are stopped, although PM2 is to keep them running", len(stopped), all, app.Name)
	}
	if all > 1 && len(stopped) == 1 {
		r.Message = fmt.Sprintf("1 of %d instances of %s is stopped, although PM2 is to keep it running", all, app.Name)
	}
	p.Report(r)
}

func isFalse(it *snapshot.Item, fact string) bool {
	return text(it, fact) == "false" // PM2 takes the text for it as well (lib/God.js handleExit)
}

// mayStop reports whether an app is stopped by its own configuration: started
// only on demand, finished, or ended with a code that it may end with.
func mayStop(app *snapshot.Item, stopped []*snapshot.Item) bool {
	if isFalse(app, "autorestart") || isFalse(app, "autostart") {
		return true
	}
	codes, ok := app.Fact("stop_exit_codes")
	if !ok {
		return false
	}
	allowed := codes.Strings()
	if n, isNumber := codes.Num(); isNumber {
		allowed = []string{snapshot.Number(n).Str()}
	}
	return !slices.ContainsFunc(stopped, func(it *snapshot.Item) bool {
		return !slices.Contains(allowed, text(it, "exit_code"))
	})
}
