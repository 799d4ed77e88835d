package function

import (
	"cmp"
	"path"
	"slices"
	"sort"
	"strconv"
	"strings"

	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/netlify"
	"healthaudit/snapshot/collect"
	"healthaudit/snapshot/cron"
)

// function makes the item of one function.
func (site *site) function(s *collect.Session, f netlify.Found) *snapshot.Item {
	it := &snapshot.Item{Key: site.key(f.Name), Name: f.Name, Kind: KindFunction, Path: f.Main, Source: site.source}
	it.Add(snapshot.Semantic, "runtime", snapshot.Text(f.Runtime))
	settings := site.config.For(f.Name)
	if twins := site.shadowed[f.Name]; len(twins) > 0 {
		it.Add(snapshot.Set, "shadows", snapshot.SetOf(twins...))
	}
	if netlify.EventNamed(f.Name) {
		it.Add(snapshot.Semantic, "event", snapshot.Text(f.Name))
	}
	c := &code{s: s, it: it, dir: f.Dir}
	var fn netlify.Function
	main, ok := c.main()
	if !ok && f.Runtime != netlify.JavaScript && it.Unknown == tooLarge {
		it.Unknown = "" // nothing of a program or an archive is analysed
	}
	if ok && f.Runtime == netlify.JavaScript {
		fn = netlify.CachedFunction(s.Derived, main, c.bytes)
		c.follow(main, fn.Source)
		it.Unknown = unknown(fn.Source)
		c.describe(fn)
		if it.Unknown == "" && len(fn.Problems) == 0 {
			c.text("bundler", fn.EffectiveBundler(f.Main, settings.Bundler))
		}
	}
	c.compute(fn, settings)
	if fn.Background || netlify.Background(f.Name) {
		it.Add(snapshot.Semantic, "background", snapshot.Bool(true))
	}
	site.schedules(it, f.Name, fn, settings)
	c.folder()
	it.Sort()
	return it
}

// edge makes the item of one edge function.
func (site *site) edge(s *collect.Session, f netlify.Found) *snapshot.Item {
	it := &snapshot.Item{Key: site.edgeKey(f.Name), Name: f.Name, Kind: KindEdge, Path: f.Main, Source: site.source}
	it.Add(snapshot.Semantic, "runtime", snapshot.Text("edge"))
	c := &code{s: s, it: it, dir: f.Dir}
	if main, ok := c.main(); ok {
		fn := netlify.CachedFunction(s.Derived, main, c.bytes)
		c.follow(main, fn.Source)
		it.Unknown = unknown(fn.Source)
		routes := fn.Routes
		for _, r := range site.config.EdgeRules {
			if r.Function == f.Name {
				routes = append(slices.Clip(routes), r.Path)
			}
		}
		c.set("routes", routes)
		c.text("handler", fn.Handler)
	}
	c.folder()
	it.Sort()
	return it
}

// lostEdge makes the item of an edge function that Netlify passes over.
func (site *site) lostEdge(s *collect.Session, l netlify.Lost) *snapshot.Item {
	it := site.edge(s, l.Found)
	it.Add(snapshot.Semantic, "lost", snapshot.Text(l.By))
	it.Sort()
	return it
}

// unknown passes on why a file could not be analysed although it may be fine.
func unknown(src netlify.Source) string { return src.Unjudged }

// code gathers the files of one function into its item.
type code struct {
	s     *collect.Session
	it    *snapshot.Item
	dir   string // the function's own folder, "" when it is one file
	files map[string]snapshot.File
}

func (c *code) bytes(f snapshot.File) []byte { return fileBytes(c.s, f) }

// fileBytes returns the bytes of a captured file, nil when they cannot be had.
func fileBytes(s *collect.Session, f snapshot.File) []byte {
	b, err := s.Files.Bytes(f)
	if err != nil {
		return nil
	}
	if b == nil {
		b = []byte{}
	}
	return b
}

// add captures a file: the function's own, or one it shares with others.
func (c *code) add(p string) (snapshot.File, error) {
	if f, ok := c.files[p]; ok {
		return f, nil
	}
	role := snapshot.Shared
	if p == c.it.Path || c.dir != "" && strings.HasPrefix(p, c.dir+"/") && path.Base(p) != "package.json" {
		role = snapshot.Own
	}
	f, err := c.s.Files.File(p, role)
	if c.files == nil {
		c.files = map[string]snapshot.File{}
	}
	c.files[p] = f
	c.it.Files = append(c.it.Files, f)
	return f, err
}

// main captures the main file. A symbolic link is followed within the project.
// It notes why a file cannot be read, and returns false.
func (c *code) main() (snapshot.File, bool) {
	f, err := c.add(c.it.Path)
	for err == nil && f.Link != "" {
		target := path.Join(path.Dir(f.Path), f.Link)
		if path.IsAbs(f.Link) || strings.HasPrefix(target, "../") {
			c.it.Unknown = "a symbolic link that leaves the project"
			return f, false
		}
		if _, seen := c.files[target]; seen {
			c.it.Unknown = "a symbolic link that leads back to itself"
			return f, false
		}
		f, err = c.add(target)
	}
	if err != nil {
		why := reason(err)
		if why == "larger than 8 MiB" {
			c.it.Unknown = tooLarge
		} else {
			c.it.Unknown = why
			c.it.Add(snapshot.Semantic, "unreadable", snapshot.Text(why))
		}
		return f, false
	}
	return f, true
}

