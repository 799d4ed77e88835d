package script

import (
	"path"
	"slices"
	"strconv"
	"strings"

	"healthaudit/audit"
	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/lazyregexp"
	"healthaudit/snapshot/analyze/refs"
)

// ModuleFormat reports scripts written as the other kind of module than Node reads.
var ModuleFormat = &audit.Check{
	ID:         "script-module-format",
	System:     snapshot.Scripts,
	Title:      "module of the wrong kind",
	Severity:   audit.Medium,
	Confidence: audit.Likely,
	Doc: "Node decides by the extension and the nearest package.json whether a file is an ES module or CommonJS. A file with import or export that is read as CommonJS stops with " +
		"\"Cannot use import statement outside a module\"; one with require or module.exports that is read as an ES module with \"require is not defined\". It does not begin. " +
		"It is high where something starts the script. Where package.json says nothing, Node finds out by itself from 20.19 and 22.7 on: then a file with import is low, and nothing " +
		"where the project asks for such a Node. Only scripts are judged that Node is sure to run: by their #! line, or because something starts them; " +
		"not where the project uses tsx, ts-node, Babel, bun or deno, which take both.",
	Hint:          "Give the file the extension that tells (.mjs or .cjs), set \"type\" in its package.json, or write it the other way.",
	Discriminator: "none: one finding for each script; of five files or more one for all",
	Source:        "https://nodejs.org/api/packages.html#determining-module-system; measured: 27 of 1,000 files fail in node for this alone",
	Still:         true,
	Judge:         judgeModuleFormat,
}

// Values of the fact "module", as the collector writes them.
const (
	moduleES     = "esm"
	moduleCommon = "commonjs"
	moduleBoth   = "both"
)

func judgeModuleFormat(p *audit.Pass) {
	var all []audit.Damage
	table := refs.NewTable(p.Now, p.Derived)
	var run map[snapshot.Key]bool
	read := map[string]struct{ kind, manifest string }{} // by folder and extension
	for _, it := range p.Items() {
		v, ok := it.Fact("module")
		if !ok {
			continue
		}
		in := path.Dir(it.Path) + "\x00" + path.Ext(it.Path)
		as, known := read[in]
		if !known {
			as.kind, as.manifest = readAs(p, it.Path)
			read[in] = as
		}
		kind, manifest := as.kind, as.manifest
		why := clash(v.Str(), kind, path.Ext(it.Path))
		if why == "" {
			continue
		}
		if run == nil {
			run = runFiles(p, table)
		}
		by, _ := it.Fact("interpreter")
		if node := by.Str() == "node" || by.Str() == "nodejs"; !node && (by.Str() != "" || !run[it.Key]) || tolerant(p, it.Path) {
			continue
		}
		r := audit.Report{Item: it.Key, At: placeOf(it), Severity: audit.Medium, Message: it.Path + " " + why}
		starter := table.Started()[it.Key].By()
		switch {
		case kind == undeclared && v.Str() == moduleES:
			if nodeOf(p, it.Path) >= 22 {
				continue
			}
			r.Severity = audit.Low
		case starter != "":
			r.Severity = audit.High
		}
		if starter != "" {
			r.Evidence = append(r.Evidence, audit.Evidence{Name: "started by", Value: string(starter)})
		}
		if manifest != "" {
			r.Evidence = append(r.Evidence, audit.Evidence{Name: "nearest package.json", Value: manifest})
		}
		all = append(all, audit.Damage{Cause: v.Str() + " read as " + kind, What: "are written as the other kind of module than Node reads", Report: r})
	}
	p.ReportAll(all)
}

// undeclared is what a file is read as whose package.json says nothing: as
// CommonJS, and by later versions of Node as what it turns out to be.
const undeclared = "undeclared"

// clash says why Node refuses a file, "" when it does not.
func clash(form, kind, ext string) string {
	because := "its package.json says \"type\": \"" + kind + "\""
	switch {
	case ext == ".mjs" || ext == ".cjs":
		because = "its name ends in " + ext
	case kind == undeclared:
		because = "its package.json says no type"
	}
	switch {
	case kind == undeclared && form == moduleES:
		return "uses import or export, and " + because + ": Node before 20.19 and 22.7 refuses it"
	case kind == undeclared && form == moduleBoth:
		return "uses both import and require, which Node takes in no file"
	case kind == "commonjs" && form != moduleCommon:
		return "uses import or export, but Node reads it as CommonJS, because " + because
	case kind == "module" && form != moduleES:
		return "uses require or module.exports, but Node reads it as an ES module, because " + because
	}
	return ""
}

