package report

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"time"
)

// A RuleRow is one line of audit rule list.
type RuleRow struct {
	ID     string `json:"id"`
	System string `json:"system"`
	Action string `json:"action"`
	On     bool   `json:"on"` // it stands in the file; otherwise audit brings it along, and it is off
	Line   int    `json:"line"`
	When   string `json:"when"`
	For    string `json:"for"`
	Why    string `json:"why"`
}

// A RuleDoc is everything there is to say of one rule.
type RuleDoc struct {
	RuleRow
	Cooldown    string        `json:"cooldown"`
	MaxAttempts int           `json:"max_attempts"`
	Verify      string        `json:"verify"`   // how it is told whether it helped
	Does        string        `json:"does"`     // what its action is
	Settings    []RuleSetting `json:"settings"` // of its action
	Text        string        `json:"text"`     // as it stands in its file
	File        string        `json:"file"`
}

// A RuleSetting is one setting of a rule's action, as it holds.
type RuleSetting struct {
	Name  string `json:"name"`
	Value string `json:"value"`
	Doc   string `json:"doc"`
}

// A RuleTest is what rules would have done over the history of a store.
type RuleTest struct {
	Rules     string          `json:"rules"` // path of the file; empty: those that audit brings along
	Snapshots int             `json:"snapshots"`
	From      *SnapshotRef    `json:"from"` // null without a snapshot
	To        *SnapshotRef    `json:"to"`
	Results   []RuleResult    `json:"results"` // in the order of the file
	Events    []RuleTestEvent `json:"events"`  // oldest first
}

// A RuleResult is the sum of one rule.
type RuleResult struct {
	Rule    string `json:"rule"`
	Matched int    `json:"matched"` // times its condition held: items times snapshots
	Acted   int    `json:"acted"`   // times it would have acted
	Unknown int    `json:"unknown"` // times nobody could tell
	Why     string `json:"why"`     // of the unknown ones, the first
}

// A RuleTestEvent is one thing that a rule would have done, or that it was
// given up.
type RuleTestEvent struct {
	Seq     uint64    `json:"seq"`
	At      time.Time `json:"at"`
	Rule    string    `json:"rule"`
	Item    string    `json:"item"`
	Event   string    `json:"event"` // act or exhausted
	Attempt int       `json:"attempt"`
}

// A RecoveryView is what audit recover shows.
type RecoveryView struct {
	Snapshot SnapshotRef `json:"snapshot"`
	Rules    string      `json:"rules"` // path of the file; empty: there is none
	Recovery Recovery    `json:"recovery"`
	Patches  []Patch     `json:"patches"` // what planned steps, and those that wait for a person, would write
}

// Rules writes what audit rule list shows.
func Rules(w io.Writer, rows []RuleRow, o Options) error {
	cols := []column{{head: "RULE", max: 26}, {head: "ON", max: 3}, {head: "ACTION", max: 19}, {head: "WHY"}}
	return stream(w, o.columns(), cols, func(add func(...string) error) error {
		for _, r := range cleaned(rows) {
			if err := add(r.ID, map[bool]string{true: "yes", false: "no"}[r.On], r.Action, cmp.Or(r.Why, r.When)); err != nil {
				return err
			}
		}
		return nil
	})
}

// RuleExplain writes one rule for a person.
func RuleExplain(w io.Writer, d RuleDoc, o Options) error {
	text := d.Text
	d = cleaned(d)
	p := newPage(o)
	p.line(0, inkBold, d.ID)
	if d.On {
		p.line(0, inkDim, fmt.Sprintf("On: %s, line %d.", d.File, d.Line))
	} else {
		p.line(0, inkDim, "Off: audit brings it along. To switch it on, copy it below rules: in "+d.File+".")
	}
	if d.Why != "" {
		p.WriteByte('\n')
		p.line(0, inkNone, d.Why)
	}
	p.title(inkBold, "When")
	p.line(2, inkNone, d.When)
	p.line(2, inkNone, fmt.Sprintf("for %s, at most %s per incident, %s and longer between them", d.For, plural(d.MaxAttempts, "attempt"), d.Cooldown))
	p.title(inkBold, "What it does")
	p.line(2, inkNone, d.Action+": "+d.Does)
	for _, x := range d.Settings {
		p.hang(2, 4, inkNone, x.Name+": "+x.Value+" ("+x.Doc+")")
	}
	p.title(inkBold, "It helped when")
	p.line(2, inkNone, d.Verify)
	p.example("As it is written", "\n\n"+text)
	_, err := w.Write(p.Bytes())
	return err
}

