package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"healthaudit/snapshot/collect/plugin"
	"healthaudit/snapshot/host"
)

// trusted refuses a configuration that would have programs run and that may itself
// be a part of the project: a pull request must not run code. It also refuses
// programs that are a part of it, whoever names them.
func (s *settings) trusted(a *App) error {
	wish := s.wish()
	if wish == "" || a.Trust {
		return nil
	}
	if !s.ours(a) {
		said := s.complain(s.config)("%s, and whoever may change this configuration could run code here", wish).Error()
		return &usageError{said, "if every change of this project may run on this machine: --trust-config\nelse take the key out, or put it into a file outside of the project: --config FILE --root DIR"}
	}
	for _, p := range s.programs() {
		if path, in := s.within(p); in {
			return &usageError{fmt.Sprintf("%s: it starts %s, which is a part of the project: whoever may change that could run code here", s.config, path),
				"if every change of this project may run on this machine: --trust-config\nelse keep the program outside of the project"}
		}
	}
	return nil
}

// wish says what a configuration has run, if anything.
func (s *settings) wish() string {
	c := &s.pipeline
	switch {
	case c.Collect.PM2Node:
		return "systems.pm2.node runs ecosystem files in real Node"
	case len(c.Plugins.Collectors) > 0:
		return "plugins.collectors starts programs"
	case len(c.Plugins.Checks) > 0:
		return "plugins.checks starts programs"
	case len(c.Hooks.Before)+len(c.Hooks.After)+len(c.Hooks.OnRegression) > 0:
		return "hooks starts programs"
	case c.Hooks.Ping != "":
		return "hooks.ping sends to an address"
	}
	return ""
}

// ours reports whether the configuration is no part of the project. One that
// chooses its own root may lie outside of that and inside the project, and so may
// one in another folder of the repository that the root is a part of.
func (s *settings) ours(a *App) bool { return a.Config != "" && !s.moved && s.outside(s.config) }

// outside reports whether a file lies outside of the repository of the root, by
// its name and by what links make of it.
func (s *settings) outside(file string) bool {
	for _, resolve := range []func(string) (string, error){filepath.Abs, filepath.EvalSymlinks} {
		root, err1 := resolve(s.root)
		root = host.Repository(root)
		at, err2 := resolve(file)
		if err2 == nil {
			at, err2 = filepath.Abs(at)
		}
		rel, err3 := filepath.Rel(root, at)
		if err1 != nil || err2 != nil || err3 != nil || filepath.IsLocal(rel) {
			return false
		}
	}
	return true
}

func (s *settings) programs() (out []plugin.Program) {
	c := &s.pipeline
	for _, p := range slices.Concat(c.Plugins.Collectors, c.Plugins.Checks) {
		out = append(out, p.Program)
	}
	for _, h := range slices.Concat(c.Hooks.Before, c.Hooks.After, c.Hooks.OnRegression) {
		out = append(out, h.Program)
	}
	return out
}

// interpreters run the file that they are given first.
var interpreters = []string{"sh", "bash", "dash", "zsh", "ksh", "env", "node", "nodejs", "deno", "bun", "python", "python3", "perl", "ruby", "php", "lua"}

// within returns the part of a command that is code of the project: the program,
// or the file that it interprets.
func (s *settings) within(p plugin.Program) (string, bool) {
	name := p.Command[0]
	if strings.ContainsRune(name, filepath.Separator) && isFile(name) && !s.outside(name) {
		return name, true
	}
	if !slices.Contains(interpreters, filepath.Base(name)) {
		return "", false
	}
	for _, arg := range p.Command[1:] {
		if strings.HasPrefix(arg, "-") || slices.Contains(interpreters, filepath.Base(arg)) {
			continue
		}
		path := arg
		if !filepath.IsAbs(path) {
			path = filepath.Join(s.root, path) // programs are started in the root
		}
		return arg, isFile(path) && !s.outside(path)
	}
	return "", false
}

func isFile(path string) bool {
	st, err := os.Stat(path)
	return err == nil && st.Mode().IsRegular()
}