// readAs returns what Node reads a file as (module, commonjs or undeclared), and
// the package.json that decides; "" for what cannot be known.
func readAs(p *audit.Pass, file string) (kind, manifest string) {
	switch path.Ext(file) {
	case ".mjs":
		return "module", ""
	case ".cjs":
		return "commonjs", ""
	case ".js", "":
	default:
		return "", ""
	}
	for dir := path.Dir(file); ; dir = path.Dir(dir) {
		at := path.Join(dir, "package.json")
		if it := p.Now.Item(snapshot.NewKey(snapshot.Scripts, "file:"+snapshot.Escape(at))); it != nil {
			syntax, _ := it.Fact("syntax")
			if it.Unknown != "" || syntax.Str() == unparsed {
				return "", ""
			}
			if v, _ := it.Fact("type"); v.Str() == "module" || v.Str() == "commonjs" {
				return v.Str(), at
			}
			return undeclared, at
		}
		if p.Now.Tree.HasFile(at) { // one that is no item: a fixture, a product
			return "", ""
		}
		if dir == "." {
			return undeclared, ""
		}
	}
}

// runFiles are the script files that something starts as a file, and does not
// merely load.
func runFiles(p *audit.Pass, table *refs.Table) map[snapshot.Key]bool {
	out := map[snapshot.Key]bool{}
	for _, it := range p.Now.Items {
		for _, r := range it.Refs.All() {
			if r.Kind == snapshot.RefFile && !r.Loads() && it.System() != snapshot.Functions {
				if k := table.Resolve(r).Item; k != "" {
					out[k] = true
				}
			}
		}
	}
	return out
}

// compilers are packages that run or translate JavaScript of either kind.
var compilers = map[string]bool{"tsx": true, "ts-node": true, "ts-node-dev": true, "bun": true, "bun-types": true, "@types/bun": true, "@babel/node": true, "@babel/register": true,
	"esm": true, "esbuild-register": true, "@swc-node/register": true, "jiti": true, "sucrase": true, "esbuild-runner": true, "babel-cli": true, "k6": true, "@types/k6": true, "vite-node": true}

// tolerant reports whether a project may run the file by something that takes
// both kinds of module.
func tolerant(p *audit.Pass, file string) bool {
	for dir := path.Dir(file); ; dir = path.Dir(dir) {
		for _, name := range []string{"bun.lock", "bun.lockb", "bunfig.toml", "deno.json", "deno.jsonc"} {
			if p.Now.Tree.HasFile(path.Join(dir, name)) {
				return true
			}
		}
		if pkg, ok := packageAt(p, dir); ok && slices.ContainsFunc(pkg.Deps, func(d string) bool { return compilers[d] }) {
			return true
		}
		if dir == "." {
			return false
		}
	}
}

var firstNumber = lazyregexp.New(`\d+`)

// nodeOf returns the oldest major version of Node that the package asks for, 0
// when it does not say.
func nodeOf(p *audit.Pass, file string) int {
	for dir := path.Dir(file); ; dir = path.Dir(dir) {
		if it := p.Now.Item(snapshot.NewKey(snapshot.Scripts, "file:"+snapshot.Escape(path.Join(dir, "package.json")))); it != nil {
			if v, ok := it.Fact("engines.node"); ok {
				n, _ := strconv.Atoi(firstNumber().FindString(v.Str()))
				return n
			}
		}
		if dir == "." {
			return 0
		}
	}
}

func placeOf(it *snapshot.Item) audit.Location {
	at := audit.Location{Path: it.Path}
	v, _ := it.Fact("module-place")
	line, column, _ := strings.Cut(v.Str(), ":")
	at.Line, _ = strconv.Atoi(line)
	at.Column, _ = strconv.Atoi(column)
	return at
}
