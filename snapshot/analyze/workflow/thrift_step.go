package workflow

import (
	"strings"

	"github.com/rhysd/actionlint"
)

// A stepPart is a key of a step whose value may hold expressions.
type stepPart int

const (
	stepName stepPart = iota
	stepIf
	stepRun
	stepDir
	stepWith
	stepEnv
	stepParts
)

// faultless says of texts, by the key they stand at, whether they are without
// fault in every workflow: the linter found none, and it looks at nothing that a
// workflow can say otherwise.
var faultless = [stepParts]memo[bool]{
	stepName: {longest: 200, most: 256}, stepIf: {longest: 200, most: 512}, stepRun: {longest: 200, most: 512},
	stepDir: {longest: 200, most: 128}, stepWith: {longest: 200, most: 512}, stepEnv: {longest: 200, most: 512},
}

// VisitStep leaves out a step without a fault that can be had more cheaply: files
// say the same in their fences, and the rule copies all it knows of the contexts
// for each of them.
func (r *expressions) VisitStep(s *actionlint.Step) error {
	if r.typed {
		return r.RuleExpression.VisitStep(s)
	}
	known, all := true, true // what was kept of the texts; every text with an expression is one of them
	eachText(s, func(k stepPart, text string) {
		ok, _ := faultless[k].find(text)
		known = known && ok
	}, func() { all = false })
	switch {
	case !all:
		return r.RuleExpression.VisitStep(s)
	case known && s.ID == nil:
		return nil
	case known:
		return r.RuleExpression.VisitStep(outputs(s))
	}
	before := len(r.Errs())
	err := r.RuleExpression.VisitStep(s)
	if len(r.Errs()) == before {
		eachText(s, func(k stepPart, text string) { faultless[k].keep(text, anywhere(text, k == stepIf)) }, func() {})
	}
	return err
}

// eachText calls f for every text of a step that holds an expression, and other
// where one stands at another key.
func eachText(s *actionlint.Step, f func(stepPart, string), other func()) {
	at := func(k stepPart, t *actionlint.String) {
		switch {
		case t == nil || !strings.Contains(t.Value, "${{"):
		case k == stepParts:
			other()
		default:
			f(k, t.Value)
		}
	}
	at(stepName, s.Name)
	at(stepParts, s.ID)
	if s.If != nil {
		f(stepIf, s.If.Value)
	}
	switch e := s.Exec.(type) {
	case *actionlint.ExecRun:
		at(stepRun, e.Run)
		at(stepParts, e.Shell)
		at(stepDir, e.WorkingDirectory)
	case *actionlint.ExecAction:
		at(stepParts, e.Uses)
		at(stepParts, e.Entrypoint)
		at(stepParts, e.Args)
		with := stepWith
		if e.Uses != nil && strings.HasPrefix(e.Uses.Value, "actions/github-script@") { // one of its inputs is run
			with = stepParts
		}
		for _, in := range e.Inputs {
			at(with, in.Value)
		}
	}
	if s.Env != nil {
		at(stepParts, s.Env.Expression)
		for _, v := range s.Env.Vars {
			at(stepParts, v.Name)
			at(stepEnv, v.Value)
		}
	}
	if s.ContinueOnError != nil {
		at(stepParts, s.ContinueOnError.Expression)
	}
	if s.TimeoutMinutes != nil {
		at(stepParts, s.TimeoutMinutes.Expression)
	}
}

// outputs returns the step with nothing but what says which outputs it has.
func outputs(s *actionlint.Step) *actionlint.Step {
	out := &actionlint.Step{ID: s.ID}
	if e, ok := s.Exec.(*actionlint.ExecAction); ok {
		out.Exec = &actionlint.ExecAction{Uses: e.Uses}
	}
	return out
}

// sameContexts are the contexts that are the same to the linter in every workflow
// that does not say what its inputs and secrets are; the configuration may say
// which variables there are.
var sameContexts = set("github", "secrets", "env", "runner", "job", "strategy")

// anywhere reports whether the expressions of a text read nothing but sameContexts.
// Without a fence a condition is one as a whole.
func anywhere(text string, condition bool) bool {
	exprs := fences(text)
	if condition {
		exprs = conditionOf(text)
	}
	same := len(exprs) == max(1, strings.Count(text, "${{"))
	for _, f := range exprs {
		visit(f.node, func(n, _ actionlint.ExprNode) {
			if v, ok := n.(*actionlint.VariableNode); ok {
				same = same && sameContexts[strings.ToLower(v.Name)]
			}
		})
	}
	return same
}
