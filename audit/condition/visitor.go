package condition

import (
	"fmt"
	"slices"

	"github.com/expr-lang/expr/ast"
)

// A visitor refuses what could not be known before a rule is run: names that
// are computed or that nothing has; and what could take minutes or all memory: loops
// in loops, ranges, and variables that double a text again and again.
type visitor struct {
	v              Vocabulary
	facts, metrics []string
	err            *Error
}

func (l *visitor) Visit(node *ast.Node) {
	switch n := (*node).(type) {
	case *ast.CallNode:
		l.call(n)
	case *ast.MemberNode:
		l.member(node, n)
	case *ast.PredicateNode:
		if deep(n.Node) > 0 {
			l.fail(n.Location().From, "a loop in a loop: it could take minutes", "")
		}
	case *ast.VariableDeclaratorNode:
		l.fail(n.Location().From, "let could make texts that fill the memory", "write what it stands for in its place")
	case *ast.BinaryNode:
		if n.Operator == ".." {
			l.fail(n.Location().From, "a range could take minutes to go through", "compare with < and >")
		}
	}
}

// deep counts the predicates that stand in one another.
func deep(n ast.Node) int {
	d := &deepest{}
	ast.Walk(&n, d)
	return d.found
}

type deepest struct{ found int }

func (d *deepest) Visit(n *ast.Node) {
	if _, ok := (*n).(*ast.PredicateNode); ok {
		d.found++
	}
}

func (l *visitor) call(n *ast.CallNode) {
	id, ok := n.Callee.(*ast.IdentifierNode)
	if !ok || !slices.Contains(functions, id.Value) || len(n.Arguments) == 0 {
		return
	}
	called := id.Value
	word, ok := n.Arguments[0].(*ast.StringNode)
	if !ok {
		l.fail(n.Arguments[0].Location().From, called+" wants a name in quotes, not one that is computed", "")
		return
	}
	known, what := []string(nil), ""
	switch called {
	case "metric":
		known, what = l.v.Metrics, "metric"
		l.metrics = noted(l.metrics, word.Value)
	case "finding":
		known, what = l.v.Checks, "check"
		if slices.Contains(l.v.Off, word.Value) {
			l.fail(word.Location().From, "the check "+word.Value+" is switched off, so nobody knows what it would find", "")
		}
	default:
		l.facts = noted(l.facts, word.Value)
		return
	}
	if !slices.Contains(known, word.Value) {
		l.fail(word.Location().From, fmt.Sprintf("there is no %s %q", what, word.Value), l.v.Meant(word.Value, known))
	}
}

// member has Subject.change asked for item.change.
func (l *visitor) member(node *ast.Node, n *ast.MemberNode) {
	if name, ok := n.Property.(*ast.StringNode); !ok || name.Value != "change" {
		return
	}
	if id, ok := n.Node.(*ast.IdentifierNode); !ok || id.Value != "item" {
		l.fail(n.Location().From, "change can be asked of item only", "write item.change")
		return
	}
	ast.Patch(node, &ast.CallNode{Callee: &ast.IdentifierNode{Value: "item.change"}})
}

func noted(list []string, name string) []string {
	if slices.Contains(list, name) {
		return list
	}
	return append(list, name)
}

func (l *visitor) fail(at int, what, hint string) {
	if l.err == nil {
		l.err = &Error{Column: at + 1, What: what, Hint: hint}
	}
}
