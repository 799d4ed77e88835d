// Package custom makes checks of what audit.yaml says: of conditions, and of
// what plugins find. The checks are values like all others: listed, explained,
// tracked and waived the same way.
package custom

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"healthaudit/audit"
	"healthaudit/audit/condition"
	"healthaudit/snapshot"
)

// Prefix begins the ids of checks that are conditions: no check of audit ever
// takes such a name.
const Prefix = "custom-"

// A Condition is a check that audit.yaml defines: on which items, and when it is
// a finding.
type Condition struct {
	ID       string // without Prefix
	System   snapshot.System
	Items    []string // globs over keys; empty is all of the system
	Except   []string // globs over keys that it leaves alone
	When     condition.Cond
	Severity audit.Severity
	Message  Message
	Hint     string
	At       audit.Location // where it is defined
}

// Check makes the check.
func (c *Condition) Check() *audit.Check {
	title := strings.ReplaceAll(c.ID, "-", " ")
	return &audit.Check{
		ID: Prefix + c.ID, System: c.System, Title: title, Severity: c.Severity, Later: true,
		Version: version(c.When.Text, strings.Join(c.Items, "\x00"), strings.Join(c.Except, "\x00")),
		Doc: fmt.Sprintf("A check of the configuration (%s:%d): it finds each item of the %s%s for which this holds:\n\n%s\n\n"+
			"Where that cannot be told of an item, what was open stays; where it can be told of none at all, that is a finding of its own.",
			c.At.Path, c.At.Line, c.System, c.among(), c.When.Text),
		Hint:          cmp.Or(c.Hint, fmt.Sprintf("Mend it, or change the condition: %s:%d.", c.At.Path, c.At.Line)),
		Discriminator: "none: there is one per item", Source: "checks.custom of audit.yaml",
		Judge: c.judge,
	}
}

// among says which items it is about.
func (c *Condition) among() string {
	var b strings.Builder
	if len(c.Items) > 0 {
		b.WriteString(" that match " + strings.Join(c.Items, " or "))
	}
	if len(c.Except) > 0 {
		b.WriteString(", but not " + strings.Join(c.Except, " or "))
	}
	return b.String()
}

// Covers reports whether the check is about an item.
func (c *Condition) Covers(key snapshot.Key) bool {
	return (len(c.Items) == 0 || matches(c.Items, key)) && !matches(c.Except, key)
}

func matches(globs []string, key snapshot.Key) bool {
	for _, g := range globs {
		if ok, _ := doublestar.Match(g, string(key)); ok || g == string(key) {
			return true
		}
	}
	return false
}

func (c *Condition) judge(p *audit.Pass) {
	change := p.Since.Teller(p.Changes)
	j := condition.NewJudge()
	asked, untold, why := 0, 0, ""
	for _, it := range p.Items() {
		if it.Unknown != "" || !c.Covers(it.Key) {
			continue
		}
		asked++
		sub := &condition.Subject{Item: it, Change: change(it), Ask: func(check string) (bool, bool) { return p.Found(check, it.Key) }}
		j.About(sub)
		holds, err := j.Eval(c.When)
		switch {
		case err != nil:
			p.Doubt(it.Key, "")
			if untold++; untold == 1 {
				why = err.Error()
			}
		case holds:
			p.Report(c.report(it))
		}
	}
	if asked > 0 && asked == untold && !p.Since.Lost { // that nothing is known of before is told once for all
		p.Report(audit.Report{Item: snapshot.Pseudo(snapshot.Auditor), Title: "condition cannot be told", Severity: audit.Low, At: c.At,
			Message: fmt.Sprintf("The condition of %s could be told of none of its %s: %s", Prefix+c.ID, things(asked), why),
			Hint:    "audit report --items --format json shows which facts and metrics an item has. Of a fact that not every item has, say what counts instead: fact(\"name\", \"\")."})
	}
}

func things(n int) string {
	if n == 1 {
		return "one item"
	}
	return fmt.Sprintf("%d items", n)
}

// report is the finding on one item; its evidence is what the condition asked for.
func (c *Condition) report(it *snapshot.Item) audit.Report {
	r := audit.Report{Item: it.Key, At: place(it, c.At), Message: c.Message.of(it)}
	for _, name := range c.When.Metrics {
		if m, ok := it.Metric(name); ok {
			r.Evidence = append(r.Evidence, audit.Evidence{Name: name, Value: snapshot.Number(m.Value).Str()})
		}
	}
	for _, name := range c.When.Facts {
		for _, f := range it.Facts.All() {
			if f.Name == name && f.Class != snapshot.Secret {
				r.Evidence = append(r.Evidence, audit.Evidence{Name: name, Value: f.Value.Str()})
			}
		}
	}
	return r
}

// place is where a person looks for an item, else where the check is defined.
func place(it *snapshot.Item, otherwise audit.Location) audit.Location {
	if it == nil || it.Path == "" {
		return otherwise
	}
	return audit.Location{Path: it.Path, Line: it.Line}
}

// version is that of a check: another one for other texts.
func version(texts ...string) int {
	n := uint32(2166136261) // FNV-1a: http://www.isthe.com/chongo/tech/comp/fnv/
	for _, t := range texts {
		for _, b := range []byte(t + "\x00") {
			n = (n ^ uint32(b)) * 16777619
		}
	}
	return int(n%999_999) + 2
}
