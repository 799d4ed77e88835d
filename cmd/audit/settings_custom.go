package main

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"healthaudit/audit"
	"healthaudit/audit/check"
	"healthaudit/audit/check/custom"
	"healthaudit/audit/condition"
)

// maxCustom bounds the checks that are conditions: each is tried on every item.
const maxCustom = 100

type fileCustom struct {
	ID     string `yaml:"id"`
	System string `yaml:"system"`
	Match  struct {
		Items  []string `yaml:"items"`
		Except []string `yaml:"except"`
	} `yaml:"match"`
	When     string `yaml:"when"`
	Severity string `yaml:"severity"`
	Message  string `yaml:"message"`
	Hint     string `yaml:"hint"`
}

// customChecks makes checks of conditions.
func (s *settings) customChecks(at func(string, ...any) listEntry) error {
	list := s.file.Checks.Custom
	if len(list) == 0 {
		return nil
	}
	if len(list) > maxCustom {
		return at("checks").bad("custom", "has more than %d checks", maxCustom)
	}
	words := s.words()
	for i, c := range list {
		e := at("checks.custom[%d]", i)
		made := custom.Condition{ID: strings.TrimPrefix(c.ID, custom.Prefix), Items: c.Match.Items, Except: c.Match.Except, Message: custom.Message(c.Message), Hint: c.Hint, At: e.location()}
		var err error
		switch {
		case c.ID == "":
			return e.bad("id", "is missing: with %s in front of it, it is the name of the check", custom.Prefix)
		case !kebab().MatchString(made.ID):
			return e.bad("id", "is %q, want small letters, digits and single hyphens, such as too-many-restarts", c.ID)
		case c.System == "":
			return e.bad("system", "is missing: whose items it is about, pm2, workflows, functions or scripts")
		case strings.TrimSpace(c.When) == "":
			return e.bad("when", "is missing: the condition under which an item is a finding")
		case strings.TrimSpace(c.Message) == "":
			return e.bad("message", `is missing: the sentence of the finding, such as "{name} is older than a day"`)
		case made.Message.Problem() != "":
			return e.bad("message", "%s", made.Message.Problem())
		}
		if made.System, err = e.system(c.System, ""); err != nil {
			return err
		}
		if made.Severity, err = e.severity(c.Severity); err != nil {
			return err
		}
		globs := 0
		for key, list := range map[string][]string{"items": made.Items, "except": made.Except} {
			for _, g := range list {
				if err := e.glob("match."+key, g, &globs); err != nil {
					return err
				}
			}
		}
		if made.When, err = condition.Compile(c.When, words); err != nil {
			return e.condition(c.When, err)
		}
		if err := s.add(e, made.Check()); err != nil {
			return err
		}
	}
	return nil
}

// words is what the conditions of checks may name: what is known before anything
// is judged, and the checks that run before them.
func (s *settings) words() condition.Vocabulary {
	v := condition.Vocabulary{Metrics: metrics(), Off: s.file.Checks.Off, Early: true, Nearest: nearestName}
	for _, k := range slices.Concat(check.All(), s.extra) {
		if !k.Last {
			v.Checks = append(v.Checks, k.ID)
		}
	}
	for _, p := range s.pipeline.Plugins.Collectors {
		v.Metrics = append(v.Metrics, p.Metrics...)
	}
	return v
}

// condition complains about a condition, with a caret below its place.
func (e listEntry) condition(text string, err error) error {
	var c *condition.Error
	if !errors.As(err, &c) {
		return e.bad("when", "%v", err)
	}
	bad := e.bad("when", "cannot be read: %s", c.What).(*usageError)
	bad.hint = c.Show(strings.TrimSpace(text))
	return bad
}

// checks returns every check that there is for a configuration.
func (s *settings) checks() []*audit.Check { return slices.Concat(check.All(), s.extra) }

func (s *settings) checkIDs() []string { return idsOf(s.checks()) }

func idsOf(checks []*audit.Check) (out []string) {
	for _, c := range checks {
		out = append(out, c.ID)
	}
	return out
}

// catalogue returns every check, those of a configuration included where there is
// one: the checks of audit itself are listed anywhere.
func (a *App) catalogue() ([]*audit.Check, error) {
	if a.Config == "" && (a.Root == "" || isFolder(a.Root) == nil) {
		if _, err := os.Lstat(filepath.Join(cmp.Or(a.Root, nearest()), "audit.yaml")); errors.Is(err, fs.ErrNotExist) {
			return check.All(), nil
		}
	}
	s, err := a.settings()
	if err != nil {
		return nil, err
	}
	return s.checks(), nil
}
