package condition

import (
	"errors"
	"strings"
	"testing"

	"healthaudit/audit"
	"healthaudit/snapshot"
)

// holds tells whether a condition holds: the answer, or the error, begins with want.
func holds(t *testing.T, j *Judge, text string, words Vocabulary, want string) {
	t.Helper()
	c, err := Compile(text, words)
	if err != nil {
		t.Errorf("%s: %v", text, err)
		return
	}
	got := "false"
	if is, err := j.Eval(c); err != nil {
		got = err.Error()
	} else if is {
		got = "true"
	}
	if !strings.HasPrefix(got, want) {
		t.Errorf("%s: %s, want %s", text, got, want)
	}
}

func words(early bool) Vocabulary {
	return Vocabulary{Checks: []string{"script-syntax", "pm2-errored"}, Metrics: []string{"memory", "online"}, Off: []string{"pm2-errored"}, Early: early,
		Nearest: func(w string, names []string) string {
			for _, n := range names {
				if len(w) >= 3 && strings.HasPrefix(n, w[:3]) {
					return n
				}
			}
			return ""
		}}
}

// What is wrong is known when a condition is read, with its place.
func TestCompile_errors(t *testing.T) {
	for text, want := range map[string]string{
		"":                                "",
		"a b":                             "",
		"finding()":                       "",
		"finding(1)":                      "finding wants a name in quotes",
		`metric("memory", 1)`:             "",
		"item":                            "",
		`finding('nope')`:                 `there is no check "nope"`,
		`metric("memmory") > 1`:           "did you mean memory?",
		`metric(item.name) > 1`:           "not one that is computed",
		`iten.name == ""`:                 "did you mean item?",
		`item.nam == ""`:                  "did you mean name?",
		`finding("pm2-errored")`:          "is switched off",
		`now() > 1`:                       "",
		`item.level == "ok"`:              "made of what checks find",
		`let x = item; x.score > 1`:       "let could make texts",
		`any(1..9998, # < 0)`:             "a range could take minutes",
		`any([1], any([2], # < 0))`:       "a loop in a loop",
		`any([item], .change == "added")`: "write item.change",
		`[item, 1][0].change != "x"`:      "write item.change",
		`item.chang == "added"`:           "did you mean",
		strings.Repeat("!", MaxText+1):    "longer than",
		"not " + strings.Repeat("(", 300): "",
	} {
		_, err := Compile(text, words(true))
		var e *Error
		if !errors.As(err, &e) || e.What == "" {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if shown := e.What + "\n" + e.Show(text); !strings.Contains(shown, want) {
			t.Errorf("%q: %s\nwant %q", text, shown, want)
		}
	}
}

func TestEval(t *testing.T) {
	it := &snapshot.Item{Key: "scripts/x.sh", Name: "x.sh", State: "on", Metrics: []snapshot.Metric{{Name: "memory", Value: 3}}}
	it.Add(snapshot.Semantic, "lines", snapshot.Number(12))
	s := &Subject{Item: it, Change: "added", Open: map[string]bool{"script-syntax": true}}
	j := NewJudge()
	j.About(s)
	for text, want := range map[string]string{
		`metric("memory") > 2 && item.state == "on"`: "true",
		`fact("lines") == 12`:                        "true",
		`fact("line") == 12`:                         "it has no fact line",
		`fact("line", 0) == 12`:                      "false",
		`metric("online") < 2`:                       "it has no metric online",
		`finding("script-syntax")`:                   "true",
		`item.change == "added"`:                     "true",
		`item["change"] != "added"`:                  "false",
		`lower(item.name) contains "x.s"`:            "true",
	} {
		holds(t, j, text, words(true), want)
	}
	late, err := Compile(`item.level == "" && item.score == 0`, words(false))
	if err != nil {
		t.Fatal(err)
	}
	if is, err := j.Eval(late); !is || err != nil {
		t.Errorf("%v %v", is, err)
	}
	if c, _ := Compile(`fact("a", 1) == 1 && metric("memory") > 1 && fact("a", 1) == 2`, words(true)); len(c.Facts) != 1 || len(c.Metrics) != 1 {
		t.Errorf("names: %v %v", c.Facts, c.Metrics)
	}
}

// Whether an item changed of which nobody knows is neither true nor false, in
// whatever way it is asked; what does not depend on it can be told.
func TestEval_unknownChange(t *testing.T) {
	j := NewJudge()
	j.About(&Subject{Item: &snapshot.Item{Key: "scripts/x.sh", Name: "x.sh", Kind: "script"}, Change: audit.Unknown})
	const untold = "nobody knows whether it changed"
	for text, want := range map[string]string{
		`item.change != "unchanged"`:                               untold,
		`item.change == "unchanged"`:                               untold,
		`item.change == "unknown"`:                                 untold,
		`item.change in ["added", "changed"]`:                      untold,
		`not (item.change in ["unchanged"])`:                       untold,
		`any(["added"], # != item.change)`:                         untold,
		`len(item["change"]) > 3`:                                  untold,
		`item.kind == "app" && item.change != "unchanged"`:         "false",
		`item.kind == "script" || item.change == "added"`:          "true",
		`item?.change != "unchanged"`:                              untold,
		`(item.name == "x.sh" ? item.change : "") != "unchanged"`:  untold,
		`(item.name == "x.sh" ? "unchanged" : item.change) == "b"`: "false",
	} {
		for _, early := range []bool{true, false} {
			holds(t, j, text, words(early), want)
		}
	}
}
