package workflow

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
)

// found returns what the rules say of a file, one line each.
func found(t *testing.T, path, src string, only Rule) string {
	t.Helper()
	d := Parse(path, []byte(src))
	if d.Broken() {
		t.Fatalf("not parsable: %+v", d.problems)
	}
	m := d.Model(nil)
	var out []string
	for _, h := range d.allHits(&m) {
		if only == "" || h.Rule == only {
			out = append(out, strings.TrimSpace(fmt.Sprintf("%d:%d %s %s %s", h.Line, h.Column, h.Kind, h.Where, h.Detail)))
		}
	}
	return strings.Join(out, "\n")
}

// TestSpots holds the places of expressions in every style of scalar.
func TestSpots(t *testing.T) {
	const title = "${{ github.event.issue.title }}"
	for _, c := range []struct{ name, run, want string }{
		{"plain", "run: echo " + title, "6:23"},
		{"single quotes", "run: 'echo " + title + "'", "6:24"},
		{"double quotes", `run: "echo \" ` + title + `"`, "6:27"},
		{"literal block", "run: |\n          one\n\n            echo " + title, "9:22"},
		{"literal block with indicator", "run: |2-\n            echo " + title, "7:22"},
		{"folded block", "run: >-\n          one\n          two " + title, "8:19"},
		{"plain over two lines", "run: one\n          two " + title, "7:19"},
		{"behind letters of more bytes", "run: echo «ü» " + title, "6:27"},
		{"second of a line", "run: echo ${{ github.sha }} " + title, "6:41"},
		{"second fence on a later line", "run: |\n          echo ${{ github.sha }}\n          echo " + title, "8:20"},
		{"inside of a call", "run: echo ${{ format('{0}', github.event.issue.title) }}", "6:37"},
		{"fence over two lines", "run: |\n          echo ${{\n            github.event.issue.title }}", "7:16"},
		{"tab and comment", "run: echo\t" + title + " # x", "6:23"},
	} {
		t.Run(c.name, func(t *testing.T) {
			src := "on: issues\njobs:\n  a:\n    runs-on: x\n    steps:\n      - " + c.run + "\n"
			got := found(t, ".github/workflows/a.yml", src, TemplateInjection)
			if pos, _, _ := strings.Cut(got, " "); pos != c.want || strings.Contains(got, "\n") {
				t.Errorf("got %q, want %s\n%s", got, c.want, src)
			}
		})
	}
}

// TestTaint holds who can put text into a script, through whatever it passes.
func TestTaint(t *testing.T) {
	for _, c := range []struct{ name, on, more, run, want string }{
		{"title of an issue", "issues", "", "${{ github.event.issue.title }}", ByAnyone},
		{"as an index", "issues", "", "${{ github['event']['issue']['title'] }}", ByAnyone},
		{"in capitals", "issues", "", "${{ GitHub.Event.Issue.TITLE }}", ByAnyone},
		{"element of a list", "push", "", "${{ github.event.commits[0].message }}", ByCommits},
		{"all elements", "push", "", "${{ join(github.event.commits.*.message, ' ') }}", ByCommits},
		{"branch of a pull request", "pull_request", "", "${{ github.head_ref }}", ByForks},
		{"the same with rights", "pull_request_target", "", "${{ github.head_ref }}", ByAnyone},
		{"branch of the run before", "workflow_run", "", "${{ github.event.workflow_run.head_branch }}", ByAnyone},
		{"depends on the caller", "workflow_call", "", "${{ github.event.issue.title }}", ByCallers},
		{"never carried", "[push, schedule]", "", "${{ github.event.issue.title }} ${{ github.head_ref }}", ""},
		{"number, id, sha, name of a person", "issues", "", "${{ github.event.issue.number }} ${{ github.sha }} ${{ github.event.issue.user.login }}", ""},
		{"whole event as text", "issues", "", "${{ toJSON(github.event.issue) }}", ByAnyone},
		{"whole event as Object", "issues", "", "${{ github.event.issue }}", ""},
		{"default value", "pull_request", "", "${{ github.head_ref || github.ref_name }}", ByForks + " " + ByWriters},
		{"choice by it", "pull_request", "", "${{ github.head_ref && 'x' || 'y' }}", ""},
		{"case", "pull_request", "", "${{ case(github.head_ref == 'a', 'x', github.head_ref) }}", ByForks},
		{"condition of case", "pull_request", "", "${{ case(github.head_ref, 'x', 'y') }}", ""},
		{"literal env", "issues", "env: {T: hello}", "${{ env.T }}", ""},
		{"tainted env", "issues", "env: {T: 'x ${{ github.event.issue.title }}'}", "${{ env.T }}", ByAnyone},
		{"env twice", "issues", "env: {T: '${{ env.U }}', U: '${{ github.event.issue.title }}'}", "${{ env.T }}", ByAnyone},
		{"env in a circle", "issues", "env: {T: '${{ env.U }}', U: '${{ env.T }}'}", "${{ env.T }}", ""},
		{"env that only the run knows", "issues", "", "${{ env.T }}", ""},
		{"static matrix", "issues", "strategy: {matrix: {T: [a, b]}}", "${{ matrix.T }}", ""},
		{"tainted matrix", "issues", "strategy: {matrix: {T: [a, '${{ github.event.issue.title }}']}}", "${{ matrix.T }}", ByAnyone},
		{"key of a matrix object", "issues", "strategy: {matrix: {T: [{a: x, b: '${{ github.event.issue.title }}'}]}}", "${{ matrix.T.a }}", ""},
		{"matrix from JSON", "issues", "strategy: {matrix: {T: '${{ fromJSON(github.event.issue.body) }}'}}", "${{ matrix.T }}", ByAnyone},
		{"own condition", "pull_request_target", "if: github.event.pull_request.head.repo.fork == false", "${{ github.head_ref }}", Guarded},
		{"condition that can be met by anybody", "pull_request_target", "if: github.actor == 'dependabot[bot]'", "${{ github.head_ref }}", ByAnyone},
		{"secret", "issues", "", "${{ secrets.TOKEN }}", ""},
		{"comment behind a fence in quotes", "issues", "", "${{ format('}}{0}', github.event.issue.title) }}", ByAnyone},
		{"not an expression", "issues", "", "$ {{ github.event.issue.title }} ${{ github.event.issue.title", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			src := "on: " + c.on + "\njobs:\n  a:\n    runs-on: x\n"
			if c.more != "" {
				src += "    " + c.more + "\n"
			}
			src += "    steps:\n      - run: |\n          echo " + c.run + "\n"
			var kinds []string
			for line := range strings.Lines(found(t, ".github/workflows/a.yml", src, TemplateInjection)) {
				kinds = append(kinds, strings.Fields(line)[1])
			}
			if got := strings.Join(kinds, " "); got != c.want {
				t.Errorf("got %q, want %q\n%s", got, c.want, src)
			}
		})
	}
}

