package workflow

import (
	"slices"
	"strings"

	"github.com/rhysd/actionlint"
	"go.yaml.in/yaml/v4"

	"healthaudit/snapshot/analyze/lazyregexp"
)

var (
	eventName = lazyregexp.New(`^[a-z_]{2,40}$`)
	cronText  = lazyregexp.New(`^[0-9A-Za-z*/, -]{9,60}$`)
)

// occasions are what a condition may be held against: when a workflow runs. Those of
// a reusable one are its caller's.
type occasions struct {
	events, crons []string
	unknown       bool
	unqualified   bool // github.ref need not begin with refs/
}

// results are what a step, a job or a run came to.
// Source: https://docs.github.com/actions/reference/workflows-and-actions/contexts#steps-context, #needs-context, #job-context
var results = []string{"success", "failure", "cancelled", "skipped"}

// qualified are events whose github.ref begins with refs/. That of a pull request which
// was merged is a bare name.
// Source: https://docs.github.com/actions/reference/workflows-and-actions/events-that-trigger-workflows;
// actions/checkout src/input-helper.ts ("Some events have an unqualified ref")
var qualified = []string{"push", "schedule", "workflow_dispatch", "repository_dispatch", "workflow_run", "merge_group", "release"}

var (
	resultPath = lazyregexp.New(`^(?:needs\.[^.]+\.result|steps\.[^.]+\.(?:outcome|conclusion)|job\.status)$`)
	plainRef   = lazyregexp.New(`^[A-Za-z0-9][A-Za-z0-9._/-]{0,60}$`)
	askable    = lazyregexp.New(`event|result|outcome|conclusion|status|github\.ref\b`)
)

// neverNotes finds jobs and steps whose condition asks for an occasion on which
// the workflow does not run, or for a value that there is not: they never do. A reusable workflow has the occasions
// of whoever calls it.
// Source: https://docs.github.com/actions/reference/workflows-and-actions/contexts#github-context
func (d *Document) neverNotes(m *Model) []Message {
	var o occasions
	for _, t := range m.Triggers {
		o.events = append(o.events, strings.ToLower(t.Event))
	}
	for _, s := range m.Schedules {
		o.crons = append(o.crons, strings.ToLower(s.Cron))
	}
	o.unqualified = slices.ContainsFunc(o.events, func(e string) bool { return !slices.Contains(qualified, e) })
	o.unknown = len(o.events) == 0 || slices.Contains(o.events, "workflow_call")
	var out []Message
	look := func(n *yaml.Node) {
		c := child(n, "if")
		t := strings.TrimSpace(raw(c))
		if !strings.Contains(t, "==") || !askable().MatchString(strings.ToLower(t)) || strings.Contains(t, "${{") && (!strings.HasPrefix(t, "${{") || !strings.HasSuffix(t, "}}")) {
			return
		}
		if e := conditionOf(t); len(e) == 1 {
			if subject := o.lacks(e[0].node); subject != "" {
				out = append(out, Message{Pos: at(c), Family: NoteNever, Where: whereIs(m, c.Line), Subject: subject})
			}
		}
	}
	for _, job := range pairs(child(d.root, "jobs")) {
		look(job)
		for s := range each(child(job, "steps")) {
			look(s)
		}
	}
	return out
}

// lacks returns an occasion that an expression cannot be true without and that
// the workflow does not have: the name of an event, or "schedule " and a cron
// expression; or what it compares a context with that never has that value, "is "
// and both; "" when there is none.
func (o occasions) lacks(e actionlint.ExprNode) string {
	switch e := e.(type) {
	case *actionlint.LogicalOpNode:
		left, right := o.lacks(e.Left), o.lacks(e.Right)
		switch {
		case e.Kind == actionlint.LogicalOpNodeKindAnd && left == "":
			return right
		case e.Kind == actionlint.LogicalOpNodeKindOr && right == "":
			return ""
		}
		return left
	case *actionlint.CompareOpNode:
		path, _ := pathOf(e.Left)
		lit, ok := e.Right.(*actionlint.StringNode)
		if !ok {
			path, _ = pathOf(e.Right)
			lit, ok = e.Left.(*actionlint.StringNode)
		}
		if !ok || e.Kind != actionlint.CompareOpNodeKindEq {
			return ""
		}
		low := strings.ToLower(lit.Value) // GitHub compares texts without regard to case
		switch {
		case resultPath().MatchString(path) && !slices.Contains(results, low) && eventName().MatchString(low),
			path == "github.ref" && !o.unknown && !o.unqualified && !strings.HasPrefix(low, "refs/") && plainRef().MatchString(lit.Value):
			return "is " + path + " " + lit.Value
		case o.unknown:
		case path == "github.event_name" && !slices.Contains(o.events, low) && eventName().MatchString(low):
			return low
		case path == "github.event.schedule" && !slices.Contains(o.crons, low) && cronText().MatchString(low):
			return "schedule " + lit.Value
		}
	}
	return ""
}
