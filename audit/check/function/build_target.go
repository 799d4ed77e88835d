package function

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"sync"

	"healthaudit/audit"
	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/refs"
)

// BuildTarget finds what a build of Netlify starts and the project does not have.
var BuildTarget = &audit.Check{
	ID:       "function-build-target",
	System:   snapshot.Functions,
	Title:    "the build starts what is not there",
	Severity: audit.High,
	Doc: "build.command of netlify.toml starts an npm script or a file that the project does not have, or [[plugins]] names a folder of the project that is not there: Netlify's build fails, and with it " +
		"every deploy; the site stays as it is. An ignore command that is missing is medium: it cannot stop a build, and every push is built. So is a target that is there in another folder, where " +
		"netlify.toml sets no build.base: it may be set in Netlify's user interface. What is provided for (`|| true`, --if-present) is not told.",
	Hint:          "Correct the name, or bring back what it means.",
	Discriminator: "the key and the target",
	Source:        "@netlify/build 37 (core/build_command, plugins/resolve.js); docs.netlify.com/build/configure-builds/ignore-builds",
	Still:         true,
	Judge: func(p *audit.Pass) {
		table, files := refs.NewTable(p.Now, p.Derived), filesIn(p.Now.Tree)
		for _, it := range p.Items() {
			if _, passed := it.Fact("superseded"); it.Kind != kindFile || !isConfig(it) || passed {
				continue
			}
			for _, r := range it.Refs.All() {
				if (r.Kind == snapshot.RefNPM || r.Kind == snapshot.RefFile) && !r.Guarded {
					buildTarget(p, it, r, project{table, files})
				}
			}
		}
	},
}

// A project is what builds start something of.
type project struct {
	table *refs.Table
	files func(base string) []string // the paths of the files of that name
}

// filesIn returns what finds files by the last part of their path.
func filesIn(t *snapshot.Tree) func(base string) []string {
	byBase := sync.OnceValue(func() map[string][]string {
		out := map[string][]string{}
		for _, e := range t.All() {
			if base := path.Base(e.Path); t.HasFile(e.Path) {
				out[base] = append(out[base], e.Path)
			}
		}
		return out
	})
	return func(base string) []string { return byBase()[base] }
}

func buildTarget(p *audit.Pass, it *snapshot.Item, r snapshot.Ref, in project) {
	table := in.table
	found := table.Resolve(r)
	id := r.Where + " " + r.Target()
	if found.Unread {
		p.Doubt(it.Key, id)
	}
	if found.Status != refs.Missing || atRoot(p, it, r, table) {
		return
	}
	out := audit.Report{Item: it.Key, Discriminator: id, At: audit.Location{Path: it.Path, Line: max(r.Line, 1), Column: max(r.Column, 1)}, Severity: audit.High}
	end := ": Netlify's build fails"
	switch r.Where {
	case "plugins":
		out.Message = fmt.Sprintf("[[plugins]] names %s, which is not there", r.Path)
	case "build.ignore":
		out.Message = fmt.Sprintf("build.ignore starts %s, which is not there", r.Target())
		out.Severity, end = audit.Medium, ": it never stops a build"
	default:
		out.Message = fmt.Sprintf("build.command starts %s, which is not there", r.Target())
	}
	if found.Why != "" {
		out.Message += " (" + found.Why + ")"
	}
	out.Message += end
	below := elsewhere(p, it, r, in)
	switch {
	case found.OtherCase != "":
		out.Hint = fmt.Sprintf("Write it as it is called, %s: upper and lower case count.", found.OtherCase)
	case len(below) == 1:
		out.Hint = fmt.Sprintf("%s has it: write base = %q under [build], unless that is set in Netlify's user interface.", below[0], below[0])
	case len(below) > 1:
		out.Hint = fmt.Sprintf("%d folders have it: name that of the site as base under [build], unless it is set in Netlify's user interface.", len(below))
	}
	if len(below) > 0 && found.OtherCase == "" || strings.HasPrefix(found.Why, "there is no folder") { // which the build may make
		out.Severity, out.Confidence = audit.Medium, audit.Likely
	}
	p.Report(out)
}

// atRoot reports whether the root has what is missing in the folder of a site that
// sets no build.base: of a monorepo, Netlify may run the build there. A folder of
// its own without a package is nobody's site yet.
func atRoot(p *audit.Pass, it *snapshot.Item, r snapshot.Ref, table *refs.Table) bool {
	site := path.Dir(it.Path)
	if c, ok := config(p, it); !ok || c.Base != "" || site == "." {
		return false
	}
	if r.Kind == snapshot.RefNPM && !p.Now.Tree.HasFile(path.Join(site, "package.json")) {
		return true
	}
	r.Dir, r.Path = ".", strings.TrimPrefix(r.Path, site+"/")
	return table.Resolve(r).Status == refs.Found
}

// elsewhere returns the folders below a site that have what it lacks, where
// netlify.toml leaves open in which one the build runs.
func elsewhere(p *audit.Pass, it *snapshot.Item, r snapshot.Ref, in project) (dirs []string) {
	site := path.Dir(it.Path)
	if c, ok := config(p, it); !ok || c.Base != "" || r.Where == "plugins" {
		return nil
	}
	switch {
	case r.Kind == snapshot.RefNPM && r.Path == "" && (r.Dir == site || r.Dir == ""):
		dirs = in.table.PackagesWith(r.Name)
	case r.Kind == snapshot.RefFile:
		name := strings.TrimPrefix(r.Path, site+"/")
		for _, at := range in.files(path.Base(name)) {
			if dir, ok := strings.CutSuffix(at, "/"+name); ok && p.Now.Tree.HasFile(path.Join(dir, "package.json")) {
				dirs = append(dirs, dir)
			}
		}
	}
	return slices.DeleteFunc(dirs, func(dir string) bool { return dir == site || site != "." && !under(dir, site) })
}
