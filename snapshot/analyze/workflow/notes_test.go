package workflow

import (
	"fmt"
	"strings"
	"testing"
)

func lintOf(src string) string {
	var out []string
	for _, m := range Parse(".github/workflows/x.yml", []byte(src)).Verdict(Config{}).Lint {
		out = append(out, fmt.Sprintf("%d %s %s", m.Line, m.Family, m.Subject))
	}
	return strings.Join(out, "; ")
}

func notesOf(src string) string {
	var out []string
	for _, m := range Parse(".github/workflows/x.yml", []byte(src)).Verdict(Config{}).Notes {
		out = append(out, strings.TrimSpace(fmt.Sprintf("%d %s %s", m.Line, m.Family, m.Subject)))
	}
	return strings.Join(out, "; ")
}

const oneJob = "jobs: {a: {runs-on: ubuntu-latest, steps: [{run: make}]}}\n"

func TestSchedulesThatGitHubDoesNotKeep(t *testing.T) {
	for expr, want := range map[string]string{
		"* * * * *":                 "cron-too-often",
		"*/3 * * * *":               "cron-too-often",
		"0,58 * * * *":              "cron-too-often", // two minutes apart over the hour, which a look at two runs misses
		"0,3 4 * * 1":               "cron-too-often",
		"59,0 23,0 * * *":           "cron-too-often",
		"*/5 * * * *":               "",
		"0,30 * * * *":              "",
		"0 0 31 2 *":                "cron-never",
		"0 0 30 2,4 *":              "",
		"0 0 29 2 *":                "",
		"3 3 31 2 1":                "", // the 31st of February, or any Monday in it
		"61 * * * *":                "cron-invalid",
		"0 0 * *":                   "cron-invalid",
		"CRON_SCHEDULE_PLACEHOLDER": "cron-invalid",
	} {
		got := lintOf("on:\n  schedule:\n    - cron: '" + expr + "'\n" + oneJob)
		if want == "" && got != "" || want != "" && !strings.HasPrefix(got, "3 "+want) || strings.Contains(got, ";") {
			t.Errorf("%s: %q, want %q once", expr, got, want)
		}
	}
}

func TestRetired(t *testing.T) {
	for job, want := range map[string]string{
		"runs-on: ubuntu-20.04, steps: [{run: make}]":                                                                                   "runner-retired",
		"runs-on: macos-13-large, steps: [{run: make}]":                                                                                 "runner-retired",
		"runs-on: '${{ matrix.os }}', strategy: {matrix: {os: [ubuntu-latest, windows-2019]}}, steps: [{run: make}]":                    "runner-retired",
		"runs-on: '${{ matrix.os }}', strategy: {matrix: {include: [{os: ubuntu-latest}, {os: macos-11}]}}, steps: [{run: make}]":       "runner-retired",
		"runs-on: \"${{ matrix.big && 'own' || 'ubuntu-18.04' }}\", strategy: {matrix: {big: [true, false]}}, steps: [{run: make}]":     "runner-retired",
		"runs-on: \"${{ matrix.os == 'macos-11' && 'own' || matrix.os }}\", strategy: {matrix: {os: [macos-15]}}, steps: [{run: make}]": "",
		"runs-on: ubuntu-latest, strategy: {matrix: {os: [macos-11]}}, steps: [{run: make}]":                                            "",
		"runs-on: ubunut-latest, steps: [{run: make}]":                                                                                  "runner-misspelt",
		"runs-on: ubuntu-lastest, steps: [{run: make}]":                                                                                 "runner-misspelt",
		"runs-on: ubuntu_latest, steps: [{run: make}]":                                                                                  "runner-misspelt",
		"runs-on: window-2022, steps: [{run: make}]":                                                                                    "runner-misspelt",
		"runs-on: ubuntu-latest-m, steps: [{run: make}]":                                                                                "",
		"runs-on: ubuntu-large, steps: [{run: make}]":                                                                                   "",
		"runs-on: ubuntu-slim, steps: [{run: make}]":                                                                                    "",
		"runs-on: linux-latest, steps: [{run: make}]":                                                                                   "runner-unknown",
		"runs-on: ubuntu-24.04, steps: [{run: make}]":                                                                                   "",
		"runs-on: ubuntu-latest, steps: [{uses: actions/cache@v2, with: {path: a, key: b}}]":                                            "action-retired",
		"runs-on: ubuntu-latest, steps: [{uses: actions/cache/restore@v3.3.2, with: {path: a, key: b}}]":                                "action-retired",
		"runs-on: ubuntu-latest, steps: [{uses: actions/cache@v4.1.2, with: {path: a, key: b}}]":                                        "action-retired",
		"runs-on: ubuntu-latest, steps: [{uses: actions/cache@v4.2.0, with: {path: a, key: b}}]":                                        "",
		"runs-on: ubuntu-latest, steps: [{uses: actions/cache@v4, with: {path: a, key: b}}]":                                            "",
		"runs-on: ubuntu-latest, steps: [{uses: actions/upload-artifact@v3, with: {path: a}}]":                                          "action-retired",
		"runs-on: ubuntu-latest, steps: [{uses: actions/deploy-pages@v3}]":                                                              "action-retired",
		"runs-on: ubuntu-latest, steps: [{uses: actions/checkout@v2}]":                                                                  "action-outdated",
		"runs-on: ubuntu-latest, steps: [{uses: actions/checkout@v3}]":                                                                  "action-outdated",
	} {
		got := lintOf("on: push\njobs: {a: {" + job + "}}\n")
		if want == "" && got != "" || !strings.Contains(got, want) || strings.Contains(got, ";") {
			t.Errorf("%s: %q, want %q once", job, got, want)
		}
	}
}

