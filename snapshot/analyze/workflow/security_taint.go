package workflow

import (
	"slices"
	"strings"

	"github.com/rhysd/actionlint"
	"go.yaml.in/yaml/v4"
)

// A scope is what the contexts mean at one place.
type scope struct {
	job    *yaml.Node
	envs   []*yaml.Node // innermost first
	matrix *yaml.Node
	conds  []*yaml.Node // the conditions around it
}

// A flow is a context whose text reaches the result of an expression.
type flow struct {
	path     string // as it stands there
	origin   string // what stands behind it, of an env or an output
	offset   int
	stranger bool
}

// trusts reports whether one of the conditions asks who caused the run.
func trusts(conds ...*yaml.Node) bool {
	for _, cond := range conds {
		for _, f := range conditionOf(raw(cond)) {
			if mentions(f.node, trustPaths) && !asksForBot(f.node) {
				return true
			}
		}
	}
	return false
}

// code looks for expressions in a text that is run.
func (s *scan) code(n *yaml.Node, sc *scope) {
	for _, f := range fences(raw(n)) {
		if len(s.hits) >= maxCounted {
			return
		}
		for _, fl := range s.flows(f.node, sc, 0, false) {
			kind := ByWriters
			if fl.stranger {
				if kind = s.reach(fl.origin); kind == "" {
					continue
				}
				if trusts(sc.conds...) {
					kind = Guarded
				}
			}
			detail := fl.path
			if fl.origin != fl.path {
				detail += " = " + fl.origin
			}
			s.hitAt(TemplateInjection, kind, s.spot(n, f, fl.offset), detail)
		}
	}
}

// reach says who can set a path that strangers choose, as the file is started;
// "" when nothing starts it with such a text.
func (s *scan) reach(path string) string {
	if s.m.Kind == Action {
		return ByCallers
	}
	parts := strings.Split(path, ".")
	name := parts[min(1, len(parts)-1)]
	if name == "event" && len(parts) > 2 {
		name = parts[2]
	}
	from := carriers[name]
	best := ""
	for _, e := range s.events {
		switch {
		case e == "workflow_call":
			if best == "" {
				best = ByCallers
			}
		case from != nil && !slices.Contains(from, e):
		case open[e]:
			return ByAnyone
		case strings.HasPrefix(e, "pull_request"):
			best = ByForks
		case e == "push" && best != ByForks:
			best = ByCommits
		}
	}
	return best
}

// constant are functions whose result holds nothing of their arguments.
var constant = set("contains", "startswith", "endswith", "hashfiles", "success", "failure", "always", "cancelled")

// Bounds of how far, and how often in one file, a value is followed through
// env, outputs and matrices.
const (
	maxHops     = 6
	maxFollowed = 20_000
)

// flows returns the contexts whose text reaches the result of an expression.
// whole is set where an object is written out as a whole.
func (s *scan) flows(n actionlint.ExprNode, sc *scope, hops int, whole bool) []flow {
	switch e := n.(type) {
	case *actionlint.LogicalOpNode:
		out := s.flows(e.Right, sc, hops, whole)
		if e.Kind == actionlint.LogicalOpNodeKindOr {
			out = append(s.flows(e.Left, sc, hops, whole), out...)
		}
		return out
	case *actionlint.FuncCallNode:
		name := strings.ToLower(e.Callee)
		if constant[name] {
			return nil
		}
		var out []flow
		for i, a := range e.Args {
			if name != "case" || i%2 == 1 || i == len(e.Args)-1 {
				out = append(out, s.flows(a, sc, hops, whole || name == "tojson")...)
			}
		}
		return out
	case *actionlint.ObjectDerefNode, *actionlint.ArrayDerefNode, *actionlint.IndexAccessNode, *actionlint.VariableNode:
		path, base := pathOf(n)
		if path == "" {
			if _, call := base.(*actionlint.FuncCallNode); call {
				return s.flows(base, sc, hops, whole)
			}
			return nil
		}
		origin, stranger, ok := s.source(path, sc, hops, whole)
		if !ok {
			return nil
		}
		return []flow{{path, origin, n.Token().Offset, stranger}}
	}
	return nil
}

