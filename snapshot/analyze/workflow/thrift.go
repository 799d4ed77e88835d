package workflow

import (
	"bytes"
	"slices"
	"strings"

	"github.com/rhysd/actionlint"
)

// expressions is actionlint's rule without most of what it does for nothing.
type expressions struct {
	*actionlint.RuleExpression
	d     *Document
	typed bool // the workflow says what its inputs or secrets are
}

// VisitWorkflowPre leaves out a workflow_dispatch without inputs where the file
// never speaks of inputs. All it does is to give github.event an empty object of
// that name, for which the rule copies the whole github context at every expression.
func (r *expressions) VisitWorkflowPre(w *actionlint.Workflow) error {
	bare := func(e actionlint.Event) bool {
		d, ok := e.(*actionlint.WorkflowDispatchEvent)
		return ok && len(d.Inputs) == 0
	}
	if slices.ContainsFunc(w.On, bare) && !bytes.Contains(bytes.ToLower(r.d.src), []byte("inputs")) {
		c := *w
		c.On = slices.DeleteFunc(slices.Clone(w.On), bare)
		w = &c
	}
	r.typed = slices.ContainsFunc(w.On, func(e actionlint.Event) bool {
		return e.EventName() == "workflow_call" || e.EventName() == "workflow_dispatch"
	})
	return r.RuleExpression.VisitWorkflowPre(w)
}

// conditions is actionlint's rule for those conditions only of which it has
// anything to say that is not judged elsewhere: those that may be constant.
type conditions struct{ *actionlint.RuleIfCond }

func (r conditions) VisitStep(s *actionlint.Step) error {
	if asks(s.If) {
		return nil
	}
	return r.RuleIfCond.VisitStep(s)
}

func (r conditions) VisitJobPre(j *actionlint.Job) error {
	if asks(j.If) && (j.Snapshot == nil || asks(j.Snapshot.If)) {
		return nil
	}
	return r.RuleIfCond.VisitJobPre(j)
}

// asks reports whether a condition is none, or certainly no constant: it reads a
// property of a context, or calls a function that looks at the run.
func asks(cond *actionlint.String) bool {
	if cond == nil {
		return true
	}
	quoted := false
	for i := 0; i < len(cond.Value); i++ {
		c := cond.Value[i]
		if c == '\'' {
			quoted = !quoted
		}
		if quoted || !letter(c) || i > 0 && (letter(cond.Value[i-1]) || digit(cond.Value[i-1]) || cond.Value[i-1] == '.') {
			continue
		}
		end := i
		for end < len(cond.Value) && (letter(cond.Value[end]) || digit(cond.Value[end]) || cond.Value[end] == '-') {
			end++
		}
		rest := cond.Value[end:]
		if strings.HasPrefix(rest, ".") || strings.HasPrefix(rest, "(") && looks[strings.ToLower(cond.Value[i:end])] {
			return true
		}
	}
	return false
}

func letter(c byte) bool { return c == '_' || 'a' <= c|0x20 && c|0x20 <= 'z' }
func digit(c byte) bool  { return '0' <= c && c <= '9' }

// looks are the functions whose value is not that of their arguments alone.
// Source: https://docs.github.com/actions/reference/workflows-and-actions/expressions#status-check-functions
var looks = set("always", "success", "failure", "cancelled", "hashfiles")