// TestSecurityLimits: hostile files end soon, hits are few and hold no value.
func TestSecurityLimits(t *testing.T) {
	const value = "hunter2-hunter2-hunter2"
	deep := "on: issues\njobs:\n  a:\n    runs-on: x\n    container: {image: x, credentials: {password: " + value + "}}\n    env: {ACTIONS_ALLOW_UNSECURE_COMMANDS: true}\n    steps:\n"
	deep += "      - run: echo " + strings.Repeat("${{ github.event.issue.title }} ", 2000) + "\n"
	deep += "      - run: echo ${{ " + strings.Repeat("(", 5000) + "1" + strings.Repeat(")", 5000) + " }}\n"
	deep += "      - run: echo " + strings.Repeat("${{ ", 5000) + "\n"
	for range 1000 {
		deep += "      - if: success() && ${{ false }}\n        run: npm install " + value + "\n"
	}
	var bombs []string
	var env strings.Builder
	for i := range 6 {
		fmt.Fprintf(&env, "      E%d: '%s'\n", i, strings.Repeat(fmt.Sprintf("${{ env.E%d }}", i+1), 300))
	}
	bombs = append(bombs, "on: issues\njobs:\n  a:\n    runs-on: x\n    env:\n"+env.String()+"      E6: ${{ github.event.issue.title }}\n    steps: [{run: 'echo ${{ env.E0 }}'}]\n")
	for _, expr := range []string{"github.actor == 'x[bot]'" + strings.Repeat(" && !(github.actor == 'y[bot]')", 600), strings.Repeat("!", 20_000) + "(github.actor == 'x[bot]')", "github" + strings.Repeat(".a", 10_000) + " == 'x[bot]'"} {
		bombs = append(bombs, "on: issues\njobs:\n  a:\n    runs-on: x\n    steps:\n"+strings.Repeat("      - {run: x, if: \""+expr+"\"}\n", 40))
	}
	bombs = append(bombs, "on: issues\njobs:\n  a:\n    runs-on: x\n    steps: [{run: \""+strings.Repeat("${{ ", 200_000)+" }}\"}]\n")
	for i, b := range bombs {
		d := Parse(".github/workflows/a.yml", []byte(b))
		m := d.Model(nil)
		start := time.Now()
		d.allHits(&m)
		if took := time.Since(start); took > 4*time.Second {
			t.Errorf("bomb %d took %v", i, took)
		} else if testing.Verbose() {
			t.Logf("bomb %d took %v", i, took)
		}
	}
	start := time.Now()
	v := Parse(".github/workflows/a.yml", []byte(deep)).Verdict(Config{})
	if took := time.Since(start); took > 10*time.Second {
		t.Errorf("took %v", took)
	}
	if n := len(v.Security); n == 0 || n > maxHits {
		t.Errorf("%d hits, want at most %d", n, maxHits)
	}
	b, err := json.Marshal(v.Security)
	if err != nil || strings.Contains(string(b), value) {
		t.Errorf("a hit holds a value of the file: %v", err)
	}
	again, _ := json.Marshal(Parse(".github/workflows/a.yml", []byte(deep)).Verdict(Config{}).Security)
	if string(again) != string(b) {
		t.Error("the same file gives other hits")
	}
}