// source says what stands behind a context; ok is false for what nobody but
// GitHub or the file itself decides, or what only the run knows.
func (s *scan) source(path string, sc *scope, hops int, whole bool) (origin string, stranger, ok bool) {
	root, rest, _ := strings.Cut(path, ".")
	if s.followed++; hops > maxHops || s.followed > maxFollowed {
		return "", false, false
	}
	switch root {
	case "github":
		if name, in := strings.CutPrefix(path, "github.event.inputs."); in {
			return path, false, s.freeText(name)
		}
		if untrusted(path, whole) {
			return path, true, true
		}
		return path, false, chosenByWriters(path)
	case "inputs":
		return path, false, s.freeText(rest)
	case "env":
		for _, env := range sc.envs {
			if v := child(env, rest); v != nil {
				return s.behind(v, sc, hops)
			}
		}
	case "matrix":
		for _, v := range matrixValues(sc.matrix, rest) {
			if s.followed++; s.followed > maxFollowed {
				break
			}
			if o, st, found := s.behind(v, sc, hops); found && (st || !ok) {
				origin, stranger, ok = o, st, true
			}
		}
		return origin, stranger, ok
	case "needs":
		if parts := strings.Split(rest, "."); len(parts) == 3 && parts[1] == "outputs" {
			job := child(s.jobs, parts[0])
			return s.behind(child(child(job, "outputs"), parts[2]), &scope{job: job, matrix: child(child(job, "strategy"), "matrix")}, hops)
		}
	}
	return "", false, false
}

// behind says what stands in a text, the worst first.
func (s *scan) behind(v *yaml.Node, sc *scope, hops int) (origin string, stranger, ok bool) {
	for _, f := range fences(raw(v)) {
		for _, fl := range s.flows(f.node, sc, hops+1, false) {
			if fl.stranger {
				return fl.origin, true, true
			}
			origin, ok = fl.origin, true
		}
	}
	return origin, false, ok
}

// freeText reports whether an input of that name takes any text.
func (s *scan) freeText(name string) bool {
	if s.m.Kind == Action {
		return true
	}
	for _, event := range []string{"workflow_dispatch", "workflow_call"} {
		in := child(child(child(s.on, event), "inputs"), name)
		if in == nil {
			continue
		}
		switch strings.ToLower(raw(child(in, "type"))) {
		case "", "string":
			return true
		}
	}
	return false
}

func chosenByWriters(path string) bool {
	return slices.ContainsFunc(rightful, func(w string) bool { return path == w || strings.HasPrefix(path, w+".") })
}

// untrusted reports whether strangers choose the text at a path of github, or,
// where the object is written out as a whole, a text in it.
func untrusted(path string, whole bool) bool {
	if strangers[path] {
		return true
	}
	at := actionlint.BuiltinUntrustedInputs["github"]
	for _, part := range strings.Split(path, ".")[1:] {
		next := at.Children[part]
		if next == nil {
			next = at.Children["*"]
		}
		if next == nil {
			return false
		}
		at = next
	}
	return at.Children == nil || whole
}

// matrixValues returns the texts that a context of the matrix can have.
func matrixValues(matrix *yaml.Node, path string) []*yaml.Node {
	if raw(matrix) != "" {
		return []*yaml.Node{matrix}
	}
	parts := strings.Split(path, ".")
	var out []*yaml.Node
	if v := child(matrix, parts[0]); raw(v) != "" { // an expression that gives the list
		out = append(out, v)
	} else {
		for e := range each(v) {
			out = append(out, leaves(below(e, parts[1:]))...)
		}
	}
	for e := range each(child(matrix, "include")) {
		out = append(out, leaves(below(child(e, parts[0]), parts[1:]))...)
	}
	return out
}

func below(n *yaml.Node, parts []string) *yaml.Node {
	for _, p := range parts {
		if n = deref(n); n == nil || n.Kind != yaml.MappingNode {
			return n
		}
		n = child(n, p)
	}
	return n
}

func leaves(n *yaml.Node) []*yaml.Node {
	if n = deref(n); n == nil {
		return nil
	}
	if n.Kind == yaml.ScalarNode {
		return []*yaml.Node{n}
	}
	var out []*yaml.Node
	for e := range each(n) {
		out = append(out, leaves(e)...)
	}
	for _, v := range pairs(n) {
		out = append(out, leaves(v)...)
	}
	return out
}

func set(names ...string) map[string]bool {
	m := make(map[string]bool, len(names))
	for _, n := range names {
		m[n] = true
	}
	return m
}
