package custom

import (
	"slices"
	"strings"
	"testing"

	"healthaudit/audit"
	"healthaudit/audit/condition"
	"healthaudit/snapshot"
)

// world is three scripts and two checks of which the first finds something on a,
// cannot look at b, and the second stops at c.
func world() ([]*audit.Check, *audit.World) {
	w := &audit.World{Since: audit.Since{First: true}, Before: snapshot.Nothing, Derived: &snapshot.Derived{}, Now: &snapshot.Snapshot{Tree: snapshot.NewTree(false, nil),
		Systems: []snapshot.SystemState{{System: snapshot.Scripts, Status: snapshot.StatusOK}}}}
	for _, name := range []string{"a", "b", "c"} {
		w.Now.Items = append(w.Now.Items, &snapshot.Item{Key: snapshot.NewKey(snapshot.Scripts, name), Name: name, Kind: "script", Path: name})
	}
	found := &audit.Check{ID: "found", System: snapshot.Scripts, Severity: audit.Low, Judge: func(p *audit.Pass) {
		p.Report(audit.Report{Item: "scripts/a", Message: "m"})
		p.DoubtAll("scripts/b")
	}}
	stops := &audit.Check{ID: "stops", System: snapshot.Scripts, Severity: audit.Low, Judge: func(p *audit.Pass) {
		for _, it := range p.Items() {
			if it.Name == "c" {
				panic("c")
			}
		}
	}}
	return []*audit.Check{found, stops}, w
}

func judged(t *testing.T, when string) (found, doubted []string) {
	t.Helper()
	c, err := condition.Compile(when, condition.Vocabulary{Checks: []string{"found", "stops"}, Early: true})
	if err != nil {
		t.Fatal(err)
	}
	checks, w := world()
	k := (&Condition{ID: "x", System: snapshot.Scripts, When: c, Severity: audit.High, Message: "{name}"}).Check()
	j := audit.Judge(append(checks, k), w)
	for _, f := range j.Findings {
		if f.Check == k.ID {
			found = append(found, string(f.Item))
		}
	}
	for _, it := range w.Now.Items {
		if j.Doubted(&audit.Record{Finding: audit.Finding{ID: audit.FindingID(snapshot.Scripts, it.Key, k.ID, ""), Check: k.ID, Item: it.Key}}) {
			doubted = append(doubted, string(it.Key))
		}
	}
	return found, doubted
}

// A condition sees what the checks before it found; where one of them could not
// look it is neither true nor false.
func TestCondition_finding(t *testing.T) {
	for when, want := range map[string][2]string{
		`finding("found")`:                     {"scripts/a", "scripts/b"},
		`!finding("found")`:                    {"scripts/c", "scripts/b"},
		`!finding("stops")`:                    {"scripts/a scripts/b", "scripts/c"},
		`item.name == "a" || finding("found")`: {"scripts/a", "scripts/b"},
		`item.change == "added"`:               {"scripts/a scripts/b scripts/c", ""},
		`fact("none") == 1`:                    {"audit/(system)", "scripts/a scripts/b scripts/c"},
		`item.name == "z"`:                     {"", ""},
	} {
		found, doubted := judged(t, when)
		if got := [2]string{strings.Join(found, " "), strings.Join(doubted, " ")}; got != want {
			t.Errorf("%s: %v, want %v", when, got, want)
		}
	}
}

// What nobody asked a plugin about is in doubt, and so is what it said it could
// not look at.
func TestFind(t *testing.T) {
	f := &Find{Plugin: "p", ID: "old", Severity: audit.Low, At: audit.Location{Path: "audit.yaml", Line: 3}}
	k := f.Check()
	if k.ID != "plugin-p-old" || k.Title != "old" {
		t.Error(k.ID, k.Title)
	}
	for name, c := range map[string]struct {
		foreign *audit.Foreign
		found   int
		blind   []snapshot.Key
	}{
		"an old snapshot": {nil, 0, []snapshot.Key{"scripts/a", "scripts/b", "scripts/c", "scripts/(system)"}},
		"no answer":       {&audit.Foreign{}, 0, []snapshot.Key{"scripts/a", "scripts/b", "scripts/c", "scripts/(system)"}},
		"an answer": {&audit.Foreign{Answered: map[string]audit.Answer{"plugin-p-old": {Reports: []audit.Report{{Item: "scripts/a", Message: "m"}, {Item: "scripts/(system)", Message: "m"}},
			Unlooked: []snapshot.Key{"scripts/b"}}}}, 2, []snapshot.Key{"scripts/b"}},
	} {
		_, w := world()
		w.Foreign = c.foreign
		j := audit.Judge([]*audit.Check{k}, w)
		if len(j.Findings) != c.found {
			t.Errorf("%s: %v", name, j.Findings)
		}
		for _, f := range j.Findings {
			if want := map[snapshot.Key]string{"scripts/a": "a", "scripts/(system)": "audit.yaml"}[f.Item]; f.At.Path != want {
				t.Errorf("%s: %s stands at %s, want %s", name, f.Item, f.At.Path, want)
			}
		}
		for _, key := range []snapshot.Key{"scripts/a", "scripts/b", "scripts/c", "scripts/(system)"} {
			if got := j.Blind[audit.Sight{Check: k.ID, Item: key}]; got != slices.Contains(c.blind, key) {
				t.Errorf("%s: %s in doubt: %v", name, key, got)
			}
		}
	}
}

// The version of a check is another one for another condition.
func TestCondition_version(t *testing.T) {
	a, b := version("x", "y"), version("xy", "")
	if a == b || a < 2 || version("x", "y") != a {
		t.Error(a, b)
	}
}

func TestMessage(t *testing.T) {
	for m, want := range map[Message]string{"": "", "plain": "", "{name} and {key}": "", "{nmae}": "holds {nmae}", "{": "holds {", "a {name": "holds {"} {
		if got := m.Problem(); got != want && !strings.HasPrefix(got, want+":") {
			t.Errorf("%q: %q", m, got)
		}
	}
	it := &snapshot.Item{Key: "scripts/x", Name: "{key}", Path: "p", State: "s"}
	if got := Message("{name} {key} {path} {state}").of(it); got != "{key} scripts/x p s" {
		t.Error(got)
	}
}

// Whether an item changed is told a custom check as it is told a report: where
// the memory of it is lost, it is in doubt.
func TestCondition_lostChange(t *testing.T) {
	c, err := condition.Compile(`item.change != "unchanged"`, condition.Vocabulary{Early: true})
	if err != nil {
		t.Fatal(err)
	}
	k := (&Condition{ID: "x", System: snapshot.Scripts, When: c, Severity: audit.High}).Check()
	for name, want := range map[string]struct {
		since          audit.Since
		found, doubted int
	}{
		"first":  {audit.Since{First: true}, 3, 0},
		"second": {audit.Since{}, 0, 0},
		"unsure": {audit.Since{Unsure: map[snapshot.Key]bool{"scripts/b": true}}, 0, 1},
		"lost":   {audit.Since{Lost: true}, 0, 3}, // that nothing is known of before is told once for all
	} {
		_, w := world()
		w.Since = want.since
		if j := audit.Judge([]*audit.Check{k}, w); len(j.Findings) != want.found || len(j.Doubts) != want.doubted {
			t.Errorf("%s: found %d, in doubt %d", name, len(j.Findings), len(j.Doubts))
		}
	}
}
