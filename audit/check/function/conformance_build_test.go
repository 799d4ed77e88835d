package function

import (
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/netlify"
)

// TestConformance_builds packs every function with Netlify's own bundlers, by
// default and with esbuild, and compares whether that succeeds with what audit
// says of the files. Nothing that is packed is run.
func TestConformance_builds(t *testing.T) {
	root := corpusRoot(t)
	tree, dirs := everything(t, root)
	q := question{Root: root}
	for _, d := range dirs {
		found := netlify.Discover(tree, d, nil)
		if len(found) > 0 && len(found) <= 40 && (os.Getenv("CORPUS") == "" && path.Base(d) == "functions" || os.Getenv("CORPUS") != "" && path.Base(path.Dir(d)) == "fixtures") {
			q.Builds = append(q.Builds, map[string]string{"dir": d}, map[string]string{"dir": d, "bundler": netlify.BundlerESBuild})
		}
	}
	said := netlifyTools(t, q)
	var all agreement
	for i := 0; i < len(q.Builds); i += 2 {
		d := q.Builds[i]["dir"]
		found := netlify.Discover(tree, d, nil)
		for name, first := range said.Builds[i] {
			f := slices.IndexFunc(found, func(f netlify.Found) bool { return f.Name == name && f.Runtime == netlify.JavaScript })
			if f < 0 {
				continue
			}
			second := said.Builds[i+1][name]
			clean := first.OK && second.OK && !first.Fallback && !second.Fallback
			all.compare(found[f].Main, map[string]string{"packs": yes(clean)}, map[string]string{"packs": yes(packs(root, tree, found[f].Main))})
		}
	}
	slices.Sort(all.other)
	all.report(t, "functions, whether they can be packed", 0.95)
}

// packs reports whether nothing in the closure of a function keeps it from being
// packed: syntax, missing files, packages that are not installed, or its config.
func packs(root string, tree *snapshot.Tree, main string) bool {
	read := func(p string) []byte {
		b, _ := os.ReadFile(filepath.Join(root, p))
		return b
	}
	fn := netlify.Analyze(main, read(main))
	ok := fn.Refused == nil
	files, links := netlify.Closure(tree, main, func(p string) netlify.Source {
		src := fn.Source
		if p != main {
			if !netlify.IsCode(p) {
				return netlify.Source{}
			}
			src = netlify.Analyze(p, read(p)).Source
		}
		ok = ok && len(src.Problems) == 0
		ok = ok && !slices.ContainsFunc(src.Deeds, func(d netlify.Deed) bool {
			return d.Kind == netlify.DeedCompose && fn.EffectiveBundler(main, "") == netlify.BundlerZISI
		})
		for _, i := range src.Packages {
			ok = ok && (i.Optional || fn.Version == netlify.V2 || installed(tree, path.Dir(p), i.Path))
		}
		return src
	})
	ok = ok && !slices.ContainsFunc(files, func(p string) bool { return strings.Contains(p, "___netlify-entry-point") })
	for _, l := range links {
		ok = ok && (!l.Missing || l.Import.Optional)
	}
	return ok
}

func installed(tree *snapshot.Tree, dir, name string) bool {
	for ; ; dir = path.Dir(dir) {
		if tree.HasDir(path.Join(dir, "node_modules", name)) || tree.HasFile(path.Join(dir, "node_modules", name+".js")) {
			return true
		}
		if dir == "." {
			return false
		}
	}
}