// RuleTested writes what audit rule test found out.
func RuleTested(w io.Writer, t RuleTest, o Options) error {
	t = cleaned(t)
	p := newPage(o)
	if t.Snapshots == 0 {
		return say(w, o, "There is no history yet: audit run makes the first snapshot.")
	}
	p.line(0, inkBold, fmt.Sprintf("%s over %s, %s to %s.", t.title(), plural(t.Snapshots, "snapshot"), stamp(t.From.At), stamp(t.To.At)))
	p.line(0, inkDim, "Had they been there then. What an action would have mended is not known: the history goes on as it did.")
	p.WriteByte('\n')
	for _, r := range t.Results {
		line := fmt.Sprintf("%s: held %s, would have acted %s", r.Rule, times(r.Matched), times(r.Acted))
		if r.Unknown > 0 {
			line += fmt.Sprintf("; %s nobody could tell (%s)", times(r.Unknown), r.Why)
		}
		p.hang(2, 4, inkNone, line+".")
	}
	if len(t.Events) > 0 {
		p.title(inkBold, "What would have happened")
	}
	for _, e := range t.Events {
		what := map[string]string{"act": fmt.Sprintf("attempt %d", e.Attempt), "exhausted": fmt.Sprintf("given up after %s", plural(e.Attempt, "attempt"))}[e.Event]
		p.hang(2, 4, inkNone, fmt.Sprintf("%s #%d: %s on %s, %s", stamp(e.At), e.Seq, e.Rule, e.Item, what))
	}
	_, err := w.Write(p.Bytes())
	return err
}

func (t RuleTest) title() string {
	if t.Rules == "" {
		return "The rules that audit brings along"
	}
	return "The rules of " + t.Rules
}

func times(n int) string {
	if n == 0 {
		return "never"
	}
	return plural(n, "time")
}

// RecoveryPlan writes what audit recover shows: a plan that a person approves,
// or what became of it.
func RecoveryPlan(w io.Writer, v RecoveryView, o Options) error {
	patches := v.Patches
	v.Patches = nil
	v = cleaned(v)
	p := newPage(o)
	if v.Rules == "" {
		p.line(0, inkNone, "There are no recovery rules. audit rule list shows those that audit brings along; copy one into audit.rules.yaml.")
		_, err := w.Write(p.Bytes())
		return err
	}
	p.line(0, inkBold, fmt.Sprintf("Recovery by %s on snapshot %s: %s.", v.Rules, v.Snapshot, v.Recovery.totals()))
	for _, s := range v.Recovery.Steps {
		p.WriteByte('\n')
		p.step(s)
	}
	p.untold(v.Recovery.Unknown)
	for _, d := range patches {
		p.patch(d)
	}
	if n := v.Recovery.Totals["planned"]; n > 0 {
		p.WriteByte('\n')
		p.line(0, inkBold, fmt.Sprintf("%s to do: audit recover apply", plural(n, "step")))
	}
	_, err := w.Write(p.Bytes())
	return err
}

// totals says in words how many steps there are of every kind.
func (r Recovery) totals() string {
	if len(r.Steps) == 0 {
		return plural(r.Rules, "rule") + ", nothing to do"
	}
	var out []string
	for _, status := range []string{"planned", "done", "failed", "rolled_back", "skipped", "pending"} {
		if n := r.Totals[status]; n > 0 {
			out = append(out, group(n)+" "+strings.ReplaceAll(status, "_", " "))
		}
	}
	return strings.Join(out, ", ")
}

var stepInks = map[string]ink{"planned": inkCyan, "done": inkGreen, "failed": inkAlarm, "rolled_back": inkRed}

// step writes one step in three lines: what, on what, and why or why not.
func (p *page) step(s Step) {
	head := fmt.Sprintf("%s: %s", strings.ReplaceAll(s.Status, "_", " "), s.Item)
	if s.Status == "planned" || s.Status == "failed" || s.Status == "rolled_back" {
		head += fmt.Sprintf(" (attempt %d of %d)", s.Attempt, max(s.MaxAttempts, s.Attempt))
	}
	p.line(0, stepInks[s.Status], head)
	p.line(2, inkNone, fmt.Sprintf("rule %s, %s", s.Rule, s.Action))
	if s.What != "" {
		p.line(2, inkNone, s.What)
	}
	if s.Reason != "" {
		p.line(2, inkNone, s.Reason)
	}
	if s.Hint != "" {
		p.line(2, inkDim, s.Hint)
	}
	if s.Status == "done" || s.Status == "planned" {
		p.line(2, inkDim, "id "+s.ID)
	}
}

// untold writes which rules did nothing because nobody knows.
func (p *page) untold(rules []UntoldRule) {
	for i, u := range rules {
		if i == 0 {
			p.WriteByte('\n')
		}
		p.hang(0, 2, inkDim, fmt.Sprintf("%s could not be told of %s, and did nothing there: %s (%s)", u.Rule, plural(u.Items, "item"), u.Why, u.Item))
	}
}
