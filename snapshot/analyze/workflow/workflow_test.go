package workflow

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"encoding/json"

	"github.com/google/go-cmp/cmp"
)

func masked(s string) string { return fmt.Sprintf("<%d>", len(s)) }

const full = `name: CI
on:
  push:
    branches: [main, 'release/**']
  schedule:
    - cron: '17 3 * * 1-5'
      timezone: Europe/Lisbon
  workflow_dispatch:
    inputs:
      target: {type: string, required: true, default: hunter2}
permissions:
  contents: read
concurrency:
  group: ci-${{ github.ref }}
  cancel-in-progress: true
env:
  TOKEN: hunter2
jobs:
  build:
    runs-on: [self-hosted, linux]
    needs: lint
    timeout-minutes: 10
    continue-on-error: true
    environment: {name: prod}
    strategy:
      matrix:
        node: [18, 20]
        key: [hunter2, x]
    steps:
      - uses: actions/checkout@v4
      - name: Install
        run: npm ci
      - run: |

          cd web
          node tool.js --token hunter2 || true
        env: {A: hunter2}
      - run: node other.js
        working-directory: web
      - id: done
        uses: acme/notify@0123456789012345678901234567890123456789
        with:
          key: ${{ secrets.NOTIFY_KEY }}
  lint:
    uses: ./.github/workflows/lint.yml
    secrets: inherit
`

func TestModel(t *testing.T) {
	m := Analyze(".github/workflows/ci.yml", []byte(full), masked)
	b, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(b), "hunter2") || strings.Contains(string(b), "tool.js --") {
		t.Errorf("the model holds a value: %s", b)
	}
	build := m.Jobs[0]
	var keys []string
	for _, s := range build.Steps {
		keys = append(keys, s.Key)
	}
	for _, c := range []struct {
		what      string
		got, want any
	}{
		{"name", m.Name, "CI"},
		{"schedule", m.Schedules, []Schedule{{"17 3 * * 1-5", "Europe/Lisbon", Pos{6, 13}}}},
		{"permissions", m.Permissions.Scopes, []string{"contents: read"}},
		{"concurrency", *m.Concurrency, Concurrency{"ci-${{ github.ref }}", "true", "", Pos{14, 10}}},
		{"env", m.Env, []Value{{Name: "TOKEN", Hash: "<7>"}}},
		{"secrets", m.Secrets, []string{"NOTIFY_KEY"}},
		{"filters", m.Triggers[0].Filters, []Filter{{"branches", []string{"main", "release/**"}}}},
		{"inputs", m.Triggers[2].Filters, []Filter{{"inputs", []string{"target: string!"}}}},
		{"job", build.Pos, Pos{19, 3}},
		{"runs-on", build.RunsOn, []string{"self-hosted", "linux"}},
		{"environment", build.Environment, "prod"},
		{"matrix", build.Matrix, []Row{{"key", nil, "<11>"}, {"node", []string{"18", "20"}, ""}}},
		{"step keys", keys, []string{"uses:actions/checkout", "Install", "run:node", "run:node~2", "done"}},
		{"runs", build.Runs, []string{"node", "npm ci", "uses:acme/notify"}},
		{"masked", build.Steps[2].Masked, 1},
		{"block scalar", build.Steps[2].RunPos, Pos{34, 11}},
		{"plain scalar", build.Steps[1].RunPos, Pos{32, 14}},
		{"reusable", []string{m.Jobs[1].Uses, m.Jobs[1].Secrets[0]}, []string{"./.github/workflows/lint.yml", "inherit"}},
	} {
		if d := cmp.Diff(c.want, c.got); d != "" {
			t.Errorf("%s (-want +got):\n%s", c.what, d)
		}
	}
}

