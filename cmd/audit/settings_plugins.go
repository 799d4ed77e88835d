package main

import (
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml/parser"

	"healthaudit/audit"
	"healthaudit/audit/check/custom"
	"healthaudit/audit/pipeline"
	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/lazyregexp"
	"healthaudit/snapshot/collect/plugin"
)

// Bounds of what a configuration may have started.
const (
	maxPlugins = 50
	maxHooks   = 20
	maxArgs    = 64
)

// A fileProgram is what an entry says of a program.
type fileProgram struct {
	command []string
	timeout string
	env     []string
}

type fileCollector struct {
	Name    string   `yaml:"name"`
	System  string   `yaml:"system"`
	Command []string `yaml:"command"`
	Timeout string   `yaml:"timeout"`
	Env     []string `yaml:"env"`
	Metrics []string `yaml:"metrics"`
}

type fileChecker struct {
	Name    string     `yaml:"name"`
	System  string     `yaml:"system"`
	Command []string   `yaml:"command"`
	Timeout string     `yaml:"timeout"`
	Env     []string   `yaml:"env"`
	Match   []string   `yaml:"match"`
	Finds   []fileFind `yaml:"finds"`
}

type fileFind struct {
	ID       string `yaml:"id"`
	Title    string `yaml:"title"`
	Severity string `yaml:"severity"`
	Doc      string `yaml:"doc"`
	Hint     string `yaml:"hint"`
}

type fileHook struct {
	Command []string `yaml:"command"`
	Timeout string   `yaml:"timeout"`
	Env     []string `yaml:"env"`
}

var (
	kebab    = lazyregexp.New(`^[a-z][a-z0-9]{0,39}(?:-[a-z0-9]{1,40}){0,9}$`)
	variable = lazyregexp.New(`^[A-Za-z_][A-Za-z0-9_]{0,99}$`)
)

// checkPlugins makes plugins, hooks and checks of the configuration.
func (s *settings) checkPlugins(path string) error {
	f := &s.file
	if len(f.Plugins.Collectors)+len(f.Plugins.Checks)+len(f.Checks.Custom)+len(f.Hooks.Before)+len(f.Hooks.After)+len(f.Hooks.OnRegression) == 0 && f.Hooks.Ping == "" {
		return nil
	}
	tree, err := parser.ParseBytes(s.source, 0)
	if err != nil {
		return &usageError{path + ": " + err.Error(), ""}
	}
	at := func(format string, args ...any) listEntry {
		return listEntry{s, path, tree, "$." + fmt.Sprintf(format, args...)}
	}
	if len(f.Plugins.Collectors)+len(f.Plugins.Checks) > maxPlugins {
		return at("plugins").bad("", "has more than %d programs", maxPlugins)
	}
	names := map[string]bool{}
	for i := range f.Plugins.Collectors {
		if err := s.collector(at("plugins.collectors[%d]", i), &f.Plugins.Collectors[i], names); err != nil {
			return err
		}
	}
	clear(names)
	for i := range f.Plugins.Checks {
		if err := s.checker(at, i, names); err != nil {
			return err
		}
	}
	if err := s.hooks(at); err != nil {
		return err
	}
	return s.customChecks(at)
}

func (s *settings) collector(e listEntry, c *fileCollector, names map[string]bool) error {
	p := pipeline.Plugin{Plugin: plugin.Plugin{Name: c.Name, Metrics: c.Metrics}, At: e.location()}
	if err := e.named(c.Name, names); err != nil {
		return err
	}
	var err error
	if p.System, err = e.system(c.System, snapshot.Scripts); err != nil {
		return err
	}
	if p.Program, err = s.program(e, fileProgram{c.Command, c.Timeout, c.Env}); err != nil {
		return err
	}
	for _, m := range c.Metrics {
		if !plugin.FactName().MatchString(m) {
			return e.bad("metrics", "holds %q, which is no name such as age_hours", m)
		}
	}
	s.pipeline.Plugins.Collectors = append(s.pipeline.Plugins.Collectors, p)
	return nil
}

func (s *settings) checker(at func(string, ...any) listEntry, i int, names map[string]bool) error {
	c, e := &s.file.Plugins.Checks[i], at("plugins.checks[%d]", i)
	p := pipeline.Plugin{Plugin: plugin.Plugin{Name: c.Name, Match: c.Match}, At: e.location()}
	if err := e.named(c.Name, names); err != nil {
		return err
	}
	var err error
	if p.System, err = e.system(c.System, ""); err != nil {
		return err
	}
	if p.Program, err = s.program(e, fileProgram{c.Command, c.Timeout, c.Env}); err != nil {
		return err
	}
	globs := 0
	for _, g := range c.Match {
		if err := e.glob("match", g, &globs); err != nil {
			return err
		}
	}
	if len(c.Finds) == 0 {
		return e.bad("finds", "is missing: what the plugin may find, such as finds: [{id: missing, severity: medium}]")
	}
	if len(c.Finds) > maxPlugins {
		return e.bad("finds", "has more than %d entries", maxPlugins)
	}
	for j, f := range c.Finds {
		fe := at("plugins.checks[%d].finds[%d]", i, j)
		if !kebab().MatchString(f.ID) {
			return fe.bad("id", "is %q, want small letters, digits and single hyphens, such as too-old", f.ID)
		}
		sev, err := fe.severity(f.Severity)
		if err != nil {
			return err
		}
		made := custom.Find{Plugin: c.Name, ID: f.ID, System: p.System, Title: f.Title, Severity: sev, Doc: f.Doc, Hint: f.Hint, At: fe.location()}
		if err := s.add(fe, made.Check()); err != nil {
			return err
		}
		p.Finds = append(p.Finds, f.ID)
	}
	s.pipeline.Plugins.Checks = append(s.pipeline.Plugins.Checks, p)
	return nil
}

