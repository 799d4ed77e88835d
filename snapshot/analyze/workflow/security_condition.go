package workflow

import (
	"strings"

	"github.com/rhysd/actionlint"
	"go.yaml.in/yaml/v4"
)

// steerable are contexts that whoever causes a run can choose.
// Source: https://docs.zizmor.sh/audits/#unsound-contains
var steerable = []string{"env", "github.actor", "github.base_ref", "github.head_ref", "github.ref", "github.ref_name", "github.sha", "github.triggering_actor", "inputs"}

// actors name who caused a run: the one who pushed last, not who wrote the change.
var actors = set("github.actor", "github.triggering_actor", "github.event.sender.login", "github.event.pull_request.sender.login")

// actorIDs are the same by number; bots are the numbers of well-known ones.
// Source: https://api.github.com/users/dependabot[bot], …/renovate[bot], …/github-actions[bot]
var (
	actorIDs = set("github.actor_id", "github.event.sender.id", "github.event.pull_request.sender.id")
	bots     = set("49699333", "29139614", "41898282")
)

// condition judges an if:.
func (s *scan) condition(n *yaml.Node) {
	t := raw(n)
	if t == "" {
		return
	}
	plain := strings.HasPrefix(t, "${{") && strings.HasSuffix(t, "}}") && strings.Count(t, "${{") == 1 || !strings.Contains(t, "${{")
	low := strings.ToLower(t)
	asks := strings.Contains(low, "contains") || strings.Contains(low, "[bot]") || strings.Contains(low, "id")
	if plain && !asks {
		return // what most files have needs no parser
	}
	exprs := conditionOf(t)
	if strings.Contains(t, "${{") && len(exprs) > 0 && alwaysTrue(t, exprs) {
		kind := "text"
		if strings.TrimSpace(t[exprs[0].end:]) == "" && strings.TrimSpace(t[:exprs[0].start]) == "" {
			kind = "newline"
		}
		s.hit(UnsoundCondition, kind, n, "")
	}
	for _, f := range exprs {
		s.contains(n, f)
		s.botCondition(n, f)
	}
}

// alwaysTrue reports whether GitHub sees a text around the fences: a text that
// is not empty is true.
func alwaysTrue(t string, exprs []fenced) bool {
	if strings.Count(t, "${{") != len(exprs) {
		return false // one of them does not parse: another finding
	}
	return len(exprs) > 1 || exprs[0].start > 0 || exprs[0].end < len(t)
}

// contains looks for contains('a b', context), which asks whether the context
// is a part of the text, not one of its words.
func (s *scan) contains(n *yaml.Node, f fenced) {
	visit(f.node, func(e, _ actionlint.ExprNode) {
		c, ok := e.(*actionlint.FuncCallNode)
		if !ok || !strings.EqualFold(c.Callee, "contains") || len(c.Args) != 2 {
			return
		}
		if _, ok := c.Args[0].(*actionlint.StringNode); !ok {
			return
		}
		path, _ := pathOf(c.Args[1])
		for _, p := range steerable {
			if path == p || strings.HasPrefix(path, p+".") {
				s.hitAt(UnsoundContains, "", s.spot(n, f, c.Token().Offset), path)
				return
			}
		}
	})
}

// botCondition looks for github.actor == 'x[bot]', which says who pushed last,
// outside of a negation.
func (s *scan) botCondition(n *yaml.Node, f fenced) {
	negations := 0
	actionlint.VisitExprNode(f.node, func(e, _ actionlint.ExprNode, entering bool) {
		switch e := e.(type) {
		case *actionlint.NotOpNode:
			if negations--; entering {
				negations += 2
			}
		case *actionlint.CompareOpNode:
			if !entering || negations > 0 || e.Kind != actionlint.CompareOpNodeKindEq {
				return
			}
			for _, side := range [][2]actionlint.ExprNode{{e.Left, e.Right}, {e.Right, e.Left}} {
				if path, _ := pathOf(side[0]); isBot(path, side[1]) {
					s.hitAt(BotCondition, s.stage(), s.spot(n, f, side[0].Token().Offset), path)
				}
			}
		}
	})
}

// asksForBot reports whether an expression takes the actor for a bot, which is no trust.
func asksForBot(e actionlint.ExprNode) bool {
	found := false
	visit(e, func(n, _ actionlint.ExprNode) {
		if c, ok := n.(*actionlint.CompareOpNode); ok {
			left, _ := pathOf(c.Left)
			right, _ := pathOf(c.Right)
			found = found || isBot(left, c.Right) || isBot(right, c.Left)
		}
	})
	return found
}

