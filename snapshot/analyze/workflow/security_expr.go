package workflow

import (
	"strings"
	"unicode/utf8"

	"github.com/rhysd/actionlint"
	"go.yaml.in/yaml/v4"
)

// maxExpression is the length in bytes of the longest expression GitHub
// evaluates. Source: https://docs.github.com/actions/reference/limits
const maxExpression = 21_000

// Bounds against files made to cost time: real ones have a hundredth of it.
const (
	maxFences = 2000 // expressions of one text
	maxParts  = 20   // names of one path
)

// A fenced expression is one ${{ }} in a text.
type fenced struct {
	node       actionlint.ExprNode
	index      int // which "${{" of the text it is, from 0
	start, end int // in the text, with the fence
	skip       int // from "${{" to what the offsets of tokens count from
}

// fences returns the expressions of a text. What does not parse is left out.
func fences(t string) []fenced {
	var out []fenced
	last := strings.LastIndex(t, "}}")
	for i, at := 0, 0; i < maxFences; i++ {
		open := strings.Index(t[at:], "${{")
		if open += at; open < at || open > last {
			break
		}
		body := t[open+3:]
		if len(body) > maxExpression {
			body = body[:maxExpression]
		}
		at = open + 3
		if e, length := parse(body); e != nil {
			at += length
			out = append(out, fenced{e, i, open, at, 3})
		}
	}
	return out
}

// An expression is what stands in a fence, and how long it is in bytes, its "}}"
// included; without a node it is none.
type expression struct {
	node   actionlint.ExprNode
	length int
}

// readExpressions are those that were read: files say the same in their fences.
var readExpressions = memo[expression]{longest: 200, most: 1024}

// parse reads an expression up to its "}}"; nil when it is none.
func parse(body string) (actionlint.ExprNode, int) {
	end := strings.Index(body, "}}")
	if end < 0 {
		return nil, 0
	}
	head, rest := body[:end+2], body[end+2:]
	if strings.Count(head, "'")%2 == 0 && (rest == "" || 0 < rest[0] && rest[0] < utf8.RuneSelf) { // it ends there, and not in a string; the lexer looks one character ahead
		body = head
	}
	e := readExpressions.get(body, readExpression)
	return e.node, e.length
}

func readExpression(body string) expression {
	lex := actionlint.NewExprLexer(starred(body))
	e, err := actionlint.NewExprParser().Parse(lex)
	if err != nil {
		return expression{}
	}
	return expression{e, lex.Offset()}
}

// starred writes x[*] as x.*, which is the same to GitHub and the only one that
// actionlint v1.7.12 reads; what follows keeps its place.
// Source: https://github.com/actions/runner src/Sdk/DTExpressions2/Expressions2/ExpressionParser.cs
func starred(body string) string {
	if !strings.Contains(body, "[*]") {
		return body
	}
	parts := strings.Split(body, "'")
	for i := 0; i < len(parts); i += 2 { // the others are strings
		parts[i] = strings.ReplaceAll(parts[i], "[*]", ".* ")
	}
	return strings.Join(parts, "'")
}

// conditionOf returns the expression of an if: with or without a fence.
func conditionOf(t string) []fenced {
	if strings.Contains(t, "${{") {
		return fences(t)
	}
	if len(t) > maxExpression {
		return nil
	}
	if e, _ := parse(t + "}}"); e != nil {
		return []fenced{{e, -1, 0, len(t), 0}}
	}
	return nil
}

// readable reports whether each expression of a text can be read: in its fences,
// or all of it, as an if without them is.
func readable(t string) bool {
	if !strings.Contains(t, "${{") {
		return len(conditionOf(t)) > 0
	}
	for range maxFences {
		_, rest, ok := strings.Cut(t, "${{")
		if !ok {
			break
		}
		e, length := parse(rest[:min(len(rest), maxExpression)])
		if e == nil {
			return false
		}
		t = rest[length:]
	}
	return true
}

// spot returns where a token of an expression stands in the file. Whatever the
// style of the scalar, its n-th "${{" is the n-th behind its beginning.
func (s *scan) spot(n *yaml.Node, f fenced, offset int) Pos {
	text := s.text
	p := textPos(n, text)
	if f.index < 0 {
		if n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) == 0 && offset < len(n.Value) && !strings.Contains(n.Value[:offset], "\n") {
			p.Column += utf8.RuneCountInString(n.Value[:offset])
		}
		return p
	}
	left := f.index
	for l := p.Line; l <= len(text); l++ {
		line, from := text[l-1], 0
		if l == p.Line {
			from = byteOf(line, p.Column)
		}
		for {
			i := strings.Index(line[from:], "${{")
			if i < 0 {
				break
			}
			from += i
			if left == 0 {
				at := from
				if to := from + f.skip + offset; to <= len(line) && !strings.Contains(n.Value[f.start:min(f.start+f.skip+offset, len(n.Value))], "\n") {
					at = to
				}
				return Pos{l, utf8.RuneCountInString(line[:at]) + 1}
			}
			left--
			from += 3
		}
	}
	return p
}

// byteOf returns the offset of a column counted in characters.
func byteOf(line string, column int) int {
	for i := range line {
		if column--; column == 0 {
			return i
		}
	}
	return len(line)
}

// pathOf returns the dotted path of a context, in lower case, with "*" for
// elements that are not named: github.event.commits.*.message. base is what
// the path begins with, a variable or a call.
func pathOf(n actionlint.ExprNode) (path string, base actionlint.ExprNode) {
	var parts []string
	for len(parts) <= maxParts {
		switch e := n.(type) {
		case *actionlint.ObjectDerefNode:
			parts, n = append(parts, strings.ToLower(e.Property)), e.Receiver
		case *actionlint.ArrayDerefNode:
			parts, n = append(parts, "*"), e.Receiver
		case *actionlint.IndexAccessNode:
			part := "*"
			if i, ok := e.Index.(*actionlint.StringNode); ok {
				part = strings.ToLower(i.Value)
			}
			parts, n = append(parts, part), e.Operand
		case *actionlint.VariableNode:
			var b strings.Builder
			b.WriteString(strings.ToLower(e.Name))
			for i := len(parts) - 1; i >= 0; i-- {
				b.WriteString("." + parts[i])
			}
			return b.String(), e
		default:
			return "", n
		}
	}
	return "", n
}

// visit calls f for every node of an expression.
func visit(e actionlint.ExprNode, f func(n, parent actionlint.ExprNode)) {
	actionlint.VisitExprNode(e, func(n, parent actionlint.ExprNode, entering bool) {
		if entering {
			f(n, parent)
		}
	})
}

// mentions reports whether an expression reads one of these paths, or what lies below.
func mentions(e actionlint.ExprNode, paths map[string]bool) bool {
	found := false
	visit(e, func(n, _ actionlint.ExprNode) {
		if p, _ := pathOf(n); p != "" && paths[p] {
			found = true
		}
	})
	return found
}