func TestRuns(t *testing.T) {
	for _, c := range []struct {
		name, steps string
		runs        string
		hollow      bool
	}{
		{"talk only", "- run: echo done", "echo", true},
		{"talk after set-up is hollow", "- uses: actions/checkout@v4\n- uses: actions/setup-node@v4\n- run: npm ci\n- run: echo 'Workflow completed successfully'", "echo npm ci", true},
		{"a program is work", "- run: |\n    echo start\n    sudo -E node x.js", "echo node", false},
		{"an action is work", "- uses: acme/deploy@v1\n- run: echo done", "echo uses:acme/deploy", false},
		{"a computed program is work", "- run: |\n    $TOOL run\n    echo", "(computed) echo", false},
		{"an expression for a program is work", "- run: |\n    ${{ inputs.command }} --all\n    echo ${{ github.sha }}", "(computed) echo", false},
		{"a function of its own is no program", "- run: |\n    f() { node x.js; }\n    f", "node", false},
		{"set-up alone says nothing", "- uses: actions/checkout@v4\n- run: npm ci", "npm ci", false},
		{"another shell is a program", "- run: Write-Host x\n  shell: pwsh", "pwsh", false},
		{"what does not parse is not judged", "- run: \"if then\"\n- run: echo", "echo", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			src := "on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      " + strings.ReplaceAll(c.steps, "\n", "\n      ") + "\n"
			j := Analyze(".github/workflows/a.yml", []byte(src), nil).Jobs[0]
			if got := strings.Join(j.Runs, " "); got != c.runs || j.Hollow != c.hollow {
				t.Errorf("runs %q hollow %v, want %q %v", got, j.Hollow, c.runs, c.hollow)
			}
		})
	}
}

func TestProblems(t *testing.T) {
	ok := "on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - run: echo\n"
	for _, c := range []struct {
		name, src, family string
		line              int
	}{
		{"loads", ok, "", 0},
		{"byte order mark", "\xef\xbb\xbf" + ok, "", 0},
		{"unquoted colon", "name: Agent: x\n" + ok, "yaml", 1},
		{"tab", "on: push\njobs:\n\ta: x\n", "yaml", 3},
		{"no jobs", "name: x\non: push\n", "missing-key", 1},
		{"empty", "# nothing\n", "empty", 1},
		{"a list", "- on\n", "shape", 1},
		{"dedented key", ok + "  b:\n    runs-on: ubuntu-latest\n    with: {}\n    steps: [{run: x}]\n", "unexpected-key", 9},
		{"unknown top key", "onn: push\n" + ok, "unexpected-key", 1},
		{"unknown job needed", "on: push\njobs:\n  a:\n    needs: z\n    runs-on: ubuntu-latest\n    steps: [{run: x}]\n", "job-needs", 3},
		{"second document", ok + "---\n" + ok, "documents", 8},
		{"second document that is empty", ok + "---\n", "", 0},
		{"NUL", ok + "x: \x00\n", "encoding", 7},
		{"not UTF-8", "name: \xff\xfe\n" + ok, "encoding", 1},
		{"UTF-16", "\xff\xfeo\x00n\x00", "encoding", 1},
		{"too large", ok + "#" + strings.Repeat("x", MaxSize), "size", 1},
		{"parallel steps are newer than the linter", strings.Replace(ok, "- run: echo", "- parallel:\n          - run: echo", 1), "", 0},
		{"a named step that waits is newer than the linter", ok + "      - name: Wait\n        wait-all:\n", "", 0},
		{"the queue of a group is newer than the linter", strings.Replace(ok, "    steps", "    concurrency: {group: a, queue: max}\n    steps", 1), "", 0},
		{"a queue of some length", strings.Replace(ok, "    steps", "    concurrency: {group: a, queue: 5}\n    steps", 1), "bad-value", 5},
		{"a queue that is emptied", strings.Replace(ok, "jobs:", "concurrency: {group: a, queue: max, cancel-in-progress: true}\njobs:", 1), "bad-value", 2},
		{"inputs given by an expression", ok + "      - uses: a/b@v1\n        with: ${{ fromJSON(vars.X) }}\n", "", 0},
		{"inputs given by a text", ok + "      - uses: a/b@v1\n        with: x ${{ fromJSON(vars.X) }}\n", "wrong-kind", 8},
		{"service command is newer than the linter", strings.Replace(ok, "    steps", "    services: {r: {image: redis, command: x}}\n    steps", 1), "", 0},
		{"own references are newer than the linter", ok + "      - uses: $/x\n", "", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := Parse(".github/workflows/a.yml", []byte(c.src)).Verdict(Config{})
			if c.family == "" {
				if len(v.Problems)+len(v.Lint) > 0 {
					t.Fatalf("unexpected %+v %+v", v.Problems, v.Lint)
				}
				return
			}
			if len(v.Problems) == 0 || v.Problems[0].Family != c.family || v.Problems[0].Line != c.line {
				t.Errorf("got %+v, want %s on line %d", v.Problems, c.family, c.line)
			}
		})
	}
}