func isBot(path string, lit actionlint.ExprNode) bool {
	switch l := lit.(type) {
	case *actionlint.StringNode:
		return actors[path] && strings.HasSuffix(l.Value, "[bot]") || actorIDs[path] && bots[l.Value]
	case *actionlint.IntNode:
		return actorIDs[path] && bots[itoa(l.Value)]
	}
	return false
}

// stage says with which rights strangers can cause a run of the file: "open"
// with the repository's, "forks" with reduced ones, "" not at all.
func (s *scan) stage() string {
	best := ""
	for _, e := range s.events {
		switch {
		case open[e]:
			return "open"
		case e == "pull_request" || e == "pull_request_review" || e == "pull_request_review_comment":
			best = "forks"
		}
	}
	return best
}

// expressions looks at every expression of the file for whole sets of secrets,
// secrets within secrets, and choices that cannot choose.
func (s *scan) expressions(n *yaml.Node) {
	if n.Kind == yaml.MappingNode {
		for i := 0; i+1 < len(n.Content); i += 2 {
			k, v := n.Content[i], n.Content[i+1]
			if v.Kind == yaml.ScalarNode && k.Value == "if" && !strings.Contains(v.Value, "${{") {
				s.scalar(v, conditionOf)
			} else {
				s.expressions(v)
			}
		}
		return
	}
	if n.Kind == yaml.ScalarNode && strings.Contains(n.Value, "${{") {
		s.scalar(n, fences)
	}
	for _, c := range n.Content {
		s.expressions(c)
	}
}

func (s *scan) scalar(n *yaml.Node, read func(string) []fenced) {
	secrets := strings.Contains(n.Value, "ecrets") || strings.Contains(n.Value, "SECRETS")
	choice := strings.Contains(n.Value, "&&") && strings.Contains(n.Value, "||")
	if !secrets && !choice {
		return
	}
	for _, f := range read(n.Value) {
		visit(f.node, func(e, parent actionlint.ExprNode) {
			switch e := e.(type) {
			case *actionlint.LogicalOpNode:
				s.ternary(n, f, e)
			case *actionlint.FuncCallNode:
				s.secretCall(n, f, e)
			case *actionlint.IndexAccessNode:
				_, literal := e.Index.(*actionlint.StringNode)
				if p, _ := pathOf(e.Operand); p == "secrets" && !literal {
					s.hitAt(OverprovisionedSecrets, "computed", s.spot(n, f, e.Token().Offset), "")
				}
			}
		})
	}
}

func (s *scan) secretCall(n *yaml.Node, f fenced, c *actionlint.FuncCallNode) {
	for _, a := range c.Args {
		p, _ := pathOf(a)
		switch {
		case strings.EqualFold(c.Callee, "toJSON") && p == "secrets":
			s.hitAt(OverprovisionedSecrets, "all", s.spot(n, f, c.Token().Offset), "")
		case strings.EqualFold(c.Callee, "fromJSON") && strings.HasPrefix(p, "secrets."):
			s.hitAt(UnredactedSecrets, "", s.spot(n, f, c.Token().Offset), strings.ToUpper(strings.TrimPrefix(p, "secrets.")))
		}
	}
}

// ternary looks for a && FALSY || b, which is b whatever a is.
func (s *scan) ternary(n *yaml.Node, f fenced, or *actionlint.LogicalOpNode) {
	if or.Kind != actionlint.LogicalOpNodeKindOr {
		return
	}
	and, ok := or.Left.(*actionlint.LogicalOpNode)
	if !ok || and.Kind != actionlint.LogicalOpNodeKindAnd || fixed(and.Left) {
		return
	}
	value := and.Right
	for { // a && b && c leans to the right
		if inner, ok := value.(*actionlint.LogicalOpNode); ok && inner.Kind == actionlint.LogicalOpNodeKindAnd {
			value = inner.Right
			continue
		}
		break
	}
	if falsy(value) && !falsy(or.Right) {
		s.hitAt(UnsoundTernary, "", s.spot(n, f, value.Token().Offset), "")
	}
}

// fixed reports whether an expression reads no context.
func fixed(e actionlint.ExprNode) bool {
	out := true
	visit(e, func(n, _ actionlint.ExprNode) {
		switch n.(type) {
		case *actionlint.VariableNode, *actionlint.FuncCallNode:
			out = false
		}
	})
	return out
}

// falsy reports whether an expression is a value that counts as false.
// Source: https://docs.github.com/actions/reference/workflows-and-actions/expressions#literals
func falsy(e actionlint.ExprNode) bool {
	switch e := e.(type) {
	case *actionlint.NullNode:
		return true
	case *actionlint.BoolNode:
		return !e.Value
	case *actionlint.IntNode:
		return e.Value == 0
	case *actionlint.FloatNode:
		return e.Value == 0
	case *actionlint.StringNode:
		return e.Value == ""
	}
	return false
}
