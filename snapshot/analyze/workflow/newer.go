package workflow

import (
	"slices"
	"strings"

	"github.com/rhysd/actionlint"
	"go.yaml.in/yaml/v4"

	"healthaudit/snapshot/analyze/lazyregexp"
)

var (
	newKeys = lazyregexp.New(`unexpected key "(?:(?:parallel|background|wait|wait-all|cancel)" for step|queue" for "concurrency"|(?:command|entrypoint)" for (?:"services"|.*service))`)
	hosted  = lazyregexp.New(`label "(ubuntu|macos|windows)-[0-9a-z.-]+" is unknown`)
	scopes  = lazyregexp.New(`permission scope "(code-quality|models|attestations|artifact-metadata|copilot-requests|vulnerability-alerts)"`)
	// called are what the job context says of the file that a job is written in.
	// Source: https://docs.github.com/actions/reference/workflows-and-actions/contexts#job-context
	called = lazyregexp.New(`property "workflow_(?:ref|sha|repository|file_path)" is not defined in object type \{check_run_id:`)
)

// newSteps are the keys of a step that neither runs nor uses anything.
var newSteps = []string{"parallel", "wait", "wait-all", "cancel"}

// newer reports whether a message comes only of actionlint v1.7.12 (March 2026)
// knowing less of GitHub's syntax than GitHub: parallel steps, the queue of a
// concurrency group, commands of service containers, "$/" references, newer
// permissions, properties and runner labels, mappings given by an expression.
func (d *Document) newer(family string, e *actionlint.Error) bool {
	switch family {
	case "unexpected-key":
		return newKeys().MatchString(e.Message)
	case "step-without-work":
		step := mappingAt(d.root, e.Line, e.Column)
		return step != nil && slices.ContainsFunc(newSteps, func(key string) bool { return child(step, key) != nil })
	case "wrong-kind":
		return strings.HasPrefix(e.Message, `"with" section is scalar node`) && d.inserted(e)
	case "action-format", "call-format":
		return strings.Contains(e.Message, `"$/`)
	case "permission-scope":
		return scopes().MatchString(e.Message)
	case "runner-unknown":
		return hosted().MatchString(e.Message) && meant(askedLabel(e.Message)) == ""
	case "expression-property":
		return called().MatchString(e.Message)
	case "expression-type": // matrix.* are the values, whatever they are
		return strings.Contains(e.Message, "cannot be filtered by object filtering `.*`")
	}
	return false
}

// askedLabel is the label that a message on an unknown runner is about.
func askedLabel(message string) string {
	_, rest, _ := strings.Cut(message, `label "`)
	name, _, _ := strings.Cut(rest, `"`)
	return name
}

// inserted reports whether an expression alone stands at the place of a message:
// GitHub takes what it comes to, a mapping for instance.
// Source: step-with has a context in https://github.com/actions/runner/blob/main/src/Runner.Worker/action_yaml.json
func (d *Document) inserted(e *actionlint.Error) bool {
	n := scalarAt(d.root, e.Line, e.Column)
	if n == nil {
		return false
	}
	t := strings.TrimSpace(n.Value)
	return strings.HasPrefix(t, "${{") && strings.Index(t, "}}") == len(t)-2
}

// mappingAt returns the innermost mapping that begins at a place.
func mappingAt(n *yaml.Node, line, column int) (found *yaml.Node) {
	if n.Line > line || n.Line == line && n.Column > column {
		return nil
	}
	for _, c := range slices.Backward(n.Content) {
		if m := mappingAt(c, line, column); m != nil {
			return m
		}
	}
	if n.Kind == yaml.MappingNode && n.Line == line && n.Column == column {
		return n
	}
	return nil
}

// queueProblems are the queues of concurrency groups that GitHub refuses.
// Source: https://docs.github.com/actions/how-tos/write-workflows/choose-when-workflows-run/control-workflow-concurrency
func (d *Document) queueProblems() []Problem {
	out := queueProblem(child(d.root, "concurrency"))
	for _, job := range pairs(child(d.root, "jobs")) {
		out = append(out, queueProblem(child(job, "concurrency"))...)
	}
	return out
}

func queueProblem(n *yaml.Node) []Problem {
	q := child(n, "queue")
	switch t := raw(q); {
	case q == nil || strings.Contains(t, "${{"):
	case t != "max" && t != "single":
		return []Problem{{at(q), "bad-value", `has a concurrency "queue" that is neither max nor single`}}
	case t == "max" && raw(child(n, "cancel-in-progress")) == "true":
		return []Problem{{at(q), "bad-value", `has a concurrency group with both "queue: max" and "cancel-in-progress: true"`}}
	}
	return nil
}
