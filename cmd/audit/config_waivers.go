package main

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/bmatcuk/doublestar/v4"
	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"healthaudit/audit"
)

// maxWaivers bounds the entries of waivers and of ignore, each.
const maxWaivers = 1000

// A fileWaiver is one entry of waivers.
type fileWaiver struct {
	Check  string `yaml:"check"`
	Item   string `yaml:"item"`
	Reason string `yaml:"reason"`
	Until  string `yaml:"until"`
}

// A fileIgnore is one entry of ignore.
type fileIgnore struct {
	Item   string `yaml:"item"`
	Fact   string `yaml:"fact"`
	Reason string `yaml:"reason"`
	Until  string `yaml:"until"`
}

// A fileCadence is how often a run is to be.
type fileCadence struct {
	Every string `yaml:"every"`
	Grace string `yaml:"grace"`
}

// A listEntry is one element of a list of the configuration, to complain about.
type listEntry struct {
	s    *settings
	path string // of the configuration
	tree *ast.File
	at   string // "$.waivers[2]"
}

// place returns where a key of the entry stands, or the entry itself.
func (e listEntry) place(key string) (line, column int, shown string) {
	for _, at := range []string{e.at + "." + key, e.at} {
		p, err := yaml.PathString(at)
		if err != nil {
			continue
		}
		n, err := p.FilterFile(e.tree)
		if err != nil || n == nil {
			continue
		}
		for { // a mapping begins with its first key, not with its colon
			m, ok := n.(*ast.MappingNode)
			if !ok || len(m.Values) == 0 {
				break
			}
			n = m.Values[0].Key
		}
		pos := n.GetToken().Position
		b, err := p.AnnotateSource(e.s.source, false)
		if err == nil {
			shown = string(b)
		}
		return pos.Line, pos.Column, shown
	}
	return 1, 1, ""
}

// bad complains about a key of the entry, or about the whole of it.
func (e listEntry) bad(key, format string, args ...any) error {
	line, column, shown := e.place(key)
	what := strings.TrimPrefix(e.at, "$.")
	if key != "" {
		what += "." + key
	}
	return &usageError{fmt.Sprintf("%s: [%d:%d] %s %s", e.path, line, column, what, fmt.Sprintf(format, args...)), strings.TrimRight(shown, "\n")}
}

// location is where the entry stands, by a path below the root where it is in there.
func (e listEntry) location() audit.Location {
	line, column, _ := e.place("")
	path := e.path
	if abs, err := filepath.Abs(path); err == nil {
		if rel, err := filepath.Rel(e.s.root, abs); err == nil && filepath.IsLocal(rel) {
			path = filepath.ToSlash(rel)
		}
	}
	return audit.Location{Path: path, Line: line, Column: column}
}

// checkEntries validates what is complained about with its place: waivers, ignore
// and cadence; and makes the pipeline's of them.
func (s *settings) checkEntries(path string, now time.Time) error {
	f := &s.file
	if len(f.Waivers)+len(f.Ignore) == 0 && f.Cadence == (fileCadence{}) {
		return nil
	}
	tree, err := parser.ParseBytes(s.source, 0)
	if err != nil {
		return &usageError{path + ": " + err.Error(), ""}
	}
	if err := s.checkCadence(listEntry{s, path, tree, "$.cadence"}); err != nil {
		return err
	}
	if n := max(len(f.Waivers), len(f.Ignore)); n > maxWaivers {
		return &usageError{fmt.Sprintf("%s: more than %d entries in one list of waivers or ignore", path, maxWaivers), "a check that hurts everywhere is switched off by checks.off"}
	}
	globs := 0
	for i, w := range f.Waivers {
		e := listEntry{s, path, tree, fmt.Sprintf("$.waivers[%d]", i)}
		if err := e.standing(w.Item, w.Reason, w.Until, now, &globs); err != nil {
			return err
		}
		if err := e.waivable(w.Check); err != nil {
			return err
		}
		at := e.location()
		s.pipeline.Waivers = append(s.pipeline.Waivers, audit.Waiver{Checks: []string{w.Check}, Item: w.Item, Reason: w.Reason, Until: w.Until,
			At: at, By: fmt.Sprintf("%s:%d", at.Path, at.Line)})
	}
	for i, g := range f.Ignore {
		e := listEntry{s, path, tree, fmt.Sprintf("$.ignore[%d]", i)}
		if err := e.standing(g.Item, g.Reason, g.Until, now, &globs); err != nil {
			return err
		}
		if g.Fact == "" {
			return e.bad("fact", "is missing: the name of what changes, as audit diff shows it, or a glob")
		}
		if err := e.glob("fact", g.Fact, &globs); err != nil {
			return err
		}
		s.pipeline.Ignore = append(s.pipeline.Ignore, audit.Ignore{Item: g.Item, Fact: g.Fact, Reason: g.Reason, Until: g.Until, At: e.location()})
	}
	return nil
}

