package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"healthaudit/audit/check"
	"healthaudit/audit/condition"
	"healthaudit/audit/pipeline"
	"healthaudit/report"
	"healthaudit/rules"
	"healthaudit/rules/action"
	"healthaudit/snapshot/collect/all"
	"healthaudit/snapshot/store"
)

// defaultRules is where the rules of recovery stand, in the root.
const defaultRules = "audit.rules.yaml"

// ruleWords is what conditions may name.
func ruleWords(checks []string) rules.Vocabulary {
	return rules.Vocabulary{Vocabulary: condition.Vocabulary{Checks: checks, Metrics: metrics(), Nearest: nearestName}, Actions: action.All()}
}

// metrics are the names of all metrics that items may have.
func metrics() (names []string) {
	for _, c := range all.Collectors {
		names = append(names, c.Metrics...)
	}
	return names
}

// builtin are the rules that audit brings along.
func builtin() *rules.Set {
	set, err := rules.Parse("", rules.Builtin, ruleWords(idsOf(check.All())))
	if err != nil {
		panic(err) // a test parses them
	}
	return set
}

type ruleListCmd struct {
	listing
}

func (c *ruleListCmd) Run(a *App) error {
	s, err := a.settings()
	if err != nil {
		return err
	}
	set, err := s.rules(a)
	if err != nil {
		return err
	}
	rows := []report.RuleRow{}
	if set != nil {
		for _, r := range set.Rules {
			rows = append(rows, ruleRow(r, true))
		}
	}
	for _, r := range builtin().Rules {
		if set.Rule(r.ID) == nil {
			rows = append(rows, ruleRow(r, false))
		}
	}
	return show(a, c.listing, exitOK, rows, report.Rules)
}

func ruleRow(r *rules.Rule, on bool) report.RuleRow {
	return report.RuleRow{ID: r.ID, System: string(r.System), Action: r.Action.ID, On: on, Line: r.Line, When: r.When.Text, For: r.For.String(), Why: r.Why}
}

type ruleExplainCmd struct {
	listing
	ID string `arg:"" help:"The rule, as audit rule list names it."`
}

func (c *ruleExplainCmd) Run(a *App) error {
	s, err := a.settings()
	if err != nil {
		return err
	}
	set, err := s.rules(a)
	if err != nil {
		return err
	}
	on, file := true, defaultRules
	if set != nil {
		file = set.Path
	}
	r := set.Rule(c.ID)
	if r == nil {
		r, on = builtin().Rule(c.ID), false
	}
	if r == nil {
		return noRule(c.ID, set)
	}
	settings := []report.RuleSetting{}
	for _, p := range r.Action.Params {
		settings = append(settings, report.RuleSetting{Name: p.Name, Value: r.Params[p.Name], Doc: p.Doc})
	}
	return show(a, c.listing, exitOK, report.RuleDoc{RuleRow: ruleRow(r, on), Settings: settings, Cooldown: span(r.Cooldown), MaxAttempts: r.Attempts, Verify: r.Verified(),
		Does: r.Action.Title + ". " + r.Action.Doc, Text: r.Text, File: file}, report.RuleExplain)
}

// span writes a duration as a file of rules does: 30m, not 30m0s.
func span(d time.Duration) string {
	s := d.String()
	for _, zero := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(s, zero) {
			s = s[:len(s)-2]
		}
	}
	return s
}

// noRule is the error of a rule that is not there.
func noRule(id string, set *rules.Set) error {
	var ids []string
	for _, of := range []*rules.Set{set, builtin()} {
		if of != nil {
			for _, r := range of.Rules {
				ids = append(ids, r.ID)
			}
		}
	}
	slices.Sort(ids)
	hint := "audit rule list names them"
	if near := nearestName(id, slices.Compact(ids)); near != "" {
		hint = "did you mean " + near + "?"
	}
	return &usageError{fmt.Sprintf("there is no rule %q", id), hint}
}

type ruleTestCmd struct {
	listing
	Rule    string `arg:"" optional:"" help:"Test this rule only (default: all of the file); one that audit brings along may be named, too."`
	Last    int    `help:"How many of the newest snapshots to go over." default:"100" placeholder:"N"`
	Builtin bool   `help:"Test the rules that audit brings along instead of those of the file."`
}

func (c *ruleTestCmd) Run(a *App) error {
	if c.Last < 1 {
		return &usageError{"--last wants a number from 1 on", ""}
	}
	return a.reading(func(s *settings, tx *store.Tx) error {
		set, err := s.rules(a)
		if err != nil {
			return err
		}
		if c.Builtin || set == nil && c.Rule == "" || c.Rule != "" && set.Rule(c.Rule) == nil {
			set = builtin()
		}
		if c.Rule != "" {
			r := set.Rule(c.Rule)
			if r == nil {
				return noRule(c.Rule, set)
			}
			one := *set
			one.Rules = []*rules.Rule{r}
			set = &one
		}
		t, err := pipeline.TestRules(a.ctx, tx, set, c.Last, all.Collectors, s.checks())
		if err != nil {
			return err
		}
		return show(a, c.listing, exitOK, t, report.RuleTested)
	})
}
