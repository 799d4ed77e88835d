package workflow

import (
	"fmt"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/google/go-cmp/cmp"

	"healthaudit/audit"
	"healthaudit/audit/check/checktest"
	collect "healthaudit/snapshot/collect/workflow"
)

// The same damage in five files is one finding, and they have none of their own
// from that check; in four files it is four.
func TestClusters(t *testing.T) {
	const tail = "jobs:\n  main:\n    runs-on: ubuntu-latest\n    steps:\n      - uses: actions/checkout@v5\n"
	for _, c := range []struct {
		name  string
		check *audit.Check
		src   string // of every file; %d is its number
		one   string // severity and place of a finding on one file
		all   string // of the cluster
	}{
		// Keys that lost the line above them: seen in dozens of files of one repository.
		{"permissions fallen under concurrency", Syntax, "name: Agent %d\non: push\nconcurrency:\n  group: a%[1]d\n\n  contents: write\n" + tail + "      - run: make\n",
			"high workflows/%s .github/workflows/%[1]s:6", "critical workflows/(system) .github/workflows/f1.yml:6"},
		{"with emptied", Syntax, "name: Agent %d\non: push\n" + tail + "      - uses: actions/setup-node@v5\n        with:\n        node-version: 18\n",
			"high workflows/%s .github/workflows/%[1]s:10", "critical workflows/(system) .github/workflows/f1.yml:10"},
		{"hollow", Hollow, "name: Agent %d\non: push\n" + tail + "      - run: echo Workflow %[1]d completed successfully\n",
			"medium workflows/%s .github/workflows/%[1]s:4", "medium workflows/(system) .github/workflows/f1.yml:4"},
		{"one script that is gone", MissingTarget, "name: Agent %d\non: push\n" + tail + "      - run: node automation/agents/index.cjs --agent %[1]d\n",
			"high workflows/%s .github/workflows/%[1]s:8", "critical workflows/(system) .github/workflows/f1.yml:8"},
		{"nothing can fail", AlwaysGreen, "name: Agent %d\non: push\n" + tail + "      - run: make || true\n",
			"low workflows/%s .github/workflows/%[1]s:8", "low workflows/(system) .github/workflows/f1.yml:8"},
	} {
		for n, want := range map[int][]string{4: nil, 5: {c.all}, 7: {c.all}} {
			t.Run(fmt.Sprintf("%s/%d", c.name, n), func(t *testing.T) {
				a := &txtar.Archive{}
				for i := 1; i <= n; i++ {
					name := fmt.Sprintf("f%d.yml", i)
					a.Files = append(a.Files, txtar.File{Name: "tree/.github/workflows/" + name, Data: []byte(fmt.Sprintf(c.src, i))})
					if n == 4 {
						want = append(want, fmt.Sprintf(c.one, name))
					}
				}
				got, _ := checktest.Case(t, c.check, a, collect.Collector)
				if d := cmp.Diff(want, got); d != "" {
					t.Errorf("(-want +got):\n%s", d)
				}
			})
		}
	}
}