// add takes a further check.
func (s *settings) add(e listEntry, k *audit.Check) error {
	if slices.Contains(s.checkIDs(), k.ID) {
		return e.bad("id", "makes the check %s, which is there already", k.ID)
	}
	s.extra = append(s.extra, k)
	return nil
}

func (e listEntry) named(name string, seen map[string]bool) error {
	switch {
	case name == "":
		return e.bad("name", "is missing: it is a part of keys and of the names of checks")
	case !kebab().MatchString(name):
		return e.bad("name", "is %q, want small letters, digits and single hyphens, such as disk-space", name)
	case seen[name]:
		return e.bad("name", "is %s, and another plugin has that name", name)
	}
	seen[name] = true
	return nil
}

func (e listEntry) system(word string, otherwise snapshot.System) (snapshot.System, error) {
	if word == "" {
		return otherwise, nil
	}
	sys, err := snapshot.ParseSystem(word)
	if err != nil {
		near := nearestName(word, systemNames())
		if near != "" {
			near = ", did you mean " + near + "?"
		}
		return "", e.bad("system", "is %q, want pm2, workflows, functions or scripts%s", word, near)
	}
	return sys, nil
}

func (e listEntry) severity(word string) (audit.Severity, error) {
	if word == "" {
		return audit.Medium, nil
	}
	sev, err := audit.ParseSeverity(word)
	if err != nil {
		return 0, e.bad("severity", "is %q, want critical, high, medium, low or info", word)
	}
	return sev, nil
}

// program makes what is started of an entry. A part that begins with ./ or ../ is
// a path beside the configuration, whatever the working folder is.
func (s *settings) program(e listEntry, f fileProgram) (plugin.Program, error) {
	p := plugin.Program{Timeout: plugin.DefaultTimeout, Env: f.env}
	if len(f.command) == 0 || f.command[0] == "" {
		return p, e.unquoted("command", "is missing: the program and its arguments as a list, such as [./plugins/disk.sh, --all]; there is no shell")
	}
	if len(f.command) > maxArgs {
		return p, e.unquoted("command", "has more than %d parts", maxArgs)
	}
	folder, err := filepath.Abs(filepath.Dir(s.config))
	if err != nil {
		return p, err
	}
	for i, part := range f.command {
		if strings.ContainsRune(part, 0) {
			return p, e.unquoted("command", "holds a NUL, which no program can be given")
		}
		if strings.HasPrefix(part, "./") || strings.HasPrefix(part, "../") {
			if i == 0 && part[1] == '/' {
				p.Relative = folder
			}
			part = filepath.Join(folder, part)
		} else if i == 0 && strings.Contains(part, "/") && !filepath.IsAbs(part) {
			return p, e.unquoted("command", "begins with %q: write ./%s for a program beside the configuration, else a name on PATH or an absolute path", part, part)
		}
		p.Command = append(p.Command, part)
	}
	if f.timeout != "" {
		d, err := time.ParseDuration(f.timeout)
		if err != nil || d < 100*time.Millisecond || d > plugin.MaxTimeout {
			return p, e.bad("timeout", "is %q, want a duration such as 30s, at most %s", f.timeout, lasting(plugin.MaxTimeout))
		}
		p.Timeout = d
	}
	for _, n := range f.env {
		if !variable().MatchString(n) {
			return p, e.unquoted("env", "holds what is no name of an environment variable; values stand in the environment, not here")
		}
	}
	return p, nil
}

// unquoted complains without showing the place: secrets may stand there.
func (e listEntry) unquoted(key, format string, args ...any) error {
	err := e.bad(key, format, args...).(*usageError)
	err.hint = ""
	return err
}

// hooks makes what is told of runs.
func (s *settings) hooks(at func(string, ...any) listEntry) error {
	h, to := &s.file.Hooks, &s.pipeline.Hooks
	for _, list := range []struct {
		key  string
		from []fileHook
		to   *[]pipeline.Hook
	}{{"before", h.Before, &to.Before}, {"after", h.After, &to.After}, {"on_regression", h.OnRegression, &to.OnRegression}} {
		if len(list.from) > maxHooks {
			return at("hooks").bad(list.key, "has more than %d programs", maxHooks)
		}
		seen := map[string]int{}
		for i, f := range list.from {
			e := at("hooks.%s[%d]", list.key, i)
			p, err := s.program(e, fileProgram{f.Command, f.Timeout, f.Env})
			if err != nil {
				return err
			}
			name := fmt.Sprintf("%s (%s)", filepath.Base(p.Command[0]), list.key)
			if seen[name]++; seen[name] > 1 {
				name = fmt.Sprintf("%s (%s, %d)", filepath.Base(p.Command[0]), list.key, seen[name])
			}
			*list.to = append(*list.to, pipeline.Hook{Program: p, Name: name, At: e.location()})
		}
	}
	if h.Ping == "" {
		return nil
	}
	u, err := url.Parse(h.Ping)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" || u.User != nil {
		return at("hooks").unquoted("ping", "is no address such as https://host/path")
	}
	e := at("hooks")
	line, column, _ := e.place("ping")
	to.Ping, to.PingAt = h.Ping, audit.Location{Path: e.location().Path, Line: line, Column: column}
	return nil
}