// TestHitsOfBrokenFiles: what does not load runs nothing, so nothing of it is dangerous.
func TestHitsOfBrokenFiles(t *testing.T) {
	v := Parse(".github/workflows/a.yml", []byte("on: issues\njobs:\n  a:\n    steps: [{run: 'echo ${{ github.event.issue.title }}'}]\n")).Verdict(Config{})
	if len(v.Problems) == 0 || len(v.Security) != 0 {
		t.Errorf("%d problems, hits %+v", len(v.Problems), v.Security)
	}
}

// TestHabits holds every place of the rules whose findings are one for all files.
func TestHabits(t *testing.T) {
	const jobs = "permissions: {}\njobs:\n  a:\n    runs-on: x\n"
	step := func(s string) string { return "on: push\n" + jobs + "    steps:\n      - " + s + "\n" }
	for _, c := range []struct {
		name string
		rule Rule
		src  string
		want string
	}{
		{"image without tag", UnpinnedImage, step("uses: docker://alpine"), "7:15  a/uses:docker://alpine alpine"},
		{"image with latest", UnpinnedImage, step("uses: docker://alpine:latest"), "7:15  a/uses:docker://alpine:latest alpine:latest"},
		{"image with tag", UnpinnedImage, step("uses: docker://ghcr.io:443/a/b:1"), ""},
		{"image with latest and digest", UnpinnedImage, step("uses: docker://a:latest@sha256:" + strings.Repeat("0", 64)), ""},
		{"images of a matrix", UnpinnedImage, "on: push\n" + jobs + "    strategy: {matrix: {i: [a, 'b:1'], include: [{i: 'c:latest'}]}}\n    container: {image: '${{ matrix.i }}'}\n    steps: [{run: x}]\n", "6:29  a a\n6:55  a c:latest"},
		{"tag of an action", UnpinnedAction, step("uses: a/b@v1"), "7:15 others a/uses:a/b a/b@v1"},
		{"short commit", UnpinnedAction, step("uses: a/b@0123456"), "7:15 others a/uses:a/b a/b@0123456"},
		{"commit", UnpinnedAction, step("uses: a/b@" + strings.Repeat("a", 40)), ""},
		{"GitHub's own", UnpinnedAction, step("uses: actions/checkout@v5"), "7:15 github a/uses:actions/checkout actions/checkout@v5"},
		{"no ref", UnpinnedAction, step("uses: a/b"), ""},
		{"package in a block", AdhocPackage, step("run: |\n          echo\n            npm i -g  x && yarn global add y"), "9:13  a/run:echo npm i\n9:28  a/run:echo yarn global"},
		{"package under sudo", AdhocPackage, step("run: sudo -E gem install x"), "7:14  a/run:gem gem install"},
		{"not a package", AdhocPackage, step("run: npm install . && npm i ./x && npm ci"), ""},
		{"values of flags", AdhocPackage, step("run: pnpm install --frozen-lockfile --filter web && npm i --prefix x --loglevel verbose"), ""},
		{"package behind the value of a flag", AdhocPackage, step("run: npm i --prefix web left-pad"), "7:14  a/run:npm install npm i"},
		{"archive in a variable", AdhocPackage, step(`run: npm install "$tarball"`), ""},
		{"default shell", Misfeature, "on: push\ndefaults: {run: {shell: cmd}}\n" + jobs + "    steps: [{run: x}]\n", "2:25 cmd  shell: cmd"},
		{"default rights", ExcessivePermissions, "on: push\njobs:\n  a: {runs-on: x, permissions: {}, steps: [{run: x}]}\n  b:\n    runs-on: x\n    steps: [{run: x}]\n", "4:3 default b"},
		{"own rights of every job", ExcessivePermissions, "on: push\njobs:\n  a: {runs-on: x, permissions: {}, steps: [{run: x}]}\n", ""},
		{"rights for all jobs", ExcessivePermissions, "on: push\npermissions: {contents: write, issues: read}\njobs:\n  a: {runs-on: x, steps: [{run: x}]}\n  b: {runs-on: x, steps: [{run: x}]}\n", "2:25 wide  contents"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := found(t, ".github/workflows/a.yml", c.src, c.rule); got != c.want {
				t.Errorf("got\n%s\nwant\n%s\n%s", got, c.want, c.src)
			}
		})
	}
	src := step("uses: a/b@v1") + "      - uses: a/c@v1\n      - uses: actions/checkout@v5\n"
	hits := Parse(".github/workflows/a.yml", []byte(src)).Verdict(Config{}).Security
	if len(hits) != 2 || hits[0].Count != 2 || hits[1].Count != 0 {
		t.Errorf("of each kind the first place and the number: %+v", hits)
	}
}