// checkCadence reads how often a run is to be. Two thirds of that are the grace
// when none is given: 10 minutes of 15.
func (s *settings) checkCadence(e listEntry) error {
	c, p := s.file.Cadence, &s.pipeline
	if c == (fileCadence{}) {
		return nil
	}
	if c.Every == "" {
		return e.bad("every", "is missing: how often a run is due, such as 15m")
	}
	for _, d := range []struct {
		key, text string
		to        *time.Duration
		least     time.Duration
	}{{"every", c.Every, &p.Every, time.Minute}, {"grace", c.Grace, &p.Grace, 0}} {
		if d.text == "" {
			continue
		}
		v, err := time.ParseDuration(d.text)
		if err != nil || v < d.least || v > 366*24*time.Hour {
			return e.bad(d.key, "is %q, want a duration such as 15m or 24h, of at least %s", d.text, lasting(d.least))
		}
		*d.to = v
	}
	if c.Grace == "" {
		p.Grace = p.Every * 2 / 3
	}
	p.EveryAt = e.location()
	return nil
}

// standing checks what every entry has: an item, a reason and an end.
func (e listEntry) standing(item, reason, until string, now time.Time, globs *int) error {
	if item == "" {
		return e.bad("item", "is missing: the key of an item, as reports name it, or a glob over keys")
	}
	if system, _, ok := strings.Cut(item, "/"); !ok || strings.ContainsAny(system, " ") {
		return e.bad("item", "is %q, want SYSTEM/NAME, as reports name it", item)
	}
	if strings.TrimSpace(reason) == "" {
		return e.bad("reason", "is missing: nobody will know later why this was accepted")
	}
	if until == "" {
		return e.bad("until", "is missing: the last day this holds, such as %s", now.AddDate(0, 2, 0).UTC().Format(time.DateOnly))
	}
	day, err := time.Parse(time.DateOnly, until)
	if err != nil {
		return e.bad("until", "is %q, want a day such as %s", until, now.AddDate(0, 2, 0).UTC().Format(time.DateOnly))
	}
	if day.Sub(now) > audit.MaxWaived {
		return e.bad("until", "is %s, more than 180 days away: the last day may be %s", until, lastDay(now))
	}
	return e.glob("item", item, globs)
}

// lastDay is the latest end that a waiver may have.
func lastDay(now time.Time) string { return now.UTC().Add(audit.MaxWaived).Format(time.DateOnly) }

func (e listEntry) glob(key, glob string, globs *int) error {
	if !doublestar.ValidatePattern(glob) {
		return e.bad(key, "is %q, which is no glob", glob)
	}
	if *globs += alternatives(glob); *globs > maxGlobs {
		return e.bad(key, "is one glob too many: %d are allowed, counting what stands between braces", maxGlobs)
	}
	return nil
}

// waivable checks the name of a check.
func (e listEntry) waivable(id string) error {
	if id == "" {
		return e.bad("check", "is missing: the name in brackets in the report")
	}
	all := e.s.checks()
	i := slices.IndexFunc(all, func(c *audit.Check) bool { return c.ID == id })
	if i < 0 {
		near := nearestName(id, idsOf(all))
		if near != "" {
			near = ", did you mean " + near + "?"
		}
		return e.bad("check", "is %q, and there is no such check%s", id, near)
	}
	if all[i].Last {
		return e.bad("check", "is %s, which is about waivers itself: mend what it says", id)
	}
	return nil
}
