package refs

import (
	"fmt"
	"path"
	"strings"

	"healthaudit/snapshot"
)

const workflowDir = ".github/workflows"

// Resolve says whether the target of r is there, and which item it is. Missing
// means that whoever follows the ref fails; all doubt is Unknown.
func (t *Table) Resolve(r snapshot.Ref) Resolution {
	// Where a line stands does not matter: many lines start the same thing.
	r.Args, r.Guarded, r.File, r.Line, r.Column, r.Where = false, false, "", 0, 0, ""
	t.mu.Lock()
	res, ok := t.known[r]
	t.mu.Unlock()
	if !ok {
		res = t.resolve(r)
		t.mu.Lock()
		t.known[r] = res
		t.mu.Unlock()
	}
	return res
}

func (t *Table) resolve(r snapshot.Ref) Resolution {
	switch r.Kind {
	case snapshot.RefFile:
		return t.file(r)
	case snapshot.RefNPM:
		return t.npm(r)
	case snapshot.RefBin: // a package manager looks for a script of that name first
		if r.Dir != "" {
			if res := t.npm(r); res.Status == Found {
				return res
			}
		}
		return unknown("a program, which is not looked for")
	case snapshot.RefFunction:
		return t.named(r.Name, t.functions[r.Name], snapshot.Functions, "no function of that name")
	case snapshot.RefApp:
		return t.named(r.Name, t.apps[r.Name], "", "PM2 knows its apps only while it runs")
	case snapshot.RefWorkflow:
		return t.workflow(r.Name)
	case snapshot.RefAction:
		return t.action(r.Path)
	}
	return unknown("an unknown kind of target")
}

func unknown(why string) Resolution { return Resolution{Status: Unknown, Why: why} }

// named resolves a name to items. Where none has it, it is Missing only if the
// system was listed completely; an empty system never says so.
func (t *Table) named(name string, keys []snapshot.Key, sys snapshot.System, why string) Resolution {
	switch {
	case len(keys) > 0:
		return Resolution{Status: Found, Item: keys[0]}
	case strings.ContainsAny(name, "*?[{"):
		return unknown("a pattern")
	case sys != "" && t.now.System(sys).Status == snapshot.StatusOK:
		return Resolution{Status: Missing, Why: why}
	}
	st := t.now.System(sys).Status
	return Resolution{Status: Unknown, Why: why, Unread: st == snapshot.StatusError || st == snapshot.StatusPartial}
}

func (t *Table) file(r snapshot.Ref) Resolution {
	tree, p := t.now.Tree, r.Path
	if tree.Len() == 0 || p == "" || outside(p) {
		return unknown("outside of what was listed")
	}
	if tree.HasFile(p) {
		return Resolution{Status: Found, Item: t.byPath[p]}
	}
	if res, ok := t.doubt(p); ok {
		return res
	}
	if tree.HasDir(p) {
		return unknown("it is a folder")
	}
	if other, ok := tree.OtherCase(p); ok {
		return Resolution{Status: Missing, Why: "the letter case differs", OtherCase: other}
	}
	if e, ok := tree.At(p); ok && e.Kind == snapshot.PathMissing {
		return Resolution{Status: Missing, Why: "tracked by git, but deleted on disk"}
	}
	switch ext := path.Ext(p); {
	case tree.Product(p):
		return unknown(p + " is ignored by git")
	case built(p):
		return unknown("it lies in a build folder")
	case r.Direct && !scriptExtension(p):
		return unknown("it may be built")
	case ext == ".js" || ext == ".mjs" || ext == ".cjs":
		source := strings.TrimSuffix(p, "js") + "ts"
		for _, s := range []string{source, "src/" + source, beside(source)} {
			if tree.HasFile(s) {
				return unknown("it may be compiled from " + s)
			}
		}
	}
	if tree.WouldIgnore(p) {
		return Resolution{Status: Missing, Why: Unclonable}
	}
	return Resolution{Status: Missing}
}

// Unclonable is why a file is missing whose kind git ignores.
const Unclonable = "git ignores it, so that no clone has it"

// beside returns the path in src where it is in a folder of products: src/x.ts for
// lib/x.ts, web/src/x.ts for web/lib/x.ts.
func beside(p string) string {
	parts := strings.Split(p, "/")
	for i, part := range parts[:len(parts)-1] {
		if part == "lib" || part == "js" || part == "esm" || part == "cjs" || part == "compiled" {
			parts[i] = "src"
			return strings.Join(parts, "/")
		}
	}
	return p
}

// inDoubt is doubt for what is in a folder.
func (t *Table) inDoubt(dir string) (res Resolution, ok bool) {
	if e, is := t.now.Tree.At(dir); is && e.Kind == snapshot.PathLink {
		return t.doubt(dir + "/x")
	}
	if t.now.Tree.Product(dir + "/") {
		return unknown(dir + " is ignored by git"), true
	}
	return t.doubt(dir)
}

