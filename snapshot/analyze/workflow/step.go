package workflow

import (
	"strings"

	"go.yaml.in/yaml/v4"

	"healthaudit/snapshot/analyze/lazyregexp"
)

func (b *builder) steps(n *yaml.Node) []Step {
	if n = deref(n); n == nil || n.Kind != yaml.SequenceNode {
		return nil
	}
	out := make([]Step, 0, len(n.Content))
	for s := range each(n) {
		if s.Kind == yaml.MappingNode {
			out = b.step(out, s)
		}
	}
	seen := map[string]int{}
	for i := range out {
		k := out[i].Key
		if seen[k]++; seen[k] > 1 {
			out[i].Key = k + "~" + itoa(seen[k])
		}
	}
	return out
}

// step appends the step to out, and the steps of a parallel group behind it;
// groups do not nest.
func (b *builder) step(out []Step, n *yaml.Node) []Step {
	s := Step{Pos: at(n), traits: &noTraits}
	var id, name string
	var run *yaml.Node
	var group []*yaml.Node
	for k, v := range pairs(n) {
		switch strings.ToLower(k.Value) {
		case "id":
			id = text(v)
		case "name":
			name = text(v)
		case "uses":
			s.Uses, s.UsesPos = text(v), at(v)
		case "run":
			s.run, run = raw(v), v
		case "if":
			s.If = text(v)
		case "shell":
			s.Shell = shownShell(v)
		case "working-directory":
			s.Dir = text(v)
		case "timeout-minutes":
			s.Timeout = minutes(v)
		case "continue-on-error":
			s.Continue = text(v)
		case "with":
			s.With = b.inputs(v)
			s.with = map[string]string{}
			if raw(v) != "" { // an expression gives them
				s.with[GivesAll] = ""
			}
			for k, v := range pairs(v) {
				s.with[strings.ToLower(text(k))] = text(v)
			}
		case "env":
			s.Env = b.values(v)
		case "parallel":
			for sub := range each(v) {
				if sub.Kind == yaml.MappingNode && child(sub, "parallel") == nil {
					group = append(group, sub)
				}
			}
		}
	}
	first := ""
	if s.run != "" {
		sc := readScript(s.run)
		s.Programs, s.Masked, s.writes, s.script = sc.Names, sc.Masked, sc.Writes, sc
		first = sc.First
	}
	s.Key = stepKey(id, name, first, &s)
	if s.run != "" || s.Uses != "" || len(group) == 0 {
		b.runs = append(b.runs, run)
		out = append(out, s)
	}
	for _, sub := range group {
		out = b.step(out, sub)
	}
	return out
}

var spaces = lazyregexp.New(`\s+`)

func stepKey(id, name, program string, s *Step) string {
	action, _ := ActionOf(s.Uses)
	if strings.Contains(name, "  ") || strings.ContainsAny(name, "\t\n\f\r") {
		name = spaces().ReplaceAllString(name, " ")
	}
	name = strings.TrimSpace(name)
	switch {
	case id != "":
		return id
	case name != "":
		if r := []rune(name); len(r) > 60 {
			name = string(r[:60])
		}
		return name
	case s.Uses != "":
		return "uses:" + action
	case program != "":
		return "run:" + program
	case s.run != "":
		return "run"
	}
	return "step"
}

// locate fills in where the text of every run step begins.
func (b *builder) locate(m *Model, text []string) {
	i := 0
	for j := range m.Jobs {
		for k := range m.Jobs[j].Steps {
			if n := b.runs[i]; n != nil {
				m.Jobs[j].Steps[k].RunPos = textPos(n, text)
			}
			i++
		}
	}
}

// textPos returns where the text of a scalar begins: for block scalars that is
// the line below the indicator.
func textPos(n *yaml.Node, text []string) Pos {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	p := at(n)
	switch n.Style &^ yaml.TaggedStyle {
	case yaml.LiteralStyle, yaml.FoldedStyle:
		p = Pos{p.Line + 1, 1}
		for l := p.Line; l <= len(text); l++ {
			if t := strings.TrimLeft(text[l-1], " "); strings.TrimSpace(t) != "" {
				p.Column = len(text[l-1]) - len(t) + 1
				break
			}
		}
	case yaml.SingleQuotedStyle, yaml.DoubleQuotedStyle:
		p.Column++
	}
	return p
}