// tooLarge is why a function is not judged of which only the size is known.
const tooLarge = "larger than 8 MiB, not analysed"

// maxOwnFiles bounds the files of a function's folder that are captured.
const maxOwnFiles = 500

// folder captures the rest of the function's own folder.
func (c *code) folder() {
	if c.dir == "" {
		return
	}
	for _, e := range c.s.Tree.Under(c.dir) {
		if !isProject(e) || collect.Vendored(e.Path) || len(c.files) >= maxOwnFiles {
			continue
		}
		// What cannot be read here is no part of the code; the file says so itself.
		_, _ = c.add(e.Path)
	}
}

// follow captures the closure of local imports, refers to each, and adds the
// digest over all of it, in which comments and formatting do not count.
func (c *code) follow(main snapshot.File, first netlify.Source) {
	digests := map[string]string{}
	files, links := netlify.Closure(c.s.Tree, main.Path, func(p string) netlify.Source {
		src := first
		if p != main.Path {
			f, err := c.add(p)
			if err != nil || f.Link != "" {
				digests[p] = f.SHA256
				return netlify.Source{}
			}
			src = netlify.CachedSource(c.s.Derived, f, c.bytes)
		}
		digests[p] = src.Digest
		return src
	})
	var all strings.Builder
	for _, p := range files {
		all.WriteString(p + "\x00" + digests[p] + "\x00")
	}
	c.it.Add(snapshot.Semantic, "content", snapshot.Text(snapshot.Sum([]byte(all.String()))[:16]))
	for _, l := range links {
		if l.To != "" {
			c.it.Refs.Add(snapshot.Ref{Kind: snapshot.RefFile, Path: l.To, Guarded: l.Import.Optional,
				File: l.From, Line: l.Import.Line, Column: l.Import.Column, Where: snapshot.Import})
		}
	}
}

// describe adds the facts of the source.
func (c *code) describe(fn netlify.Function) {
	c.text("version", fn.Version)
	c.text("format", fn.Format)
	c.text("handler", fn.Handler)
	c.text("node", fn.Node)
	c.text("timeout", fn.Timeout)
	if fn.Refused != nil {
		c.text("refused", fn.Refused.Message)
	}
	c.set("routes", fn.Routes)
	c.set("routes.excluded", fn.Excluded)
	c.set("methods", fn.Methods)
	c.set("events", fn.Events)
}

func (c *code) text(name, v string) {
	if v != "" {
		c.it.Add(snapshot.Semantic, name, snapshot.Text(v))
	}
}

func (c *code) set(name string, v []string) {
	if len(v) > 0 {
		c.it.Add(snapshot.Set, name, snapshot.SetOf(v...))
	}
}

// compute adds how large the function is and where it runs: its source wins over
// netlify.toml. Memory and vcpu are one choice.
func (c *code) compute(fn netlify.Function, settings netlify.Settings) {
	memory, vcpu := "", fn.VCPU
	if fn.Memory > 0 {
		memory = strconv.Itoa(fn.Memory)
	}
	if memory == "" && vcpu == "" {
		vcpu = settings.VCPU
		if mb, ok := netlify.Megabytes(settings.Memory); ok {
			memory = strconv.Itoa(mb)
		}
	}
	c.text("memory", memory)
	c.text("vcpu", vcpu)
	c.text("region", cmp.Or(fn.Region, settings.Region))
}

// schedules adds every declared schedule: the one that takes effect, and the
// others with the reason why they do not.
func (site *site) schedules(it *snapshot.Item, name string, fn netlify.Function, settings netlify.Settings) {
	add := func(expr, file string, at netlify.Place, why string) {
		it.Schedules = append(it.Schedules, snapshot.Schedule{Dialect: string(cron.Netlify), Expression: expr,
			Effective: why == "", Why: why, Path: file, Line: at.Line, Column: at.Column})
	}
	inSource := fn.Schedule != "" // right or wrong: Netlify's build takes it as it stands
	for _, d := range fn.Declared {
		add(d.Expression, it.Path, d.At, d.Why)
		inSource = inSource || d.Why == ""
	}
	if settings.Schedule != "" {
		why, refused := netlify.BadSchedule(settings.Schedule), netlify.RefusedSchedule(settings.Schedule)
		switch {
		case refused != "":
			why = netlify.WhyRefused + ": " + refused
		case why != "":
			why = "not a schedule that Netlify runs, although its build accepts it: " + why
		case inSource:
			why = netlify.WhyOverridden
		}
		add(settings.Schedule, site.toml, settings.At, why)
	}
	for _, n := range site.config.Scheduled {
		if n.Name == name {
			add(n.Schedule, site.toml, n.At, netlify.WhyNoSuchKey)
		}
	}
	var effective, declared []string
	for _, sc := range it.Schedules {
		if sc.Effective {
			effective = append(effective, sc.Expression)
		} else if sc.Expression != "" {
			declared = append(declared, sc.Expression)
		}
	}
	if len(effective) > 0 {
		it.Add(snapshot.Semantic, "schedule.effective", snapshot.Text(effective[0]))
	}
	if len(it.Schedules) > 0 {
		sort.Strings(declared)
		it.Add(snapshot.Set, "schedule.declared", snapshot.SetOf(append(declared, effective...)...))
	}
}
