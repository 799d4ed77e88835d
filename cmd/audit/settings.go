package main

import (
	"fmt"
	"maps"
	"math"
	"path/filepath"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"healthaudit/audit"
	"healthaudit/audit/pipeline"
	"healthaudit/snapshot"
	"healthaudit/snapshot/collect"
)

// maxGlobs bounds the globs of one key, each counted with its alternatives:
// every one of them is tried on every item or file.
const maxGlobs = 1000

// alternatives returns how many globs one with braces stands for, or more.
func alternatives(glob string) int {
	n := 1
	var open []int // of every brace that is open, the alternatives so far
	for _, c := range glob {
		switch {
		case c == '{':
			open = append(open, 1)
		case c == ',' && len(open) > 0:
			open[len(open)-1]++
		case c == '}' && len(open) > 0:
			n = min(n*open[len(open)-1], maxGlobs+1)
			open = open[:len(open)-1]
		}
	}
	return n
}

// settings is what flags, environment and file together say.
type settings struct {
	file     File
	root     string // absolute
	config   string // path of the configuration, there or not
	source   []byte // of the configuration
	moved    bool   // the configuration itself says where the root is
	pipeline pipeline.Config
	log      logging

	extra       []*audit.Check // that the configuration defines
	archiveLine int            // where the configuration speaks of archives; 0 nowhere
}

// check validates the values and makes the pipeline's configuration of them.
func (s *settings) check(a *App, path string) error {
	f, c := &s.file, &s.pipeline
	bad := s.complain(path)
	for _, e := range []struct {
		system snapshot.System
		word   string
	}{{snapshot.PM2, f.Systems.PM2.Enabled}, {snapshot.Workflows, f.Systems.Workflows.Enabled}, {snapshot.Functions, f.Systems.Functions.Enabled}, {snapshot.Scripts, f.Systems.Scripts.Enabled}} {
		switch e.word {
		case "", "auto", "true":
		case "false":
			c.Off = append(c.Off, e.system)
		default:
			return bad("systems.%s.enabled is %q, want auto, true or false", e.system, e.word)
		}
	}
	home := a.Env("HOME")
	c.Collect = collect.Config{HomeFolder: home, PM2Files: f.Systems.PM2.Files, PM2Node: f.Systems.PM2.Node, ScriptsIn: f.Systems.Scripts.Include,
		ScriptsOut: f.Systems.Scripts.Exclude, Crontabs: f.Systems.Scripts.Crontabs, Manifests: f.Systems.Functions.Manifests}
	for _, h := range f.Systems.PM2.Homes {
		if rest, ok := strings.CutPrefix(h, "~"); ok && home != "" && (rest == "" || rest[0] == '/') {
			h = home + rest
		}
		if !filepath.IsAbs(h) {
			return bad("systems.pm2.homes: %q is not an absolute path", h)
		}
		c.Collect.PM2Homes = append(c.Collect.PM2Homes, filepath.Clean(h))
	}
	for _, list := range []struct {
		key   string
		paths []string
	}{{"systems.pm2.files", f.Systems.PM2.Files}, {"systems.functions.manifests", f.Systems.Functions.Manifests}, {"systems.scripts.crontabs", f.Systems.Scripts.Crontabs}} {
		for _, p := range list.paths {
			if !filepath.IsLocal(p) {
				return bad("%s: %q leaves the audited folder", list.key, p)
			}
		}
	}
	for _, list := range []struct {
		key   string
		globs []string
	}{{"systems.scripts.include", f.Systems.Scripts.Include}, {"systems.scripts.exclude", f.Systems.Scripts.Exclude}, {"criticality", slices.Sorted(maps.Keys(f.Criticality))}} {
		total := 0
		for _, g := range list.globs {
			if !doublestar.ValidatePattern(g) {
				return bad("%s: %q is not a glob", list.key, g)
			}
			if total += alternatives(g); total > maxGlobs {
				return bad("%s: more than %d globs, counting what stands between braces", list.key, maxGlobs)
			}
		}
	}
	for g, word := range f.Criticality {
		if !slices.Contains([]string{"low", "normal", "high"}, word) {
			return bad("criticality of %q is %q, want low, normal or high", g, word)
		}
	}
	c.Criticality = f.Criticality
	for name, w := range f.Weights {
		sys, err := snapshot.ParseSystem(name)
		if err != nil {
			return bad("weights: %v", err)
		}
		if !(w >= 0) || math.IsInf(w, 0) {
			return bad("weights: %s is %v, want a number from 0 on", name, w)
		}
		if c.Weights == nil {
			c.Weights = map[snapshot.System]float64{}
		}
		c.Weights[sys] = w
	}
	c.FailOn, c.FailUnder = f.Gate.FailOn, f.Gate.FailUnder
	if n := c.FailUnder; n != nil && !isScore(*n) {
		return bad("gate.fail_under is %v, want a number from 0 to 100", *n)
	}
	if err := validGate(c.FailOn); err != nil {
		return bad("gate.fail_on: %v", err)
	}
	if !slices.Contains([]string{"", "off", "plan", "apply"}, f.Recovery.Mode) {
		return bad("recovery.mode is %q, want off, plan or apply", f.Recovery.Mode)
	}
	if r := f.Recovery.Rules; r != "" && !filepath.IsLocal(r) && !filepath.IsAbs(r) {
		return bad("recovery.rules: %q leaves the audited folder", r)
	}
	if err := s.checkArchive(a, bad); err != nil {
		return err
	}
	if err := s.checkLog(a, bad); err != nil {
		return err
	}
	if err := s.checkRetention(bad); err != nil {
		return err
	}
	if err := s.checkExpect(path); err != nil {
		return err
	}
	if err := s.checkPlugins(path); err != nil {
		return err
	}
	if err := s.checkChecks(bad); err != nil {
		return err
	}
	return s.checkEntries(path, a.Now())
}

