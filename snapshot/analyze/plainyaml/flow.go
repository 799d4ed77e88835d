package plainyaml

import (
	"strings"

	"go.yaml.in/yaml/v4"
)

// delimited reads what has a mark at its beginning and its end, all on one line: a
// quoted scalar, a sequence or a mapping in brackets. It returns the offset behind it.
func (p *parser) delimited(at int) (*yaml.Node, int) {
	switch p.text[at] {
	case '"', '\'':
		return p.quoted(at)
	case '[':
		return p.flow(at, yaml.SequenceNode, ']')
	}
	return p.flow(at, yaml.MappingNode, '}')
}

func (p *parser) flow(at int, kind yaml.Kind, closing byte) (*yaml.Node, int) {
	if p.depth++; p.depth > maxDepth {
		return nil, 0
	}
	defer func() { p.depth-- }()
	n, height := p.node(kind, at), len(p.stack)
	n.Style = yaml.FlowStyle
	at = p.spaces(at + 1)
	if at < p.end && p.text[at] == closing {
		return n, at + 1
	}
	for {
		var child *yaml.Node
		if kind == yaml.MappingNode {
			begin := at
			if child, at = p.flowScalar(at); child == nil || at >= p.end || p.text[at] != ':' || !p.ends(at+1) || at-begin > maxKey {
				return nil, 0
			}
			p.stack = append(p.stack, child)
			at++
		}
		if child, at = p.flowValue(p.spaces(at)); child == nil || at >= p.end {
			return nil, 0
		}
		p.stack = append(p.stack, child)
		switch p.text[at] {
		case closing:
			return p.fill(n, height), at + 1
		case ',':
			at = p.spaces(at + 1)
		default:
			return nil, 0
		}
	}
}

// flowValue reads an element of a collection in brackets and the spaces behind it.
func (p *parser) flowValue(at int) (*yaml.Node, int) {
	if at < p.end && (p.text[at] == '[' || p.text[at] == '{') {
		n, end := p.delimited(at)
		if n == nil {
			return nil, 0
		}
		return n, p.spaces(end)
	}
	return p.flowScalar(at)
}

// flowScalar reads a scalar within brackets and the spaces behind it.
func (p *parser) flowScalar(at int) (*yaml.Node, int) {
	if at >= p.end {
		return nil, 0
	}
	c := p.text[at]
	if c == '"' || c == '\'' {
		n, end := p.quoted(at)
		if n == nil {
			return nil, 0
		}
		return n, p.spaces(end)
	}
	if strings.IndexByte(indicators, c) >= 0 || c == '-' && p.ends(at+1) {
		return nil, 0
	}
	end := at
	for ; end < p.end; end++ {
		c := p.text[end]
		if c == ',' || c == ']' || c == '}' || c == ':' && p.ends(end+1) {
			break
		}
		if c == '\t' || c == '[' || c == '{' || c == '?' || c == ':' || c == '#' {
			return nil, 0
		}
	}
	value := p.text[at:p.trim(at, end)]
	if value == "" || len(value) > maxKey {
		return nil, 0
	}
	n := p.plainNode(at, value)
	return n, end
}
