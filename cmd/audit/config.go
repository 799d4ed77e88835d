package main

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
	"github.com/goccy/go-yaml"

	"healthaudit/audit"
	"healthaudit/audit/check"
	"healthaudit/audit/pipeline"
	"healthaudit/snapshot"
	"healthaudit/snapshot/collect"
)

// maxConfig bounds audit.yaml, in bytes.
const maxConfig = 1 << 20

// File is audit.yaml. Every key has a default; unknown and duplicate keys are errors.
type File struct {
	Version int    `yaml:"version"`
	Root    string `yaml:"root"`
	Systems struct {
		PM2 struct {
			Enabled string   `yaml:"enabled"`
			Homes   []string `yaml:"homes"`
			Files   []string `yaml:"files"`
		} `yaml:"pm2"`
		Workflows struct {
			Enabled string `yaml:"enabled"`
		} `yaml:"workflows"`
		Functions struct {
			Enabled string `yaml:"enabled"`
		} `yaml:"functions"`
		Scripts struct {
			Enabled  string   `yaml:"enabled"`
			Include  []string `yaml:"include"`
			Exclude  []string `yaml:"exclude"`
			Crontabs []string `yaml:"crontabs"`
		} `yaml:"scripts"`
	} `yaml:"systems"`
	Criticality map[string]string  `yaml:"criticality"`
	Weights     map[string]float64 `yaml:"weights"`
	Gate        struct {
		FailOn    []string `yaml:"fail_on"`
		FailUnder *float64 `yaml:"fail_under"`
	} `yaml:"gate"`
	Checks struct {
		Off      []string           `yaml:"off"`
		Severity map[string]string  `yaml:"severity"`
		Limits   map[string]float64 `yaml:"limits"`
	} `yaml:"checks"`
}

// settings is what flags, environment and file together say.
type settings struct {
	file     File
	root     string // absolute
	pipeline pipeline.Config
}

// resolve applies the precedence flag, environment, file, default to the
// global flags.
func (a *App) resolve() error {
	for _, f := range []struct {
		flag *string
		env  string
	}{{&a.Root, "AUDIT_ROOT"}, {&a.Config, "AUDIT_CONFIG"}, {&a.Store, "AUDIT_STORE"}, {&a.Color, "AUDIT_COLOR"}} {
		if *f.flag == "" {
			*f.flag = a.Env(f.env)
		}
	}
	if a.Color == "" {
		a.Color = "auto"
	}
	if !slices.Contains([]string{"auto", "always", "never"}, a.Color) {
		return &usageError{fmt.Sprintf("colour %q is none of auto, always, never", a.Color), ""}
	}
	return nil
}

// settings finds the root, reads the configuration and checks it.
func (a *App) settings() (*settings, error) {
	s := &settings{root: a.Root}
	if s.root == "" {
		s.root = nearest()
	}
	if err := isFolder(s.root); err != nil {
		return nil, err
	}
	path := a.Config
	if path == "" {
		path = filepath.Join(s.root, "audit.yaml")
	}
	src, err := readConfig(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && a.Config == "":
	case err != nil:
		return nil, &usageError{fmt.Sprintf("read configuration: %v", err), ""}
	default:
		if err := parseConfig(path, src, &s.file); err != nil {
			return nil, err
		}
		if a.Root == "" && s.file.Root != "" {
			s.root = s.file.Root
			if !filepath.IsAbs(s.root) {
				s.root = filepath.Join(filepath.Dir(path), s.root)
			}
		}
	}
	if s.root, err = filepath.Abs(s.root); err != nil {
		return nil, err
	}
	if err := isFolder(s.root); err != nil {
		return nil, err
	}
	if filepath.Dir(s.root) == s.root {
		return nil, &usageError{"the folder to audit is the whole file system", "--root DIR names the project; under cron the working folder is not the project's"}
	}
	if a.Store == "" {
		a.Store = filepath.Join(s.root, ".audit", "audit.db")
	}
	return s, s.check(a, path)
}

func isFolder(root string) error {
	if st, err := os.Stat(root); err != nil || !st.IsDir() {
		return &usageError{fmt.Sprintf("%s is not a folder", root), "--root DIR names the project to audit"}
	}
	return nil
}

// nearest is the closest folder above that looks like a project.
func nearest() string {
	dir, err := os.Getwd()
	if err != nil {
		return "."
	}
	for d := dir; ; d = filepath.Dir(d) {
		for _, mark := range []string{"audit.yaml", ".git"} {
			if _, err := os.Lstat(filepath.Join(d, mark)); err == nil {
				return d
			}
		}
		if d == filepath.Dir(d) {
			return dir
		}
	}
}

func readConfig(path string) ([]byte, error) {
	st, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !st.Mode().IsRegular() || st.Size() > maxConfig {
		return nil, fmt.Errorf("%s: not a regular file of at most 1 MiB", path)
	}
	return os.ReadFile(path)
}