func (s *settings) checkChecks(bad func(string, ...any) error) error {
	f, c := &s.file, &s.pipeline
	known := func(key, id string) error {
		ids := s.checkIDs()
		if slices.Contains(ids, id) {
			return nil
		}
		near := nearestName(id, ids)
		if near != "" {
			near = ", did you mean " + near + "?"
		}
		return bad("%s: there is no check %q%s", key, id, near)
	}
	for _, id := range f.Checks.Off {
		if err := known("checks.off", id); err != nil {
			return err
		}
	}
	c.ChecksOff = f.Checks.Off
	for id, word := range f.Checks.Severity {
		if err := known("checks.severity", id); err != nil {
			return err
		}
		sev, err := audit.ParseSeverity(word)
		if err != nil {
			return bad("checks.severity: %v", err)
		}
		if c.Severity == nil {
			c.Severity = map[string]audit.Severity{}
		}
		c.Severity[id] = sev
	}
	for name, v := range f.Checks.Limits {
		id, limit, _ := strings.Cut(name, ".")
		if err := known("checks.limits", id); err != nil {
			return err
		}
		for _, k := range s.checks() {
			if k.ID == id && !slices.ContainsFunc(k.Limits, func(l audit.Limit) bool { return l.Name == limit }) {
				return bad("checks.limits: check %s has no limit %q", id, limit)
			}
		}
		if c.Limits == nil {
			c.Limits = map[string]float64{}
		}
		c.Limits[name] = v
	}
	return nil
}

func isScore(n float64) bool { return n >= 0 && n <= 100 } // NaN is none

// validGate checks the conditions of --fail-on.
func validGate(list []string) error {
	for _, w := range list {
		if w == "regression" || w == "new" || w == "never" {
			continue
		}
		if _, err := audit.ParseSeverity(w); err != nil {
			return fmt.Errorf("%q is none of critical, high, medium, low, info, regression, new, never", w)
		}
	}
	return nil
}
