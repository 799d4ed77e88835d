package workflow

import (
	"strings"
	"testing"
	"time"
)

// TestWindows: what a runner with Windows is given without a shell is no shell text,
// and what the others are given is.
func TestWindows(t *testing.T) {
	for name, c := range map[string]struct {
		job   string // before its steps
		step  string
		shell bool
	}{
		"a label":                         {"runs-on: windows-latest", "run: make", false},
		"own runner":                      {"runs-on: [self-hosted, windows]", "run: make", false},
		"another label":                   {"runs-on: ubuntu-latest", "run: '$env:A = 1'", true},
		"every value of the matrix":       {"runs-on: '${{ matrix.os }}', strategy: {matrix: {os: [windows-2022, windows-latest]}}", "run: make", false},
		"no value of the matrix":          {"runs-on: '${{ matrix.os }}', strategy: {matrix: {os: [ubuntu-24.04, macos-latest]}}", "run: '$env:A = 1'", true},
		"a step for Windows":              {"runs-on: '${{ matrix.os }}', strategy: {matrix: {os: [ubuntu-latest, windows-latest]}}", `if: runner.os == 'Windows', run: make`, false},
		"a step for Windows elsewhere":    {"runs-on: ubuntu-latest", `if: runner.os == 'Windows', run: make`, false},
		"PowerShell where any may be":     {"runs-on: '${{ matrix.os }}', strategy: {matrix: {os: '${{ fromJSON(inputs.os) }}'}}", `run: 'echo x >> $env:GITHUB_OUTPUT'`, false},
		"a step for all but Windows":      {"runs-on: '${{ matrix.os }}', strategy: {matrix: {os: [ubuntu-latest, windows-latest]}}", `if: "runner.os != 'Windows'", run: make`, true},
		"a step for Windows and others":   {"runs-on: '${{ matrix.os }}', strategy: {matrix: {os: [ubuntu-latest, windows-latest]}}", `if: runner.os == 'Windows' || runner.os == 'Linux', run: make`, true},
		"a step for all":                  {"runs-on: '${{ matrix.os }}', strategy: {matrix: {os: [ubuntu-latest, windows-latest]}}", "run: make", true},
		"a label that begins like it":     {"runs-on: '${{ matrix.os }}', strategy: {matrix: {include: [{os: windows-latest}]}}", `if: "startsWith(matrix.os, 'windows')", run: make`, false},
		"PowerShell on an unknown runner": {"runs-on: '${{ inputs.on }}'", `run: 'echo x >> $env:GITHUB_OUTPUT'`, false},
		"the call operator":               {"runs-on: '${{ inputs.on }}'", "run: '& docker run x'", false},
		"beside PowerShell":               {"runs-on: '${{ inputs.on }}'", "run: 'Get-Item $env:A'}, {if: always(), run: make", false},
		"beside PowerShell for Windows":   {"runs-on: '${{ inputs.on }}'", "if: runner.os == 'Windows', run: 'Get-Item $env:A'}, {run: make", true},
		"a line that goes on":             {"runs-on: '${{ inputs.on }}'", "run: \"docker run `x` `\\n  -Name y\"", false},
		"a list in a text":                {"runs-on: '${{ inputs.on }}'", "run: \"echo 'x `y`\\n- b'\"}, {run: make", true},
		"a substitution over lines":       {"runs-on: '${{ inputs.on }}'", "run: \"echo `make `\\n-x\"", true},
		"a shell on an unknown runner":    {"runs-on: '${{ inputs.on }}'", `run: 'echo x >> $GITHUB_OUTPUT'`, true},
		"a shell that is asked for":       {"runs-on: windows-latest", "shell: bash, run: make", true},
	} {
		t.Run(name, func(t *testing.T) {
			src := "on: push\njobs:\n  a: {" + c.job + ", steps: [{" + c.step + "}]}\n"
			d := Parse(".github/workflows/a.yml", []byte(src))
			if got := len(d.ShellTexts()) > 0; d.Broken() || got != c.shell {
				t.Errorf("shell %v, want %v: %s", got, c.shell, src)
			}
		})
	}
}

// Steps of a job whose runner is not known are not all looked through for each of them.
func TestWindows_inTime(t *testing.T) {
	src := "on: push\njobs:\n  a:\n    runs-on: ${{ inputs.on }}\n    steps:\n" + strings.Repeat("    - run: a\n", 16_000)
	begin := time.Now()
	if n := len(Parse(".github/workflows/a.yml", []byte(src)).ShellTexts()); n != 16_000 {
		t.Errorf("%d texts", n)
	}
	if took := time.Since(begin); took > 15*time.Second {
		t.Errorf("it took %v", took)
	}
}
