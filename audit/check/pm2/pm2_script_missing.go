package pm2

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"healthaudit/audit"
	"healthaudit/snapshot"
)

// ScriptMissing finds declared apps whose script is not in the project.
var ScriptMissing = &audit.Check{
	ID: "pm2-script-missing", System: "pm2", Title: "script of the app is missing", Severity: audit.High, Version: 3,
	Doc: "PM2 refuses to start an app whose script is not there (\"Script not found\"). An app that already runs goes on until its next restart, " +
		"and is then `online` without a process. PM2 looks for a relative script from the folder in which it is called, not from that of the file; both are tried here. " +
		"A script or working folder that the file names by an absolute path below the project is looked for there only. " +
		"Of an app that runs, the very script, working folder and interpreter with which PM2 would start it again are looked for, wherever they are.",
	Hint:          "Correct the path in the file, or restore the script. Scripts that a build makes belong to the ignored files of git: those are not looked for.",
	Discriminator: "namespace and name of the app; of one that runs and whose file is in order: what is gone",
	Source:        "https://github.com/Unitech/pm2 lib/Common.js prepareAppConf, lib/God/ForkMode.js",
	Judge: func(p *audit.Pass) {
		reported := map[snapshot.Key]bool{}
		for _, app := range unseen(p) {
			p.Doubt(fileKey(text(app, "declared.file")), app.Name)
		}
		for _, app := range p.Items() {
			file := text(app, "declared.file")
			if app.Kind != "app" || file == "" {
				continue
			}
			missing, other := missingScript(p.Now.Tree, app, file)
			item := fileKey(file)
			if missing == "" {
				if slices.ContainsFunc(places(app, file), func(s string) bool { _, hidden := p.Now.Tree.Hidden(s); return hidden }) {
					p.Doubt(item, app.Name)
				}
				continue
			}
			r := audit.Report{
				Item: item, Discriminator: app.Name, At: at(app),
				Message: fmt.Sprintf("%s is to start %s, which is not there", app.Name, missing),
			}
			if other != "" {
				r.Message += fmt.Sprintf(" (%s is, in other letter case)", other)
			}
			if slices.Contains(goneOf(p, app), "script") && app.State == "online" {
				r.Message += "; it still runs, and dies at its next restart"
			}
			reported[app.Key] = true
			p.Report(r)
		}
		runningWithout(p, reported)
	},
}

// missingScript returns the project path of the script that PM2 would start
// and that is nowhere it could be, or "".
func missingScript(tree *snapshot.Tree, app *snapshot.Item, file string) (missing, otherCase string) {
	script, cwd := text(app, "declared.script"), text(app, "declared.cwd")
	if v, _ := app.Fact("declared.command"); v.IsTrue() || script == "" || path.IsAbs(script) || path.IsAbs(cwd) {
		return "", ""
	}
	if path.Base(script) == script && path.Ext(script) == "" {
		return "", "" // a program on PATH
	}
	for _, p := range places(app, file) {
		if p == ".." || strings.HasPrefix(p, "../") || tree.HasFile(p) || tree.HasDir(p) || untold(tree, p) {
			return "", "" // there, or not for us to know
		}
		if o, ok := tree.OtherCase(p); ok && otherCase == "" {
			otherCase = o
		}
		if missing == "" {
			missing = p
		}
	}
	return missing, otherCase
}

// places returns where PM2 may look for the script of an app.
func places(app *snapshot.Item, file string) []string {
	script, cwd := text(app, "declared.script"), text(app, "declared.cwd")
	if v, _ := app.Fact("declared.script.rooted"); v.IsTrue() {
		return []string{path.Clean(script)}
	}
	if v, _ := app.Fact("declared.cwd.rooted"); v.IsTrue() {
		return []string{path.Join(cwd, script)}
	}
	return []string{path.Join(cwd, script), path.Join(path.Dir(file), cwd, script)}
}

// built are the usual folders of build products: in a fresh checkout they are
// not there yet.
var built = []string{"dist", "build", "out", "target", "generated", ".output", ".next", ".nuxt", ".svelte-kit", ".build"}

// untold reports whether the tree cannot tell what is at a path: it is ignored,
// is hidden, or is built into a folder that is not there yet.
func untold(tree *snapshot.Tree, p string) bool {
	for d := path.Dir(p); d != "."; d = path.Dir(d) {
		if slices.Contains(built, path.Base(d)) && !tree.HasDir(d) {
			return true
		}
	}
	return tree.InIgnored(p) || tree.Product(p)
}

// goneOf returns what an app that PM2 lists can no longer be started with.
func goneOf(p *audit.Pass, app *snapshot.Item) []string {
	if d := daemon(p, app); d == nil || d.State != alive || app.Unknown != "" {
		return nil
	}
	v, _ := app.Fact("gone")
	return v.Strings()
}

// runningWithout reports the apps that PM2 lists and could not start again.
func runningWithout(p *audit.Pass, reported map[snapshot.Key]bool) {
	for _, app := range apps(p) {
		if app.State == ghost && !slices.Contains(p.Off, Ghost.ID) {
			continue // pm2-ghost says why it has no process
		}
		for _, what := range goneOf(p, app) {
			if reported[app.Key] && what == "script" {
				continue
			}
			fact, word := what, what
			switch what {
			case "cwd":
				word = "working folder"
			case "interpreter":
				fact = "exec_interpreter"
			}
			r := audit.Report{
				Item: app.Key, Discriminator: what, At: at(app),
				Message: fmt.Sprintf("the %s of %s is gone (%s); ", word, app.Name, text(app, fact)),
				Hint:    fmt.Sprintf("Restore it before anything restarts %s, or start it from where it is now: `pm2 delete`, `pm2 start`, then `pm2 save`.", app.Name),
			}
			switch app.State {
			case "online":
				r.Message += "it still runs, and dies at its next restart"
			case "stopped":
				r.Message, r.Severity = r.Message+"it is stopped, and cannot be started again", audit.Medium
			default:
				r.Message += "PM2 cannot start it again"
			}
			p.Report(r)
		}
	}
}