// doubt answers where the tree does not know what is at a path.
func (t *Table) doubt(p string) (res Resolution, ok bool) {
	tree := t.now.Tree
	if why, ok := tree.Hidden(p); ok {
		return Resolution{Status: Unknown, Why: why, Unread: true}, true
	}
	for d := p; d != "." && d != "/"; d = path.Dir(d) {
		e, ok := tree.At(d)
		switch {
		case !ok:
		case e.Kind == snapshot.PathModule:
			return unknown(d + " is a submodule"), true
		case e.State == snapshot.Ignored && e.Kind != snapshot.PathMissing:
			return unknown(d + " is ignored by git"), true
		}
	}
	return Resolution{}, false
}

// npmFallbacks are scripts without which npm does something else.
var npmFallbacks = map[string]string{"start": "server.js", "restart": "", "env": ""}

func (t *Table) npm(r snapshot.Ref) Resolution {
	dir := r.Dir
	if dir == "" {
		dir = "."
	}
	if t.now.Tree.Len() == 0 || outside(dir) {
		return unknown("outside of what was listed")
	}
	if r.Path != "" {
		return t.inWorkspace(r)
	}
	if res, ok := t.inDoubt(dir); ok {
		return res
	}
	if _, known := t.packages[dir]; !known && !t.now.Tree.HasDir(dir) {
		if other, ok := t.now.Tree.OtherCase(path.Join(dir, "package.json")); ok {
			return Resolution{Status: Missing, Why: "the letter case differs", OtherCase: path.Dir(other)}
		}
		if built(path.Join(dir, "x")) {
			return unknown("it lies in a build folder")
		}
		return Resolution{Status: Missing, Why: "there is no folder " + dir}
	}
	at, ok := t.nearest(dir)
	if !ok {
		return Resolution{Status: Missing, Why: "there is no package.json in " + dir + " or above"}
	}
	return t.scriptIn(at, r.Name)
}

// scriptIn resolves a script of the package.json in exactly that folder.
func (t *Table) scriptIn(dir, name string) Resolution {
	p, ok := t.packages[dir]
	if !ok || !p.Done || !p.Valid {
		return Resolution{Status: Unknown, Why: path.Join(dir, "package.json") + " cannot be read", Unread: true}
	}
	if p.has(name) {
		return Resolution{Status: Found, Item: t.script(dir, name)}
	}
	if file, ok := npmFallbacks[name]; ok {
		if file == "" {
			return unknown("npm has a meaning of its own for " + name)
		}
		if f := path.Join(dir, file); t.now.Tree.HasFile(f) {
			return Resolution{Status: Found, Item: t.byPath[f]}
		}
	}
	for _, s := range p.Scripts {
		if strings.EqualFold(s, name) {
			return Resolution{Status: Missing, Why: "the letter case differs", OtherCase: s}
		}
	}
	return Resolution{Status: Missing, Why: fmt.Sprintf("%s has no such script", path.Join(dir, "package.json"))}
}

// inWorkspace resolves a script of the workspace that r.Path names: a package's
// name, or a folder of one.
func (t *Table) inWorkspace(r snapshot.Ref) Resolution {
	dirs := t.workspaces(r.Path)
	if dir := path.Join(r.Dir, r.Path); len(dirs) == 0 && !outside(dir) {
		if _, ok := t.packages[dir]; ok {
			dirs = []string{dir}
		}
	}
	if len(dirs) != 1 { // pnpm goes on without one, npm does not
		return unknown(fmt.Sprintf("%d packages are named %s", len(dirs), r.Path))
	}
	return t.scriptIn(dirs[0], r.Name)
}

func (t *Table) workflow(name string) Resolution {
	file := path.Join(workflowDir, name)
	switch ext := path.Ext(name); {
	case t.now.Tree.HasFile(file):
		res := Resolution{Status: Found}
		if k := snapshot.NewKey(snapshot.Workflows, snapshot.Escape(name)); t.now.Item(k) != nil {
			res.Item = k
		}
		return res
	case ext == ".yml" || ext == ".yaml":
		if t.now.Tree.Len() == 0 {
			return unknown("outside of what was listed")
		}
		if res, ok := t.doubt(file); ok {
			return res
		}
		if other, ok := t.now.Tree.OtherCase(file); ok {
			return Resolution{Status: Missing, Why: "the letter case differs", OtherCase: path.Base(other)}
		}
		return Resolution{Status: Missing}
	}
	if k, ok := t.workflows[name]; ok {
		return Resolution{Status: Found, Item: k}
	}
	return unknown("no workflow is listed under that name")
}

func (t *Table) action(dir string) Resolution {
	tree := t.now.Tree
	if tree.Len() == 0 || outside(dir) {
		return unknown("outside of what was listed")
	}
	files := []string{"action.yml", "action.yaml", "Dockerfile"}
	for _, f := range files {
		if tree.HasFile(path.Join(dir, f)) {
			res := Resolution{Status: Found}
			if k := snapshot.NewKey(snapshot.Workflows, "action:"+snapshot.Escape(dir)); t.now.Item(k) != nil {
				res.Item = k
			}
			return res
		}
	}
	if res, ok := t.inDoubt(dir); ok {
		return res
	}
	for _, f := range files {
		if other, ok := tree.OtherCase(path.Join(dir, f)); ok {
			return Resolution{Status: Missing, Why: "the letter case differs", OtherCase: path.Dir(other)}
		}
	}
	if tree.HasDir(dir) {
		return Resolution{Status: Missing, Why: "the folder has no action.yml"}
	}
	return Resolution{Status: Missing}
}
