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
	ID: "pm2-script-missing", System: "pm2", Title: "script of the app is missing", Severity: audit.High, Version: 2,
	Doc: "PM2 refuses to start an app whose script is not there (\"Script not found\"). An app that already runs goes on until its next restart, " +
		"and is then `online` without a process. PM2 looks for a relative script from the folder in which it is called, not from that of the file; both are tried here. " +
		"A script or working folder that the file names by an absolute path below the project is looked for there only.",
	Hint:          "Correct the path in the file, or restore the script. Scripts that a build makes belong to the ignored files of git: those are not looked for.",
	Discriminator: "namespace and name of the app",
	Source:        "https://github.com/Unitech/pm2 lib/Common.js prepareAppConf",
	Judge: func(p *audit.Pass) {
		for _, app := range p.Items() {
			file := text(app, "declared.file")
			if app.Kind != "app" || file == "" {
				continue
			}
			missing, other := missingScript(p.Now.Tree, app, file)
			item := snapshot.NewKey(snapshot.PM2, "file:"+snapshot.Escape(file))
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
			p.Report(r)
		}
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
	return tree.InIgnored(p)
}