func TestLint(t *testing.T) {
	job := func(head, steps string) string {
		return head + "jobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n" + steps
	}
	for _, c := range []struct {
		name, src, want string
	}{
		{"expression on the third line of a block", job("on: push\n", "      - run: |\n          echo\n          echo ${{ gihub.ref }}\n"), `8:20 expression-context a/run:echo there is no context "gihub"`},
		{"schedule that never comes", job("on:\n  schedule:\n    - cron: '0 0 31 2 *'\n", "      - run: x\n"), `3:13 cron-never  the schedule never runs: no such day exists`},
		{"removed runner", strings.Replace(job("on: push\n", "      - run: x\n"), "latest", "20.04", 1), `4:14 runner-retired a job "a" asks for the runner ubuntu-20.04, which GitHub has removed (use ubuntu-latest)`},
		{"refused action, told once", job("on: push\n", "      - uses: actions/upload-artifact@v3\n        with: {path: x}\n"), `6:15 action-retired a/uses:actions/upload-artifact "actions/upload-artifact@v3" is refused by GitHub: the step fails`},
		{"newer runner", strings.Replace(job("on: push\n", "      - run: x\n"), "latest", "26.04", 1), ""},
		{"where the file of a job is from", job("on: workflow_call\n", "      - run: echo ${{ job.workflow_sha }} ${{ job.workflow_repository }}\n"), ""},
		{"all values of the matrix", strings.Replace(job("on: push\n", "      - run: echo ${{ join(matrix.*, ' ') }}\n"), "    steps", "    strategy: {matrix: {a: [x]}}\n    steps", 1), ""},
		{"newer permission", job("on: push\npermissions: {code-quality: write}\n", "      - run: x\n"), ""},
		{"filter of a list, in a block", job("on: push\n", "      - run: x\n        if: |\n          join(fromJSON(github.event.inputs.a)[*].type, ',') != 'a,b'\n          || !contains(github.ref, '[*]')\n"), ""},
		{"a star that filters nothing", job("on: push\n", "      - run: echo ${{ github.ref == * }}\n"), `6:37 expression-syntax a/run:echo an expression is not valid`},
		{"a star that filters nothing, and an array of bash", job("on: push\n", "      - run: |\n          echo \"${arr[*]}\" ${{ github.ref == * }}\n"), `7:46 expression-syntax a/run:echo an expression is not valid`},
		{"a star that filters nothing, and a comment", job("on: push # [*]\n", "      - run: x\n        if: github.ref == *\n"), `7:27 expression-syntax a/run:x an expression is not valid`},
		{"a star that filters nothing, beside one that does", job("on: push\n", "      - run: echo ${{ join(github.event.a[*].b) }} ${{ github.ref == * }}\n"), `6:43 expression-syntax a/run:echo an expression is not valid`},
		{"a filter of a list, behind an array of bash", job("on: push\n", "      - {run: 'echo ${arr[*]} ${{ join(github.event.a[*].b) }}', env: {A: \"${{ join(github.event.a[*].b) }}\"}}\n      - run: >\n          it's ${{ join(github.event.a[*].b) }}\n"), ""},
		{"what a rule of security judges", job("on: issues\n", "      - run: echo ${{ github.event.issue.title }}\n        if: ${{ false }} || true\n"), ""},
		{"missing reusable workflow is not the linter's", "on: push\njobs:\n  a:\n    uses: ./.github/workflows/none.yml\n", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := Parse(".github/workflows/a.yml", []byte(c.src)).Verdict(Config{})
			var got []string
			for _, m := range v.Lint {
				got = append(got, fmt.Sprintf("%d:%d %s %s %s", m.Line, m.Column, m.Family, m.Where, m.Text))
			}
			if s := strings.Join(got, "\n"); s != c.want || len(v.Problems) > 0 {
				t.Errorf("got\n%s\n%+v\nwant\n%s", s, v.Problems, c.want)
			}
		})
	}
}

// Keys of the known services are hidden wherever they stand; this one stood in
// an expression of a public repository.
func TestCredentialsAreHidden(t *testing.T) {
	const token = "ghp_0123456789abcdefghijABCDEFGHIJ012345"
	src := "name: " + token + "\non: push\nconcurrency: x-" + token + "\njobs:\n  a:\n    runs-on: ubuntu-latest\n    if: github.token == '" + token + "'\n    steps:\n" +
		"      - name: use " + token + "\n        run: curl -H ${{ " + token + " }} ${{ secrets." + token + " }}\n        " + token + ": 1\n"
	d := Parse(".github/workflows/a.yml", []byte(src))
	b, _ := json.Marshal([]any{d.Model(masked), d.Verdict(Config{}), Analyze("x.yml", []byte(src+"  a: b: c\n"), masked)})
	if strings.Contains(strings.ToLower(string(b)), "abcdefghij") {
		t.Errorf("the token stands in %s", b)
	}
}

