package script

import (
	"fmt"
	"path"
	"slices"

	"healthaudit/audit"
	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/pkgjson"
	"healthaudit/snapshot/analyze/trait"
)

// MissingBinary reports npm scripts that run a program no dependency brings.
var MissingBinary = &audit.Check{
	ID:         "script-missing-binary",
	System:     snapshot.Scripts,
	Title:      "no dependency brings the program",
	Severity:   audit.Low,
	Confidence: audit.Likely,
	Doc: "An npm script runs a program such as tsc or jest, and neither its package.json nor one above it names a package that brings it. It works as long as some other package " +
		"happens to bring that program along, or it is installed on this machine; the next update, another package manager or a fresh machine says \"not found\" (exit 127). " +
		"Only programs are looked at that come with packages and are hardly ever installed for a whole machine, only where there is a lockfile, and not where a package of the same " +
		"repository may bring them.",
	Hint:          "Add the package to devDependencies (`npm install --save-dev NAME`), or take the script out.",
	Discriminator: "the program; one finding for each program of a package.json, at the first script; of five files or more one for all",
	Source:        "https://docs.npmjs.com/cli/commands/npm-run-script: node_modules/.bin is put on PATH, nothing else",
	Still:         true,
	Judge:         judgeMissingBinary,
}

func judgeMissingBinary(p *audit.Pass) {
	var all []audit.Damage
	seen := map[string]bool{}
	var ours map[string]bool
	for _, m := range marksOf(p, trait.NoPackage) {
		if ours == nil {
			ours = ownPackages(p)
		}
		for _, k := range m.marks {
			id := m.it.Path + "\x00" + k.Name
			if seen[id] || !lacking(p, m.it.Path, k.Name, ours) {
				continue
			}
			seen[id] = true
			r := audit.Report{Item: m.it.Key, Discriminator: k.Name, At: audit.Location{Path: m.it.Path, Line: k.Line, Column: k.Column},
				Message: fmt.Sprintf("%s runs %s, and %s names no package that brings it", what(m.it), k.Name, m.it.Path)}
			all = append(all, audit.Damage{Cause: k.Name, What: "have scripts that run " + k.Name + ", and name no package that brings it", Report: r})
		}
	}
	p.ReportAll(all)
}

// lacking reports whether no package.json from that one up to the root names what
// brings a program, and whether that is certain: there is a lockfile, and none of
// what they depend on is a package of the repository.
func lacking(p *audit.Pass, manifest, program string, ours map[string]bool) bool {
	locked := false
	for dir := path.Dir(manifest); ; dir = path.Dir(dir) {
		for _, name := range []string{"package-lock.json", "npm-shrinkwrap.json", "yarn.lock", "pnpm-lock.yaml", "bun.lock", "bun.lockb"} {
			locked = locked || p.Now.Tree.HasFile(path.Join(dir, name))
		}
		pkg, ok := packageAt(p, dir)
		switch {
		case ok && (!pkg.Lacks(program) || slices.ContainsFunc(pkg.Deps, func(d string) bool { return ours[d] })):
			return false
		case !ok && p.Now.Tree.HasFile(path.Join(dir, "package.json")):
			return false
		}
		if dir == "." {
			return locked
		}
	}
}

// packageAt returns the names in the package.json of a folder. Its commands and
// values are not among them.
func packageAt(p *audit.Pass, dir string) (pkgjson.Package, bool) {
	it := p.Now.Item(snapshot.NewKey(snapshot.Scripts, "file:"+snapshot.Escape(path.Join(dir, "package.json"))))
	if it == nil {
		return pkgjson.Package{}, false
	}
	f, ok := it.OwnFile()
	if !ok || f.SHA256 == "" || f.Link != "" {
		return pkgjson.Package{}, false
	}
	pkg := snapshot.Derive(p.Derived, "script.package", 1, []string{f.SHA256}, func() pkgjson.Package {
		b := p.Bytes(f)
		if b == nil {
			return pkgjson.Package{}
		}
		all := pkgjson.Parse(b)
		return pkgjson.Package{Name: all.Name, Deps: all.Deps, Bin: all.Bin, Problems: all.Problems}
	})
	return pkg, pkg.Broken() == nil
}

// ownPackages are the names of the packages of the repository.
func ownPackages(p *audit.Pass) map[string]bool {
	out := map[string]bool{}
	for _, it := range p.Items() {
		if it.Kind == "file" && path.Base(it.Path) == "package.json" {
			if pkg, ok := packageAt(p, path.Dir(it.Path)); ok && pkg.Name != "" {
				out[pkg.Name] = true
			}
		}
	}
	return out
}
