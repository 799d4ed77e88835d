package script

import (
	"path"
	"strings"

	"healthaudit/snapshot"
)

// extensions are what Node and the TypeScript runners try, in their order.
var extensions = []string{"", ".js", ".mjs", ".cjs", ".ts", ".mts", ".cts", ".tsx", ".jsx", ".json", ".node"}

// written maps an extension as TypeScript wants it written to that of the source.
var written = map[string][]string{".js": {".ts", ".tsx"}, ".mjs": {".mts"}, ".cjs": {".cts"}, ".jsx": {".tsx"}}

// products are folders whose files are made, not written: their absence says nothing.
var products = map[string]bool{"dist": true, "build": true, "out": true, "generated": true, "node_modules": true, ".next": true,
	"coverage": true, "target": true, "esm": true, "cjs": true, "__generated__": true, "gen": true, "tmp": true}

// importRefs resolves the local imports of a script against the tree. A missing
// one is told only where it is certain: written by a person, not ignored.
func importRefs(t *snapshot.Tree, list []localImport) (out []snapshot.Ref) {
	for _, i := range list {
		if strings.HasPrefix(i.Path, "..") {
			continue
		}
		p, ok := findImport(t, i)
		if !ok && (i.Module || !certain(t, i.Path)) {
			continue
		}
		where := snapshot.Import
		if i.Lazy {
			where = snapshot.LazyImport
		}
		out = append(out, snapshot.Ref{Kind: snapshot.RefFile, Path: p, Guarded: i.Optional, Line: i.Line, Column: i.Column, Where: where})
	}
	return out
}

func findImport(t *snapshot.Tree, i localImport) (string, bool) {
	if i.Module {
		for _, p := range []string{i.Path + ".py", i.Path + "/__init__.py"} {
			if t.HasFile(p) {
				return p, true
			}
		}
		return i.Path, false
	}
	base := strings.TrimSuffix(i.Path, "/")
	if base == i.Path {
		for _, e := range extensions {
			if t.HasFile(base + e) {
				return base + e, true
			}
		}
		ext := path.Ext(base)
		for _, e := range written[ext] {
			if p := strings.TrimSuffix(base, ext) + e; t.HasFile(p) {
				return p, true
			}
		}
	}
	for _, e := range extensions[1:] {
		if p := path.Join(base, "index"+e); t.HasFile(p) {
			return p, true
		}
	}
	if p := path.Join(base, "package.json"); t.HasFile(p) {
		return p, true
	}
	return base, false
}

// certain reports whether the absence of an imported path means that it is
// missing, and not that it is yet to be made.
func certain(t *snapshot.Tree, p string) bool {
	_, hidden := t.Hidden(p) // whether it is there shall be asked, and not be answered
	if !hidden && (t.InIgnored(p) || t.Product(p)) || strings.HasSuffix(p, "/") || t.HasDir(p) {
		return false
	}
	switch path.Ext(p) {
	case "", ".js", ".mjs", ".cjs", ".ts", ".mts", ".cts", ".jsx", ".tsx":
	default:
		if _, known := languages[path.Ext(p)]; known || strings.Count(path.Base(p), ".") == 1 {
			return false // data, styles, compiled modules: too many ways to come into being
		}
	}
	for d := path.Dir(p); d != "." && d != "/"; d = path.Dir(d) {
		if products[path.Base(d)] || !hidden && path.Base(d) == "lib" && !t.HasDir(d) && t.HasDir(path.Join(path.Dir(d), "src")) { // a lib that is compiled from src
			return false
		}
	}
	if products[path.Base(p)] {
		return false
	}
	for _, e := range extensions[1:] {
		if !hidden && t.InIgnored(p+e) {
			return false
		}
	}
	return !strings.Contains(p, "generated")
}
