// Package function holds the checks of Netlify functions, one file each. They
// judge what Netlify's own build passes over in silence.
package function

import (
	"slices"
	"strings"

	"healthaudit/audit"
	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/netlify"
)

// All lists the checks of this package.
var All = []*audit.Check{Syntax, Refused, NoHandler, NameInvalid, Directory, ScheduleIgnored, ScheduleOdd, MissingImport, UndeclaredPackage, UnbundledFile,
	RouteDead, RouteClash, Shadowed, ConfigIgnored, Environment, Limits, ReadonlyWrite, RunsGit, HidesFailure, ManifestInvalid, ManifestDrift, BuildStale, BuildTarget, EdgeUnrouted}

// Kinds of items of the functions system.
const (
	kindFunction  = "function"
	kindEdge      = "edge"
	kindFile      = "file"
	kindRedirects = "redirects"
)

// mainFile returns the captured main file of a function: the file at its path,
// or what the link there leads to.
func mainFile(it *snapshot.Item) (snapshot.File, bool) {
	f, ok := it.OwnFile()
	for hops := 0; ok && f.Link != "" && hops < 8; hops++ {
		f, ok = fileAt(it, join(f.Path, f.Link))
	}
	return f, ok && f.SHA256 != "" && f.Link == ""
}

func fileAt(it *snapshot.Item, p string) (snapshot.File, bool) {
	i, ok := slices.BinarySearchFunc(it.Files, p, func(f snapshot.File, p string) int { return strings.Compare(f.Path, p) })
	if !ok {
		return snapshot.File{}, false
	}
	return it.Files[i], true
}

// isSource reports whether the item is JavaScript that was read.
func isSource(it *snapshot.Item) bool {
	runtime, _ := it.Fact("runtime")
	return (it.Kind == kindFunction && runtime.Str() == netlify.JavaScript || it.Kind == kindEdge) && it.Unknown == ""
}

// analysisOf is what many checks of one run ask for.
type analysisOf struct{ *snapshot.Item }

// analysis returns what the main file of an item says.
func analysis(p *audit.Pass, it *snapshot.Item) (netlify.Function, bool) {
	fn := snapshot.Once(p.Derived, analysisOf{it}, func() *netlify.Function {
		f, ok := mainFile(it)
		if !ok || !isSource(it) {
			return nil
		}
		fn := netlify.CachedFunction(p.Derived, f, p.Bytes)
		if fn.Unjudged != "" {
			return nil
		}
		return &fn
	})
	if fn == nil {
		return netlify.Function{}, false
	}
	return *fn, true
}

// A bundle is what the code of one item is made of.
type bundle struct {
	said  map[string]netlify.Source
	links []netlify.Link
}

// bundleOf is what many checks of one run ask for.
type bundleOf struct{ *snapshot.Item }

// closure returns the files of an item and its imports, with what each file says.
func closure(p *audit.Pass, it *snapshot.Item) (map[string]netlify.Source, []netlify.Link) {
	b := snapshot.Once(p.Derived, bundleOf{it}, func() bundle { return bundled(p, it) })
	return b.said, b.links
}

func bundled(p *audit.Pass, it *snapshot.Item) bundle {
	fn, ok := analysis(p, it)
	if !ok {
		return bundle{}
	}
	main, _ := mainFile(it)
	b := bundle{said: map[string]netlify.Source{}}
	_, b.links = netlify.Closure(p.Now.Tree, main.Path, func(file string) netlify.Source {
		src := fn.Source
		if file != main.Path {
			f, ok := fileAt(it, file)
			if !ok || f.SHA256 == "" || f.Link != "" {
				return netlify.Source{}
			}
			src = netlify.CachedSource(p.Derived, f, p.Bytes)
		}
		b.said[file] = src
		return src
	})
	return b
}

// config returns what the netlify.toml of a file item says.
func config(p *audit.Pass, it *snapshot.Item) (*netlify.Config, bool) {
	f, ok := it.OwnFile()
	if !ok || it.Kind != kindFile || !isConfig(it) || f.SHA256 == "" || f.Link != "" || f.Size > netlify.MaxConfig {
		return nil, false
	}
	b := p.Bytes(f)
	if b == nil && f.Size > 0 {
		return nil, false
	}
	c := netlify.CachedConfig(p.Derived, f, p.Bytes)
	return &c, true
}

// isConfig tells the netlify.toml from the other files, which list functions.
func isConfig(it *snapshot.Item) bool { return strings.HasSuffix("/"+it.Path, "/netlify.toml") }
