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

// A validity says of a text in which the linter finds no fault in one workflow where
// else it finds none.
type validity int

const (
	validThere   validity = iota // it reads what the workflow or the job says otherwise elsewhere
	validUntyped                 // in all that do not say what their inputs or secrets are: there every one will do
	validAlways
)

// faultless are texts without a fault, by the key they stand at.
var faultless = [stepParts]memo[validity]{
	stepName: {longest: 200, most: 256}, stepIf: {longest: 200, most: 512}, stepRun: {longest: 200, most: 512},
	stepDir: {longest: 200, most: 128}, stepWith: {longest: 200, most: 512}, stepEnv: {longest: 200, most: 512},
}

// VisitStep leaves out a step without a fault that can be had more cheaply: files
// say the same in their fences, and the rule copies all it knows of the contexts
// for each of them.
func (r *expressions) VisitStep(s *actionlint.Step) error {
	enough := validUntyped
	if r.typed {
		enough = validAlways
	}
	known, all := true, true // all texts are without fault; every text with an expression is one of them
	eachText(s, func(k stepPart, text string) {
		valid, _ := faultless[k].find(text)
		known = known && valid >= enough
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
		eachText(s, func(k stepPart, text string) { faultless[k].keep(text, validityOf(text, k == stepIf)) }, func() {})
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

// sameContexts are the contexts that are the same to the linter in every workflow,
// but for inputs and secrets that it tells of; the configuration may say which
// variables there are.
var sameContexts = set("github", "secrets", "env", "runner", "job", "strategy")

// validityOf returns where a text is without fault that is so somewhere. Without a
// fence a condition is an expression as a whole.
func validityOf(text string, condition bool) validity {
	exprs := fences(text)
	if condition {
		exprs = conditionOf(text)
	}
	if len(exprs) != max(1, strings.Count(text, "${{")) {
		return validThere
	}
	valid := validAlways
	for _, f := range exprs {
		visit(f.node, func(n, parent actionlint.ExprNode) {
			v, ok := n.(*actionlint.VariableNode)
			if !ok {
				return
			}
			switch name := strings.ToLower(v.Name); {
			case !sameContexts[name]:
				valid = validThere
			case name == "secrets" || name == "github" && !beyondEvent(parent):
				valid = min(valid, validUntyped)
			}
		})
	}
	return valid
}

// beyondEvent reports whether what reads a property of github reads another than
// event, which has the inputs.
func beyondEvent(n actionlint.ExprNode) bool {
	p, ok := n.(*actionlint.ObjectDerefNode)
	return ok && !strings.EqualFold(p.Property, "event")
}