var unknownField = regexp.MustCompile(`unknown field "([^"]+)"`)

// parseConfig reads audit.yaml strictly. The error has line, caret and, for an
// unknown key, the nearest one there is.
func parseConfig(path string, src []byte, into *File) error {
	into.Version = 1
	err := yaml.UnmarshalWithOptions(src, into, yaml.Strict())
	if err == nil && into.Version != 1 {
		return &usageError{fmt.Sprintf("%s: version is %d, want 1", path, into.Version), "this version of audit reads version 1 only"}
	}
	if err == nil {
		return nil
	}
	what, hint, _ := strings.Cut(strings.TrimSpace(yaml.FormatError(err, false, true)), "\n")
	if m := unknownField.FindStringSubmatch(err.Error()); m != nil {
		if near := nearestName(m[1], configKeys(reflect.TypeFor[File]())); near != "" {
			hint += "\ndid you mean " + strconv.Quote(near) + "?"
		}
	}
	return &usageError{path + ": " + what, hint}
}

func configKeys(t reflect.Type) (out []string) {
	for i := range t.NumField() {
		f := t.Field(i)
		out = append(out, f.Tag.Get("yaml"))
		if f.Type.Kind() == reflect.Struct {
			out = append(out, configKeys(f.Type)...)
		}
	}
	return out
}

// check validates the values and makes the pipeline's configuration of them.
func (s *settings) check(a *App, path string) error {
	f, c := &s.file, &s.pipeline
	bad := func(format string, args ...any) error {
		return &usageError{path + ": " + fmt.Sprintf(format, args...), ""}
	}
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
	c.Collect = collect.Config{HomeFolder: home, PM2Files: f.Systems.PM2.Files, ScriptsIn: f.Systems.Scripts.Include,
		ScriptsOut: f.Systems.Scripts.Exclude, Crontabs: f.Systems.Scripts.Crontabs}
	for _, h := range f.Systems.PM2.Homes {
		if rest, ok := strings.CutPrefix(h, "~"); ok && home != "" && (rest == "" || rest[0] == '/') {
			h = home + rest
		}
		if !filepath.IsAbs(h) {
			return bad("systems.pm2.homes: %q is not an absolute path", h)
		}
		c.Collect.PM2Homes = append(c.Collect.PM2Homes, filepath.Clean(h))
	}
	for _, list := range [][]string{f.Systems.PM2.Files, f.Systems.Scripts.Crontabs} {
		for _, p := range list {
			if !filepath.IsLocal(p) {
				return bad("%q leaves the audited folder", p)
			}
		}
	}
	for _, list := range [][]string{f.Systems.Scripts.Include, f.Systems.Scripts.Exclude} {
		for _, g := range list {
			if !doublestar.ValidatePattern(g) {
				return bad("%q is not a glob", g)
			}
		}
	}
	for g, word := range f.Criticality {
		if !doublestar.ValidatePattern(g) {
			return bad("criticality: %q is not a glob", g)
		}
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
	return s.checkChecks(bad)
}

func (s *settings) checkChecks(bad func(string, ...any) error) error {
	f, c := &s.file, &s.pipeline
	known := func(id string) error {
		for _, k := range check.All() {
			if k.ID == id {
				return nil
			}
		}
		near := nearestName(id, checkIDs())
		if near != "" {
			near = ", did you mean " + near + "?"
		}
		return bad("there is no check %q%s", id, near)
	}
	for _, id := range f.Checks.Off {
		if err := known(id); err != nil {
			return err
		}
	}
	c.ChecksOff = f.Checks.Off
	for id, word := range f.Checks.Severity {
		if err := known(id); err != nil {
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
		if err := known(id); err != nil {
			return err
		}
		for _, k := range check.All() {
			if k.ID == id && !slices.ContainsFunc(k.Limits, func(l audit.Limit) bool { return l.Name == limit }) {
				return bad("check %s has no limit %q", id, limit)
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

func checkIDs() (out []string) {
	for _, c := range check.All() {
		out = append(out, c.ID)
	}
	return out
}

// nearestName returns the only candidate that begins with s, else the one that
// is at most a third of the letters away.
func nearestName(s string, names []string) string {
	begin := slices.DeleteFunc(slices.Clone(names), func(n string) bool { return s == "" || !strings.HasPrefix(n, s) })
	if len(begin) == 1 {
		return begin[0]
	}
	best, dist := "", len(s)/3+2
	for _, n := range names {
		if d := distance(s, n); d < dist {
			best, dist = n, d
		}
	}
	return best
}

// distance is the Levenshtein distance in bytes.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diag := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diag
			if a[i] != b[j] {
				cost++
			}
			diag = row[j+1]
			row[j+1] = min(cost, row[j+1]+1, row[j]+1)
		}
	}
	return row[len(b)]
}