// No message may quote a value: each place below once stood in an actionlint message.
func TestMessagesQuoteNoValue(t *testing.T) {
	src := `name: [hunter2]
on:
  workflow_dispatch:
    inputs:
      a: {type: hunter2}
      b: {type: boolean, default: hunter2}
env: hunter2
jobs:
  a:
    runs-on: ubuntu-latest
    timeout-minutes: hunter2
    continue-on-error: hunter2
    container: {image: x, credentials: {username: a, password: hunter2}}
    strategy: {max-parallel: hunter2, matrix: {a: [1], exclude: [{a: hunter2}]}}
    steps:
      - run: echo ${{ 'hunter2' }} ${{ 'hunter2 }}
        if: "'hunter2'"
      - run: x
        if: ${{ format('hunter2 {5}', 'hunter2') }} hunter2
      - run: x
        env: {X: "${{ fromJSON('{hunter2') }}", Y: "${{ hunter2!! }}", "A B": hunter2}
        shell: "nosuch hunter2 {0} | x"
      - uses: x
        with: hunter2
`
	v := Parse(".github/workflows/a.yml", []byte(src)).Verdict(Config{})
	if len(v.Problems)+len(v.Lint) < 10 {
		t.Fatalf("only %d messages: the test proves nothing", len(v.Problems)+len(v.Lint))
	}
	b, _ := json.MarshalIndent(v, "", " ")
	if strings.Contains(string(b), "hunter2") {
		t.Errorf("a value stands in %s", b)
	}
	for _, broken := range []string{"a: *hunter2\n", "a: 'hunter2\n", "hunter2: hunter2: x\n", "%hunter2\n---\n", "a: !<hunter2 x\n"} {
		b, _ := json.Marshal(Parse(".github/workflows/a.yml", []byte(broken)).Verdict(Config{}))
		if strings.Contains(string(b), "hunter2") {
			t.Errorf("a value stands in %s", b)
		}
	}
}

func TestSalvage(t *testing.T) {
	src := "name: Nightly\non:\n  schedule:\n    - cron: '0 4 * * *' # daily\n   - cron: \"5 5 * * *\"\njobs:\n      - uses: acme/tool@v1\n"
	m := Analyze(".github/workflows/n.yml", []byte(src), nil)
	want := Model{Kind: Workflow, Name: "Nightly", Broken: true, Uses: []string{"acme/tool@v1"},
		Schedules: []Schedule{{"0 4 * * *", "", Pos{4, 7}}, {"5 5 * * *", "", Pos{5, 6}}}}
	if d := cmp.Diff(want, m); d != "" {
		t.Error(d)
	}
}

func TestHostile(t *testing.T) {
	bomb := "a0: &a0 [x,x,x,x,x,x,x,x,x]\n"
	for i := 1; i < 12; i++ {
		bomb += fmt.Sprintf("a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d,", i-1), 9), ","))
	}
	longText := "x: &x " + strings.Repeat("y", 500_000) + "\nz: [*x,*x,*x,*x,*x,*x,*x,*x,*x,*x]\n"
	for _, c := range []struct{ name, src string }{
		{"alias bomb", bomb + "on: push\njobs: {}\n"},
		{"alias within its anchor", "on: &a [*a]\njobs: *a\n"},
		{"text multiplied by aliases", longText},
		{"deep flow", strings.Repeat("[", 100_000)},
		{"deep but closed", strings.Repeat("[", 9_000) + strings.Repeat("]", 9_000)},
		{"deep blocks", strings.Repeat("- ", 20_000)},
		{"one long line", "on: " + strings.Repeat("x", MaxSize-10)},
		{"100 MB", strings.Repeat("x", 100<<20)},
		{"many steps", "on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n" + strings.Repeat("      - run: echo a\n", 20_000)},
		{"brackets of a shell", "on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n      - run: " + strings.Repeat("(", 200_000) + "\n"},
		{"substitutions of a shell", "on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n      - run: " + strings.Repeat("$(", 11_000) + "\n"},
		{"many messages", "on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n" + strings.Repeat("      - uses: actions/checkout@v2\n", 20_000)},
	} {
		t.Run(c.name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			begin := time.Now()
			d := Parse(".github/workflows/a.yml", []byte(c.src))
			d.Model(masked)
			d.Verdict(Config{})
			runtime.ReadMemStats(&after)
			if took := time.Since(begin); took > 20*time.Second {
				t.Errorf("took %v", took)
			}
			if mb := (after.TotalAlloc - before.TotalAlloc) >> 20; mb > 1024 {
				t.Errorf("allocated %d MiB", mb)
			}
		})
	}
}

