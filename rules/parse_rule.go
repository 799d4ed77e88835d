package rules

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/bmatcuk/doublestar/v4"
	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"

	"healthaudit/audit/condition"
	"healthaudit/snapshot"
)

func (r *reader) rule(at string, d *ruleDoc, def *defaultsDoc) (*Rule, error) {
	rule := &Rule{ID: d.ID, Why: d.Why, Items: d.Match.Items, Except: d.Match.Except, Priority: d.Priority, Mutex: d.Mutex, Depends: d.DependsOn}
	rule.Line, rule.Text = r.text(at)
	if !isID(d.ID) {
		return nil, r.fail(at+".id", fmt.Sprintf("the id of a rule is lower-case letters, digits and hyphens, not %q", d.ID), "")
	}
	sys, err := snapshot.ParseSystem(d.System)
	if err != nil {
		return nil, r.fail(at+".system", err.Error(), "")
	}
	rule.System = sys
	for part, globs := range map[string][]string{"items": d.Match.Items, "except": d.Match.Except} {
		for i, g := range globs {
			if !doublestar.ValidatePattern(g) {
				return nil, r.fail(fmt.Sprintf("%s.match.%s[%d]", at, part, i), fmt.Sprintf("%q is not a glob", g), "")
			}
		}
	}
	if strings.TrimSpace(d.When) == "" {
		return nil, r.fail(at, "the rule "+d.ID+" has no condition", "give it a when, such as when: 'finding(\"pm2-errored\")'")
	}
	if rule.When, err = condition.Compile(d.When, r.v.Vocabulary); err != nil {
		return nil, r.condition(at, "when", d.When, err)
	}
	if err := r.timing(at, rule, d, def); err != nil {
		return nil, err
	}
	if err := r.verify(at, rule, def.Verify, d.Verify); err != nil {
		return nil, err
	}
	switch d.Approval {
	case "":
	case "required":
		rule.Approval = true
	default:
		return nil, r.fail(at+".approval", fmt.Sprintf("approval is %q, want required or nothing", d.Approval), "")
	}
	return rule, r.action(at, rule, d.Action)
}

// condition is the error of a condition, with a caret below its place.
func (r *reader) condition(at, key, text string, err error) error {
	at += "." + key
	var c *condition.Error
	if !errors.As(err, &c) {
		return r.fail(at, err.Error(), "")
	}
	e := r.fail(at, key+": "+c.What, "").(*ParseError)
	e.Hint = c.Show(text)
	return e
}

func (r *reader) timing(at string, rule *Rule, d *ruleDoc, def *defaultsDoc) (err error) {
	rule.For = For{2, 2}
	for _, f := range []struct {
		at  string
		doc forDoc
	}{{"$.defaults.for", def.For}, {at + ".for", d.For}} {
		if !f.doc.set {
			continue
		}
		if f.doc.Times < 1 || f.doc.Within < f.doc.Times || f.doc.Within > maxWithin {
			return r.fail(f.at, fmt.Sprintf("for wants 1 to %d runs, and no more times than within", maxWithin), "")
		}
		rule.For = For{f.doc.Times, f.doc.Within}
	}
	spans := func(key string, into *time.Duration, fallback time.Duration, docs ...span) {
		*into = fallback
		for i, s := range docs {
			if s == "" || err != nil {
				continue
			}
			place := at + "." + key
			if i == 0 && len(docs) == 2 {
				place = "$.defaults." + key
			}
			var e error
			if *into, e = s.parse(); e != nil {
				err = r.fail(place, key+": "+e.Error(), "")
			}
		}
	}
	spans("cooldown", &rule.Cooldown, 30*time.Minute, def.Cooldown, d.Cooldown)
	spans("backoff.max", &rule.Backoff.Max, 6*time.Hour, def.Backoff.Max, d.Backoff.Max)
	spans("reset_after", &rule.Reset, 2*rule.Cooldown, d.ResetAfter)
	spans("on_exhausted.disable_for", &rule.Disable, 24*time.Hour, d.OnExhausted.DisableFor)
	if err != nil {
		return err
	}
	rule.Backoff.Factor = 2
	for _, f := range []struct {
		at string
		v  float64
	}{{"$.defaults.backoff.factor", def.Backoff.Factor}, {at + ".backoff.factor", d.Backoff.Factor}} {
		if f.v == 0 {
			continue
		}
		if !(f.v >= 1) || math.IsInf(f.v, 0) || f.v > 100 {
			return r.fail(f.at, "the factor of a backoff is a number from 1 to 100", "")
		}
		rule.Backoff.Factor = f.v
	}
	rule.Attempts = 3
	for _, f := range []struct {
		at string
		n  *int
	}{{"$.defaults.max_attempts", def.MaxAttempts}, {at + ".max_attempts", d.MaxAttempts}} {
		if f.n == nil {
			continue
		}
		if *f.n < 1 || *f.n > 100 {
			return r.fail(f.at, fmt.Sprintf("max_attempts is %d, want 1 to 100", *f.n), "")
		}
		rule.Attempts = *f.n
	}
	return r.window(at+".window", rule, d.Window)
}

func (r *reader) window(at string, rule *Rule, d *windowDoc) error {
	if d == nil {
		return nil
	}
	w := &Window{Zone: time.UTC}
	for _, f := range []struct {
		key, text string
		into      *int
	}{{"start", d.Start, &w.Start}, {"end", d.End, &w.End}} {
		t, err := time.Parse("15:04", f.text)
		if err != nil {
			return r.fail(at+"."+f.key, fmt.Sprintf("%s of a window is %q, want a time such as \"01:00\"", f.key, f.text), "write it in quotes")
		}
		*f.into = t.Hour()*60 + t.Minute()
	}
	if d.Timezone != "" {
		z, err := time.LoadLocation(d.Timezone)
		if err != nil || d.Timezone == "Local" {
			return r.fail(at+".timezone", fmt.Sprintf("%q is no time zone such as Europe/Berlin", d.Timezone), "")
		}
		w.Zone = z
	}
	rule.Window = w
	return nil
}

// text returns the line of a rule and its text.
func (r *reader) text(at string) (int, string) {
	path, err := yaml.PathString(at)
	if err != nil {
		return 0, ""
	}
	node, err := path.FilterFile(r.tree)
	if err != nil || node == nil {
		return 0, ""
	}
	line := node.GetToken().Position.Line
	if m, ok := node.(*ast.MappingNode); ok && len(m.Values) > 0 {
		line = m.Values[0].GetToken().Position.Line
		if key := m.Values[0].Key.GetToken(); key != nil {
			line = key.Position.Line
		}
	}
	return line, indented(node.String())
}

// indented writes a rule as it stands below rules: in a file, for copying.
func indented(text string) string {
	var b strings.Builder
	margin := -1
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, " \n")
		words := strings.TrimLeft(line, " ")
		if words == "" {
			continue
		}
		if margin < 0 {
			margin = len(line) - len(words)
			b.WriteString("  - " + words + "\n")
			continue
		}
		b.WriteString("    " + line[min(margin, len(line)-len(words)):] + "\n")
	}
	return b.String()
}

func isID(s string) bool {
	if s == "" || len(s) > 64 || s[0] == '-' {
		return false
	}
	return strings.IndexFunc(s, func(r rune) bool { return r != '-' && (r < 'a' || r > 'z') && (r < '0' || r > '9') }) < 0
}
