package workflow

import (
	"fmt"
	"testing"

	"github.com/rhysd/actionlint"
)

// Of a condition that is left out the linter's rule would say nothing.
func TestAsks(t *testing.T) {
	constant := map[string]bool{}
	for _, cond := range []string{"true", "false", "1 == 2", "(!true && 'foo') || 'bar'", "startsWith('foobar', 'foo')", "format('{0} {1}', 1, 2)", "'github.ref'",
		"contains('a.b (always() x', 'it''s github.ref')", "!0x1f", "1.5 > 2e5", "fromJSON('{}').x", "github.ref == 'x'", "always()", "!Cancelled()", "failure() && true",
		"hashFiles('a') != ''", "true || steps.a.outputs.b", "github['ref']", "needs.a-b.result", "join('a', 'b') == inputs.x"} {
		w, errs := actionlint.Parse(fmt.Appendf(nil, "on: push\njobs:\n  a:\n    runs-on: x\n    if: %q\n    steps: []\n", cond))
		if w == nil {
			t.Fatal(errs)
		}
		r := actionlint.NewRuleIfCond()
		if err := r.VisitJobPre(w.Jobs["a"]); err != nil {
			t.Fatal(err)
		}
		constant[cond] = len(r.Errs()) > 0
		if asks(w.Jobs["a"].If) && constant[cond] {
			t.Errorf("%s asks for nothing, but is left out", cond)
		}
	}
	if !constant["1 == 2"] || !constant["contains('a.b (always() x', 'it''s github.ref')"] || constant["always()"] {
		t.Errorf("the linter judges otherwise: %v", constant)
	}
}

// A workflow_dispatch changes what is known of github.event.inputs, and only there
// where the file speaks of inputs.
func TestDispatchInputs(t *testing.T) {
	for _, tt := range []struct {
		on, expr string
		want     int
	}{
		{"workflow_dispatch", "github.event.inputs.x", 1},
		{"workflow_dispatch", "github.event.INPUTS.x", 1},
		{"workflow_dispatch", "github['event']['inputs'].x", 1},
		{"workflow_dispatch", "github.event.number", 0},
		{"push", "github.event.inputs.x", 0},
	} {
		src := fmt.Sprintf("on: %s\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - run: echo \"${{ %s }}\"\n", tt.on, tt.expr)
		got := Parse(".github/workflows/a.yml", []byte(src)).Verdict(Config{}).Lint
		if len(got) != tt.want {
			t.Errorf("%s, %s: %+v, want %d messages", tt.on, tt.expr, got, tt.want)
		}
	}
}