func TestDeterminism(t *testing.T) {
	src := []byte(strings.Replace(full, "steps:", "steps:\n      - run: ${{ foo.x }} ${{ bar.y }}\n        if: ${{ a }} b", 1) +
		"  x:\n    needs: [y]\n    uses: ./.github/workflows/gone.yml\n  y:\n    needs: [x]\n    uses: ./.github/workflows/gone.yml\n")
	for i := range 6 {
		src = fmt.Appendf(src, "  j%d:\n    runs-on: ubuntu-latest\n    steps: [{run: '${{ oops.a }}'}, {uses: x}]\n    extra: 1\n", i)
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	var first []byte
	for i := range 50 {
		runtime.GOMAXPROCS([]int{1, 2, 8}[i%3])
		d := Parse(".github/workflows/a.yml", src)
		b, err := json.Marshal([]any{d.Model(masked), d.Verdict(Config{})})
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = b
		} else if string(b) != string(first) {
			t.Fatalf("run %d differs:\n%s\n%s", i, b, first)
		}
	}
}

func TestConfig(t *testing.T) {
	src := []byte("on: push\njobs:\n  a:\n    runs-on: [self-hosted, big]\n    steps: [{run: x}]\n")
	d := Parse(".github/workflows/a.yml", src)
	if v := d.Verdict(Config{}); len(v.Lint) != 1 || v.Lint[0].Family != "runner-unknown" {
		t.Fatalf("without configuration: %+v", v.Lint)
	}
	c, err := ParseConfig("1", []byte("self-hosted-runner:\n  labels: [big]\n"))
	if err != nil {
		t.Fatal(err)
	}
	if v := d.Verdict(c); len(v.Lint) != 0 {
		t.Errorf("the label is configured: %+v", v.Lint)
	}
	c, err = ParseConfig("2", []byte("paths:\n  .github/workflows/*.yml:\n    ignore: ['is unknown']\n"))
	if err != nil {
		t.Fatal(err)
	}
	if v := d.Verdict(c); len(v.Lint) != 0 {
		t.Errorf("the message is ignored: %+v", v.Lint)
	}
	if _, err := ParseConfig("3", []byte("a: [")); err == nil {
		t.Error("a broken configuration is an error")
	}
}

func TestAction(t *testing.T) {
	src := "name: x\nruns:\n  using: composite\n  steps:\n    - run: npm test\n    - uses: ./other\n"
	d := Parse(".github/actions/x/action.yml", []byte(src))
	if v := d.Verdict(Config{}); len(v.Problems) != 1 || v.Problems[0].Line != 5 {
		t.Errorf("a run step of an action needs a shell: %+v", v.Problems)
	}
	m := Parse("tools/x/action.yml", []byte("name: x\nruns: {using: node20, main: dist/index.js}\n")).Model(nil)
	if len(m.Refs) != 1 || m.Refs[0].Path != "tools/x/dist/index.js" {
		t.Errorf("the program of a node action: %+v", m.Refs)
	}
}

// corpus returns small workflows to measure and to fuzz with.
func corpus() [][]byte {
	out := [][]byte{[]byte(full)}
	for _, cron := range []string{"'0 0 * * *'", "'*/5 * * * *'"} {
		out = append(out, []byte("name: nightly\non:\n  schedule:\n    - cron: "+cron+"\n  workflow_dispatch:\njobs:\n  run:\n    runs-on: ubuntu-latest\n    permissions:\n      contents: write\n    steps:\n"+
			"      - uses: actions/checkout@v4\n      - uses: actions/setup-node@v4\n        with:\n          node-version: 20\n          cache: npm\n      - run: npm ci\n      - name: Work\n        run: |\n          node scripts/work.js --all\n          git add -A && git commit -m update || true\n        env:\n          TOKEN: ${{ secrets.TOKEN }}\n"))
	}
	return out
}

