package report

import (
	"strings"
	"testing"
)

func TestBecame(t *testing.T) {
	for _, c := range []struct {
		name  string
		fact  FactChange
		files []string
		want  string
	}{
		{"of a set only what differs", FactChange{Name: "scripts", Old: []any{"a", "b", "c"}, New: []any{"a", "c", "d"}}, nil, "added d; removed b"},
		{"of two that follow each other both", FactChange{Name: "starts", Old: []string{"a.js"}, New: []string{"b.js"}}, nil, "a.js → b.js"},
		{"a list in another order", FactChange{Name: "steps", Old: []string{"a", "b"}, New: []string{"b", "a"}}, nil, "in another order: [b, a]"},
		{"a thing that stands twice", FactChange{Name: "steps", Old: []string{"a"}, New: []string{"a", "a"}}, nil, "added a"},
		{"a list that became a word", FactChange{Name: "permissions", Old: []string{"contents: read"}, New: "write-all"}, nil, "[contents: read] → write-all"},
		{"a secret", FactChange{Name: "command", Old: "(secret)", New: "(another secret)"}, nil, "changed (not shown)"},
		{"a secret that came", FactChange{Name: "run", New: "(secret)"}, nil, "added (not shown)"},
		{"a secret that went", FactChange{Name: "run", Old: "(secret)"}, nil, "gone"},
		{"no digests", FactChange{Name: "content", Old: "14957b2d822374ab", New: "4eb7f6eac1d64c22"}, []string{"a.js"}, "changed"},
		{"what it imports", FactChange{Name: "content", Old: "14957b2d822374ab", New: "4eb7f6eac1d64c22"}, nil, "changed, in a file that it loads"},
		{"a number", FactChange{Name: "instances", Old: 1.0, New: 4.0}, nil, "1 → 4"},
	} {
		if got := became(c.fact, c.files); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestFacts_of_a_renamed_step_are_told_once(t *testing.T) {
	p := newPage(Options{})
	p.facts(0, []FactChange{
		{Name: "jobs.a.step[Lint (lax)].masked", Old: 1.0, Risk: "down"},
		{Name: "jobs.a.step[Lint (lax)].run", Old: "(secret)", Risk: "neutral"},
		{Name: "jobs.a.step[Lint].run", New: "(secret)", Risk: "neutral"},
		{Name: "jobs.a.step[Test].run", Old: "(secret)", New: "(another secret)", Risk: "neutral"},
		{Name: "jobs.a.steps", Old: []any{"Lint (lax)", "Test"}, New: []any{"Lint", "Test"}, Risk: "neutral"},
	}, nil)
	want := "↓ jobs.a.step[Lint (lax)].masked: gone, was 1\njobs.a.step[Test].run: changed (not shown)\njobs.a.steps: added Lint; removed Lint (lax)\n"
	if got := p.String(); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func TestTells(t *testing.T) {
	for _, c := range []string{"scripts/tools/a.sh tools/a.sh", "scripts/file:web/package.json web/package.json", "scripts/npm:build package.json",
		"scripts/web/npm:build web/package.json", "workflows/ci.yml .github/workflows/ci.yml", "pm2/file:ecosystem.config.js ecosystem.config.js"} {
		key, file, _ := strings.Cut(c, " ")
		if !tells(key, file) {
			t.Errorf("%s does not tell %s", key, file)
		}
	}
	for _, c := range []string{"scripts/npm:build web/package.json", "functions/a netlify/functions/a.js", "pm2/api ecosystem.config.js"} {
		key, file, _ := strings.Cut(c, " ")
		if tells(key, file) {
			t.Errorf("%s tells %s", key, file)
		}
	}
}
