package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"healthaudit/rules"
)

// rules reads the rules of recovery; nil where there are none. It never follows
// a link below the root, and reads nothing outside of it that a file of the
// project names: errors quote what they read. Rules outside of the project may
// have programs run, and so may any with --trust-config.
func (s *settings) rules(a *App) (*rules.Set, error) {
	name := s.file.Recovery.Rules
	dir, path := s.root, defaultRules
	if name != "" {
		path = filepath.FromSlash(name)
	}
	away := filepath.IsAbs(path)
	if away && !a.Trust && !s.ours(a) {
		return nil, &usageError{"recovery.rules: " + name + " lies outside of " + s.root + ", and this configuration is a part of the project",
			"name a file below the root, or give the configuration from outside of the project: --config FILE --root DIR"}
	}
	if away {
		dir, path = filepath.Split(path)
	}
	src, err := readRules(dir, path, name)
	if err != nil || src == nil {
		return nil, err
	}
	shown := filepath.ToSlash(path)
	if away {
		shown = name
	}
	set, err := rules.Parse(shown, src, ruleWords(s.checkIDs()))
	var bad *rules.ParseError
	if errors.As(err, &bad) {
		return nil, &usageError{bad.Error(), bad.Hint}
	}
	if err == nil && (a.Trust || away && s.outside(name)) {
		set.Trust()
	}
	return set, err
}

// readRules reads a file of rules in a folder; nil when there is none and none
// was named.
func readRules(dir, path, name string) ([]byte, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, &usageError{"read the rules of recovery: " + err.Error(), ""}
	}
	defer root.Close()
	st, err := root.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && name == "":
		return nil, nil
	case errors.Is(err, fs.ErrNotExist):
		return nil, &usageError{fmt.Sprintf("recovery.rules: there is no file %s in %s", path, dir), ""}
	case err != nil:
		return nil, &usageError{"read the rules of recovery: " + err.Error(), ""}
	case !st.Mode().IsRegular() || st.Size() > rules.MaxFile:
		return nil, &usageError{fmt.Sprintf("%s: not a regular file of at most %d KiB", path, rules.MaxFile>>10), "a symbolic link is not followed"}
	}
	src, err := root.ReadFile(path)
	if err != nil {
		return nil, &usageError{"read the rules of recovery: " + err.Error(), ""}
	}
	return src, nil
}