// What a step runs, and where, before it is said that its target is missing:
// each of these has led other tools astray.
func TestMissingTargetTraps(t *testing.T) {
	const head = "on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n"
	for _, c := range []struct {
		name, job string
		missing   int
	}{
		{"working-directory", "steps: [{uses: actions/checkout@v5}, {run: npm run in-web, working-directory: web}]", 0},
		{"working-directory that lacks it", "steps: [{uses: actions/checkout@v5}, {run: npm run in-root, working-directory: web}]", 1},
		{"defaults.run", "defaults: {run: {working-directory: web}}\n    steps: [{uses: actions/checkout@v5}, {run: node tool.mjs}]", 0},
		{"the step wins over defaults.run", "defaults: {run: {working-directory: web}}\n    steps: [{uses: actions/checkout@v5}, {run: node tool.mjs, working-directory: .}]", 1},
		{"cd", "steps: [{uses: actions/checkout@v5}, {run: 'cd web && npm run in-web'}]", 0},
		{"cd in a subshell ends there", "steps: [{uses: actions/checkout@v5}, {run: '(cd web && npm run in-web); npm run in-web'}]", 1},
		{"cd ends with its step", "steps: [{uses: actions/checkout@v5}, {run: cd web}, {run: npm run in-web}]", 1},
		{"--prefix", "steps: [{uses: actions/checkout@v5}, {run: npm --prefix web run in-web}, {run: npm run in-web --prefix=web}]", 0},
		{"-C and --cwd", "steps: [{uses: actions/checkout@v5}, {run: pnpm -C web run in-web}, {run: yarn --cwd web run in-web}]", 0},
		{"--if-present", "steps: [{uses: actions/checkout@v5}, {run: npm run nowhere --if-present}]", 1},
		{"a build's output", "steps: [{uses: actions/checkout@v5}, {run: node dist/server.js}, {run: ./bin/tool}, {run: node web/build/x.mjs}]", 0},
		{"made by the step", "steps: [{uses: actions/checkout@v5}, {run: 'curl -o get.sh https://x.example; bash get.sh'}]", 0},
		{"made by a step before", "steps: [{uses: actions/checkout@v5}, {run: 'echo 1 > made.mjs'}, {run: node made.mjs}]", 0},
		{"compiled", "steps: [{uses: actions/checkout@v5}, {run: tsc}, {run: node src/main.js}]", 0},
		{"a package with -r", "steps: [{uses: actions/checkout@v5}, {run: node -r tsconfig-paths/register src/main.ts}]", 0},
		{"bun runs files", "steps: [{uses: actions/checkout@v5}, {run: bun run src/main.ts}]", 0},
		{"a variable in the path", "steps: [{uses: actions/checkout@v5}, {run: 'node scripts/$NAME.mjs'}, {run: 'node scripts/${{ matrix.x }}.mjs'}]", 0},
		{"a glob", "steps: [{uses: actions/checkout@v5}, {run: 'node scripts/*.mjs'}]", 0},
		{"no checkout", "steps: [{run: node nowhere.mjs}]", 0},
		{"another repository", "steps: [{uses: actions/checkout@v5, with: {repository: else/where}}, {run: node nowhere.mjs}]", 0},
		{"checked out into a folder", "steps: [{uses: actions/checkout@v5, with: {path: app}}, {run: npm run in-root, working-directory: app}]", 0},
		{"switched off", "steps: [{uses: actions/checkout@v5}, {if: false, run: node nowhere.mjs}]", 0},
		{"another shell", "steps: [{uses: actions/checkout@v5}, {shell: pwsh, run: node nowhere.mjs}]", 0},
		{"npm's own meaning", "steps: [{uses: actions/checkout@v5}, {run: npm install}, {run: npm audit}, {run: yarn dlx x}]", 0},
		{"a workspace", "steps: [{uses: actions/checkout@v5}, {run: npm run in-web -w web}, {run: npm run in-web --workspace=web}]", 0},
		{"comment and quotes", "steps: [{uses: actions/checkout@v5}, {run: 'echo \"node nowhere.mjs\" # node nowhere.mjs'}]", 0},
		{"a here-document", "steps:\n      - uses: actions/checkout@v5\n      - run: |\n          cat > run.txt <<EOF\n          node nowhere.mjs\n          EOF", 0},
		{"letter case", "steps: [{uses: actions/checkout@v5}, {run: node web/Tool.mjs}]", 1},
		{"a local action that is gone", "steps: [{uses: actions/checkout@v5}, {uses: ./.github/actions/gone}]", 1},
		{"a reusable workflow that is gone", "steps: [{uses: actions/checkout@v5}]\n  b: {uses: ./.github/workflows/gone.yml}", 1},
		{"plainly missing", "steps: [{uses: actions/checkout@v5}, {run: node nowhere.mjs}, {run: npm test}]", 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := txtar.Parse([]byte(`
-- tree/package.json --
{"name": "shop", "workspaces": ["web"], "scripts": {"in-root": "x"}}
-- tree/web/package.json --
{"name": "web", "scripts": {"in-web": "x"}}
-- tree/web/tool.mjs --
export {}
-- tree/src/main.ts --
export {}
`))
			a.Files = append(a.Files, txtar.File{Name: "tree/.github/workflows/ci.yml", Data: []byte(head + "    " + c.job + "\n")})
			got, _ := checktest.Case(t, MissingTarget, a, collect.Collector)
			if len(got) != c.missing {
				t.Errorf("%d findings, want %d:\n%s", len(got), c.missing, strings.Join(got, "\n"))
			}
			if bad, _ := checktest.Case(t, Syntax, a, collect.Collector); len(bad) > 0 {
				t.Errorf("the case itself does not load: %v", bad)
			}
		})
	}
}
