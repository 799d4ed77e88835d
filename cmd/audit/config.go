package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"

	"healthaudit/rules"
	"healthaudit/snapshot/analyze/lazyregexp"
)

// maxConfig bounds audit.yaml, in bytes.
const maxConfig = 256 << 10

// File is audit.yaml. Every key has a default; unknown and duplicate keys are errors.
type File struct {
	Version int    `yaml:"version"`
	Root    string `yaml:"root"`
	Systems struct {
		PM2 struct {
			Enabled string   `yaml:"enabled"`
			Homes   []string `yaml:"homes"`
			Files   []string `yaml:"files"`
			Node    bool     `yaml:"node"`
		} `yaml:"pm2"`
		Workflows struct {
			Enabled string `yaml:"enabled"`
		} `yaml:"workflows"`
		Functions struct {
			Enabled   string   `yaml:"enabled"`
			Manifests []string `yaml:"manifests"`
		} `yaml:"functions"`
		Scripts struct {
			Enabled  string   `yaml:"enabled"`
			Include  []string `yaml:"include"`
			Exclude  []string `yaml:"exclude"`
			Crontabs []string `yaml:"crontabs"`
		} `yaml:"scripts"`
	} `yaml:"systems"`
	Expect      []string           `yaml:"expect"`
	Criticality map[string]string  `yaml:"criticality"`
	Weights     map[string]float64 `yaml:"weights"`
	Gate        struct {
		FailOn    []string `yaml:"fail_on"`
		FailUnder *float64 `yaml:"fail_under"`
	} `yaml:"gate"`
	Store struct {
		Network bool `yaml:"network"`
	} `yaml:"store"`
	Retention struct {
		Last    *int `yaml:"last"`
		Hourly  *int `yaml:"hourly"`
		Daily   *int `yaml:"daily"`
		Weekly  *int `yaml:"weekly"`
		Monthly *int `yaml:"monthly"`
	} `yaml:"retention"`
	Checks struct {
		Off      []string           `yaml:"off"`
		Severity map[string]string  `yaml:"severity"`
		Limits   map[string]float64 `yaml:"limits"`
		Custom   []fileCustom       `yaml:"custom"`
	} `yaml:"checks"`
	Archive struct {
		Dir        string `yaml:"dir"`
		CopyTo     string `yaml:"copy_to"`
		When       string `yaml:"when"`
		Recipients string `yaml:"recipients_file"`
		Keep       struct {
			Last    *int `yaml:"last"`
			Weekly  *int `yaml:"weekly"`
			Monthly *int `yaml:"monthly"`
		} `yaml:"keep"`
		MaxBytes   string `yaml:"max_bytes"`
		DrillEvery string `yaml:"drill_every"`
	} `yaml:"archive"`
	Log struct {
		Level   string `yaml:"level"`
		Dir     string `yaml:"dir"`
		MaxSize string `yaml:"max_size"`
		Keep    *int   `yaml:"keep"`
	} `yaml:"log"`
	Waivers  []fileWaiver `yaml:"waivers"`
	Ignore   []fileIgnore `yaml:"ignore"`
	Cadence  fileCadence  `yaml:"cadence"`
	Recovery struct {
		Mode  string `yaml:"mode"`
		Rules string `yaml:"rules"`
	} `yaml:"recovery"`
	Plugins struct {
		Collectors []fileCollector `yaml:"collectors"`
		Checks     []fileChecker   `yaml:"checks"`
	} `yaml:"plugins"`
	Hooks struct {
		Before       []fileHook `yaml:"before"`
		After        []fileHook `yaml:"after"`
		OnRegression []fileHook `yaml:"on_regression"`
		Ping         string     `yaml:"ping"`
	} `yaml:"hooks"`
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
	s.config = path
	src, err := readConfig(path, a.Config != "")
	switch {
	case errors.Is(err, fs.ErrNotExist) && a.Config == "":
	case err != nil:
		return nil, &usageError{fmt.Sprintf("read configuration: %v", err), ""}
	default:
		s.source = src
		if err := parseConfig(path, src, &s.file); err != nil {
			return nil, err
		}
		s.archiveLine = lineOf(src, "archive")
		if a.Root == "" && s.file.Root != "" {
			s.root, s.moved = s.file.Root, true
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

// readConfig reads a configuration. One that nobody named lies in the audited
// project: a link there may lead to any file, and errors quote what they read.
func readConfig(path string, named bool) ([]byte, error) {
	stat := os.Lstat
	if named {
		stat = os.Stat
	}
	st, err := stat(path)
	if err != nil {
		return nil, err
	}
	if st.Mode()&fs.ModeSymlink != 0 {
		return nil, fmt.Errorf("%s is a symbolic link, which is not followed; name the file it leads to: --config FILE", path)
	}
	if !st.Mode().IsRegular() || st.Size() > maxConfig {
		return nil, fmt.Errorf("%s: not a regular file of at most 256 KiB", path)
	}
	return os.ReadFile(path)
}

var (
	unknownField = lazyregexp.New(`unknown field "([^"]+)"`)
	goType       = lazyregexp.New(` Go struct field \S+ of type \S+`)
)

// parseConfig reads audit.yaml strictly. The error has line, caret and, for an
// unknown key, the nearest one there is.
func parseConfig(path string, src []byte, into *File) error {
	if rules.Nested(src) > rules.MaxNested {
		return &usageError{path + " is nested too deeply", "no key of audit.yaml is deeper than four levels"}
	}
	dec := yaml.NewDecoder(bytes.NewReader(src), yaml.Strict())
	into.Version = 1
	err := dec.Decode(into)
	if errors.Is(err, io.EOF) || err == nil && into.Version == 0 && onlyComments(src) {
		into.Version = 1
		return nil
	}
	if err == nil && !errors.Is(dec.Decode(new(any)), io.EOF) {
		return &usageError{path + " holds a second YAML document", "write all of it into one"}
	}
	if err == nil && into.Version != 1 {
		return (&settings{source: src}).complain(path)("version is %d, want 1: this version of audit reads no other", into.Version)
	}
	if err == nil {
		return nil
	}
	what, hint, _ := strings.Cut(strings.TrimSpace(yaml.FormatError(err, false, true)), "\n")
	what = goType().ReplaceAllString(what, "")
	if m := unknownField().FindStringSubmatch(err.Error()); m != nil {
		hint += "\n" + meant(m[1])
	}
	return &usageError{path + ": " + what, hint}
}

// onlyComments reports whether a file sets nothing at all.
func onlyComments(src []byte) bool {
	for line := range bytes.Lines(src) {
		if s := bytes.TrimSpace(line); len(s) > 0 && s[0] != '#' && string(s) != "---" {
			return false
		}
	}
	return true
}

// meant says what an unknown key may have been: a key that belongs elsewhere,
// else the nearest name.
func meant(key string) string {
	at := configKeys(reflect.TypeFor[File](), "")
	names := make([]string, 0, len(at))
	for name, where := range at {
		if name == key {
			return "it belongs below " + where
		}
		names = append(names, name)
	}
	slices.Sort(names)
	if near := nearestName(key, names); near != "" {
		return "did you mean " + strconv.Quote(near) + "?"
	}
	return ""
}

// configKeys returns every key and the keys it belongs below.
func configKeys(t reflect.Type, below string) map[string]string {
	out := map[string]string{}
	for i := range t.NumField() {
		f := t.Field(i)
		name := f.Tag.Get("yaml")
		out[name] = below
		inner := f.Type
		if inner.Kind() == reflect.Slice {
			inner = inner.Elem()
		}
		if inner.Kind() == reflect.Struct {
			for k, where := range configKeys(inner, strings.TrimPrefix(below+"."+name, ".")) {
				if _, ok := out[k]; !ok {
					out[k] = where
				}
			}
		}
	}
	return out
}
