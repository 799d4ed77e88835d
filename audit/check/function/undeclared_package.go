package function

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"healthaudit/audit"
	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/netlify"
)

// UndeclaredPackage finds npm packages that a function needs and nobody installs.
var UndeclaredPackage = &audit.Check{
	ID:         "function-undeclared-package",
	System:     snapshot.Functions,
	Title:      "package that nobody installs",
	Severity:   audit.High,
	Confidence: audit.Likely,
	Doc: "The function, or a file it imports, needs an npm package that no package.json above it names. It works where the package happens to be installed. " +
		"On Netlify the build fails, or, for functions with a default export, the function is packed without it and fails when it is called. Imports in a try " +
		"block, of types only, and packages of the project itself do not count. Where a tsconfig.json may map the name to something else, it is medium.",
	Hint:          "Add it: npm install PACKAGE, in the folder of the package.json that the site builds with.",
	Discriminator: "path of the importing file and the package",
	Source:        "npm; @netlify/zip-it-and-ship-it 16 packs v2 functions with missing packages, measured",
	Still:         true,
	Judge: func(p *audit.Pass) {
		own := ownPackages(p)
		found := spots{}
		for _, it := range p.Items() {
			if it.Kind != kindFunction {
				continue
			}
			fn, _ := analysis(p, it)
			said, _ := closure(p, it)
			for file, src := range said {
				if len(src.Problems) > 0 {
					p.DoubtAll(it.Key)
				}
				for _, i := range src.Packages {
					if !i.Optional && !own[i.Path] && !declared(p, file, i.Path) && !slices.Contains(fn.External, i.Path) {
						found.add(it, file, i.Path, netlify.Place{Line: i.Line, Column: i.Column})
					}
				}
			}
		}
		found.each(func(s *spot) {
			r := s.report(fmt.Sprintf("needs the package %s, which no package.json above it names", tidy(s.what)))
			if compiled(p, s.file) {
				r.Severity = audit.Medium // the name may be one that the compiler maps
			}
			r.Hint = fmt.Sprintf("Add it in the folder of the package.json that the site builds with: npm install %s.", tidy(s.what))
			p.Report(r)
		})
	},
}

// ownPackages are the packages that the project itself holds.
func ownPackages(p *audit.Pass) map[string]bool {
	out := map[string]bool{}
	for _, f := range p.Now.Context {
		if path.Base(f.Path) == "package.json" {
			if m, ok := packageOf(p, path.Dir(f.Path)); ok && m.Name != "" {
				out[m.Name] = true
			}
		}
	}
	return out
}

// declared reports whether a package.json beside or above a file names a package,
// or its types, or whether one of them cannot be read; or whether the package lies
// in the project.
func declared(p *audit.Pass, file, name string) bool {
	types := "@types/" + strings.ReplaceAll(strings.TrimPrefix(name, "@"), "/", "__")
	for dir := path.Dir(file); ; dir = path.Dir(dir) {
		m, ok := packageOf(p, dir)
		if ok && (m.Broken() != nil || slices.Contains(m.Deps, name) || slices.Contains(m.Deps, types)) {
			return true
		}
		if e, ok := p.Now.Tree.At(path.Join(dir, "package.json")); ok && !has(p, dir) && e.Kind != snapshot.PathMissing {
			return true // it is there and was not captured
		}
		if p.Now.Tree.HasDir(path.Join(dir, "node_modules", name)) || p.Now.Tree.HasFile(path.Join(dir, "deno.json")) || mapped(p, dir, name) {
			return true
		}
		if dir == "." {
			return false
		}
	}
}

func has(p *audit.Pass, dir string) bool {
	f, ok := p.Now.ContextFile(path.Join(dir, "package.json"))
	return ok && f.SHA256 != ""
}

// compiled reports whether a compiler's configuration lies beside or above a file.
func compiled(p *audit.Pass, file string) bool {
	for dir := path.Dir(file); ; dir = path.Dir(dir) {
		if p.Now.Tree.HasFile(path.Join(dir, "tsconfig.json")) || p.Now.Tree.HasFile(path.Join(dir, "jsconfig.json")) {
			return true
		}
		if dir == "." {
			return false
		}
	}
}

// mapped reports whether a bare name may be a folder of the project: compilers
// map such names (baseUrl, paths).
func mapped(p *audit.Pass, dir, name string) bool {
	first, _, _ := strings.Cut(name, "/")
	if !p.Now.Tree.HasFile(path.Join(dir, "tsconfig.json")) && !p.Now.Tree.HasFile(path.Join(dir, "jsconfig.json")) {
		return false
	}
	return strings.HasPrefix(first, "@") || p.Now.Tree.HasDir(path.Join(dir, first)) || p.Now.Tree.HasDir(path.Join(dir, "src", first))
}