func FuzzAnalyze(f *testing.F) {
	for _, b := range corpus() {
		f.Add(b)
	}
	f.Add([]byte("on: &a [*a]\n"))
	f.Add([]byte("a: {? [x]: y}\n"))
	f.Add([]byte("\r\"x\""))
	f.Add([]byte("on: push\u2028jobs:\u0085  a: {runs-on: x, steps: [{run: |\r\r  echo ${{ x }}}]}"))
	f.Add([]byte("\xef\xbb\xbf- \x00"))
	f.Add([]byte("on: [issues, pull_request_target]\nenv: {T: '${{ env.T }}'}\njobs:\n  a:\n    if: ${{ x }} y\n    runs-on: [self-hosted]\n    permissions: write-all\n    strategy: {matrix: {i: ['${{ github.head_ref }}']}}\n    container: {image: '${{ matrix.i }}', credentials: {password: x}}\n" +
		"    steps:\n      - uses: actions/checkout@v5\n        with: {ref: '${{ github.head_ref }}'}\n      - run: |\n          npm i -g x\n          echo ${{ toJSON(secrets) }} ${{ a && '' || fromJSON(secrets.B).c }} ${{ matrix.i }}\n"))
	f.Fuzz(func(t *testing.T, src []byte) {
		for _, p := range []string{".github/workflows/a.yml", "x/action.yml"} {
			d := Parse(p, src)
			m, v := d.Model(masked), d.Verdict(Config{})
			var m2 Model
			var v2 Verdict
			roundTrip(t, m, &m2)
			roundTrip(t, v, &v2)
			lines := len(lines(string(src)))
			if !d.Broken() {
				(&scan{m: &m, text: d.lines(), root: d.root}).run() // unguarded: a panic here is ours
			}
			for _, e := range v.Security {
				if e.Line < 1 || e.Line > lines || e.Column < 1 {
					t.Fatalf("place %d:%d of %q in %d lines", e.Line, e.Column, e.Rule, lines)
				}
			}
			for _, e := range v.Lint {
				if e.Line < 1 || e.Line > lines || e.Column < 1 {
					t.Fatalf("place %d:%d of %q in %d lines", e.Line, e.Column, e.Family, lines)
				}
			}
			for _, e := range v.Problems {
				if e.Line < 1 || e.Line > lines || e.Column < 1 {
					t.Fatalf("place %d:%d of %q in %d lines", e.Line, e.Column, e.Family, lines)
				}
			}
		}
	})
}

func roundTrip(t *testing.T, in, out any) {
	a, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(a, out); err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(reflect.ValueOf(out).Elem().Interface())
	if err != nil {
		t.Fatal(err)
	}
	if string(a) != string(b) {
		t.Fatalf("JSON does not come back:\n%s\n%s", a, b)
	}
}

// BenchmarkAnalyze2000 is a cold run: 2,000 different small files through the
// parser, the model and the linter.
func BenchmarkAnalyze2000(b *testing.B) {
	var files [][]byte
	c := corpus()
	for i := range 2000 {
		files = append(files, append([]byte(fmt.Sprintf("# %d\n", i)), c[i%len(c)]...))
	}
	b.ReportAllocs()
	for b.Loop() {
		for _, f := range files {
			d := Parse(".github/workflows/a.yml", f)
			d.Model(masked)
			d.Verdict(Config{})
		}
	}
}

// TestCorpus holds the precision on workflows that GitHub accepts: CORPUS is a
// checkout of actions/starter-workflows or the like.
func TestCorpus(t *testing.T) {
	dir := os.Getenv("CORPUS")
	if dir == "" {
		t.Skip("CORPUS names no folder of workflows")
	}
	err := filepath.WalkDir(dir, func(p string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() || !strings.HasSuffix(p, ".yml") && !strings.HasSuffix(p, ".yaml") {
			return err
		}
		b, err := os.ReadFile(p)
		if err != nil || !strings.Contains(string(b), "\njobs:") || strings.Contains(string(b), "$cron-weekly") {
			return err
		}
		for _, pr := range Parse(".github/workflows/a.yml", b).Verdict(Config{}).Problems {
			if line := strings.Split(string(b), "\n")[pr.Line-1]; strings.Contains(strings.ReplaceAll(line, "${{", ""), "{{") {
				continue // a placeholder, to be filled in
			}
			t.Errorf("%s:%d: %s", p, pr.Line, pr.Message)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
