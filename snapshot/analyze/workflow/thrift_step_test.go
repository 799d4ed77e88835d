package workflow

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/rhysd/actionlint"
)

// What is left out of a step because it was without fault elsewhere is without
// fault here: the linter's rule says the same of every workflow, whatever was
// linted before.
func TestFaultless(t *testing.T) {
	texts := []string{"github.ref", "github.nothing", "secrets.A", "env.X", "steps.a.outputs.x", "steps.b.outputs.x", "matrix.os", "matrix.no", "needs.first.outputs.o", "needs.other.result",
		"inputs.name", "inputs.other", "vars.V", "vars.W", "github.event.inputs.name", "github['event'].inputs.other", "github.EVENT.inputs.other", "github.*.inputs", "(github).event.inputs.other", "contains(github, 'x')", "github.event.issue.title", "always()", "hashFiles('x')", "format('{0}', github.sha)", "format('{1}')",
		"toJSON(github)", "github", "runner.os", "job.status", "strategy.job-index", "1 +", "'${{'", "github.ref && steps.a.outputs.x", "fromJSON(secrets.A).x", "secrets.B"}
	steps := []string{
		"- run: echo ${{ EXPR }}", "- run: echo\n        name: a ${{ EXPR }}", "- run: echo\n        if: EXPR", "- run: echo\n        if: ${{ EXPR }}", "- run: echo\n        env:\n          A: ${{ EXPR }}",
		"- run: echo\n        working-directory: ${{ EXPR }}", "- run: echo\n        shell: ${{ EXPR }}",
		"- uses: actions/github-script@v7\n        with:\n          script: ${{ EXPR }}", "- run: echo\n        env: ${{ EXPR }}", "- run: echo\n        timeout-minutes: ${{ EXPR }}",
		"- run: echo\n        continue-on-error: ${{ EXPR }}", "- run: echo ${{ github.ref }} ${{ EXPR }}", "- uses: actions/cache@v4\n        id: b\n        with:\n          path: x\n          key: ${{ EXPR }}\n      - run: echo ${{ steps.b.outputs.nothing }}", "- id: b\n        run: echo ${{ EXPR }}\n      - run: echo ${{ steps.b.outputs.x }}",
	}
	heads := []string{"on: push\n", "on:\n  workflow_call:\n    inputs:\n      name:\n        type: string\n    secrets:\n      A:\n        required: true\n",
		"on:\n  workflow_dispatch:\n    inputs:\n      name:\n        type: boolean\n", "on: workflow_dispatch\n"}
	config := &actionlint.Config{ConfigVariables: []string{"V"}}
	said := 0
	for i, text := range texts {
		heads = slices.Concat(heads[1:], heads[:1])
		for _, step := range steps {
			for h, head := range slices.Concat(heads, heads[:2]) { // some once more, when all is known
				src := head + "jobs:\n  first:\n    runs-on: ubuntu-latest\n    outputs:\n      o: x\n    steps:\n      - run: echo\n  a:\n    runs-on: ubuntu-latest\n    needs: first\n" +
					"    strategy:\n      matrix:\n        os: [a]\n    steps:\n      - id: a\n        run: echo\n      " + strings.ReplaceAll(step, "EXPR", text) + "\n"
				var cfg *actionlint.Config
				if (i+h)%3 == 1 {
					cfg = config
				}
				want, got := expressionErrors(t, src, cfg, false), expressionErrors(t, src, cfg, true)
				if said += len(want); !slices.Equal(want, got) {
					t.Fatalf("the linter says %q, and we %q of\n%s", want, got, src)
				}
			}
		}
	}
	if said < 1000 {
		t.Errorf("the linter said %d things only", said)
	}
}

// expressionErrors returns what the rule of expressions says of a workflow.
func expressionErrors(t *testing.T, src string, cfg *actionlint.Config, thrifty bool) (out []string) {
	t.Helper()
	w, _ := actionlint.Parse([]byte(src))
	if w == nil {
		t.Fatalf("no workflow:\n%s", src)
	}
	plain := actionlint.NewRuleExpression(actionlint.NewLocalActionsCache(nil, nil), actionlint.NewLocalReusableWorkflowCache(nil, "", nil))
	var r actionlint.Rule = plain
	if thrifty {
		r = &expressions{RuleExpression: plain, d: &Document{src: []byte(src)}}
	}
	if cfg != nil {
		r.SetConfig(cfg)
	}
	v := actionlint.NewVisitor()
	v.AddPass(r)
	if err := v.Visit(w); err != nil {
		t.Fatal(err)
	}
	for _, e := range r.Errs() {
		out = append(out, fmt.Sprint(e.Line, ":", e.Column, " ", e.Message))
	}
	slices.Sort(out)
	return out
}