// Of one cause there is one message: the linter tells of Node 16 and older.
func TestOldRuntime(t *testing.T) {
	for uses, want := range map[string]string{"actions/checkout@v3": "", "actions/checkout@v4": "checkout@v4", "actions/checkout@v4.1.7": "checkout@v4", "actions/checkout@v5": "",
		"actions/checkout@main": "", "actions/checkout@8f4b7f84864484a7bf31766abe9204da3cbe65b3": "", "actions/checkout": "", "else/checkout@v4": "", "actions/cache@v4.1.0": "",
		"actions/upload-artifact@v4": "upload-artifact@v4", "./checkout@v4": ""} {
		if got := OldRuntime(uses); got != want {
			t.Errorf("%s: %q, want %q", uses, got, want)
		}
		if said := lintOf("on: push\njobs: {a: {runs-on: ubuntu-latest, steps: [{uses: " + uses + "}]}}\n"); want != "" && strings.Contains(said, "action-outdated") {
			t.Errorf("%s is told twice: %s", uses, said)
		}
	}
}

func TestUsesAt(t *testing.T) {
	asked := func(uses string) bool { return OldRuntime(uses) != "" }
	const step = "on: push\njobs: {a: {runs-on: ubuntu-latest, steps: [\n  {uses: actions/checkout@v4}]}}\n"
	for src, want := range map[string]Pos{step: {3, 10}, step + "  x\n y: [": {1, 1}, "": {1, 1}, "on: push": {1, 1}} {
		if got := Parse("x.yml", []byte(src)).UsesAt(asked); got != want {
			t.Errorf("%q: %v, want %v", src, got, want)
		}
	}
}

// What a file says again, in other words or with comments, has the same body.
func TestBody(t *testing.T) {
	body := func(src string) string { return Parse("x.yml", []byte(src)).Verdict(Config{}).Body }
	base := "name: A\non: push\njobs:\n  a:\n    name: One\n    runs-on: ubuntu-latest\n    steps:\n      - name: Make\n        run: make\n"
	for old, new := range map[string]string{"name: A\n": "name: B # so\n", "name: One": "name: Two", "- name: Make\n        run": "- run", "run: make": "run: \"make\"", "on: push": "on: [push]"} {
		same := old != "on: push" // a list is another node, and that is well enough
		if got := body(strings.Replace(base, old, new, 1)) == body(base); got != same {
			t.Errorf("%q for %q: same body %v", new, old, got)
		}
	}
	if body(base) == body(strings.Replace(base, "make\n", "make all\n", 1)) || body("on: [\n") != "" {
		t.Error("another command, or a broken file, has the same body")
	}
}

// The verdict is cached and shown: nothing of a script or a value is in it.
func TestNotesHoldNoValues(t *testing.T) {
	src := "on: push\nenv: {timeout-minutes: hunter2}\njobs: {a: {runs-on: ubuntu-latest, steps: [{run: 'gh workflow run ghp_0123456789abcdef0123456789'}, {run: 'npm ci --token=hunter2'}]}}\n"
	v := Parse("x.yml", []byte(src)).Verdict(Config{})
	if s := fmt.Sprintf("%+v", v); strings.Contains(s, "hunter2") || strings.Contains(s, "ghp_0") {
		t.Errorf("%s", s)
	}
}

// Hostile texts take no longer than others.
// A step that stands once is told once, whichever jobs it is in by an alias.
func TestNotesOfAliases(t *testing.T) {
	src := "on: push\njobs:\n  a: &a\n    runs-on: ubuntu-latest\n    steps:\n      - run: |\n          if [ $? -ne 0 ]; then exit 1; fi\n          make\n" +
		"      - run: |\n          if [ x; then\n  b: *a\n"
	if got := notesOf(src); got != "7 status; 10 shell" {
		t.Error(got)
	}
}

func TestNotesAreBounded(t *testing.T) {
	for _, src := range []string{strings.Repeat("x = [] ", 20_000), strings.Repeat("a.append(", 20_000), strings.Repeat("for a in b, ", 20_000) + ":", strings.Repeat("import os\n", 10_000),
		strings.Repeat("((", 10_000)} {
		notesOf("on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - run: |\n          " + strings.ReplaceAll(src, "\n", "\n          ") + "\n")
	}
}

// TestCalls: calls of what the project holds take no place from other notes, those
// of one step in several jobs are all there, and a credential is none of their names.
func TestCalls(t *testing.T) {
	var src strings.Builder
	src.WriteString("on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n")
	for range 250 {
		src.WriteString("    - uses: ./.github/actions/x\n")
	}
	src.WriteString("    - if: github.event_name == 'schedule'\n      run: make\n")
	if got := notesOf(src.String()); strings.Count(got, " calls") != maxMessages || !strings.HasSuffix(got, "256 never schedule") {
		t.Errorf("%d calls, and at the end …%s", strings.Count(got, " calls"), got[max(0, len(got)-100):])
	}

	const key = "ghp_0123456789abcdefghijABCDEFGHIJ012345"
	d := Parse(".github/workflows/x.yml", []byte("on: push\njobs:\n  a:\n    if: false\n    runs-on: ubuntu-latest\n    steps:\n    - &s\n      uses: ./x\n      with: {"+key+": 1, Mode: a}\n"+
		"  b: {runs-on: ubuntu-latest, steps: [*s]}\n"))
	var where []string
	for _, n := range d.Verdict(Config{}).Notes {
		where = append(where, n.Where)
		if strings.Contains(strings.ToLower(n.Text), strings.ToLower(key)) || !strings.Contains(n.Text, "input mode") {
			t.Errorf("it gives %q", n.Text)
		}
	}
	if got := strings.Join(where, " "); got != "a/uses:./x b/uses:./x" {
		t.Errorf("calls of %q", got)
	}
}
