package plainyaml

import "go.yaml.in/yaml/v4"

// mapping reads the entries from the one at an offset on, whose keys stand at a
// column.
func (p *parser) mapping(at, column int) *yaml.Node {
	if p.depth++; p.depth > maxDepth {
		return nil
	}
	defer func() { p.depth-- }()
	n, height := p.node(yaml.MappingNode, at), len(p.stack)
	for {
		if column == 0 && p.marker() {
			return nil
		}
		key, colon := p.key(at)
		if key == nil {
			return nil
		}
		value := p.value(colon+1, column, true)
		if value == nil {
			return nil
		}
		p.stack = append(p.stack, key, value)
		if p.indent < column {
			return p.fill(n, height)
		}
		if p.indent > column || p.dash() {
			return nil
		}
		at = p.at
	}
}

// sequence reads the entries from the line on, whose dashes stand at a column.
func (p *parser) sequence(at, column int) *yaml.Node {
	if p.depth++; p.depth > maxDepth {
		return nil
	}
	defer func() { p.depth-- }()
	n, height := p.node(yaml.SequenceNode, at), len(p.stack)
	for {
		entry := p.entry(at+1, column)
		if entry == nil {
			return nil
		}
		p.stack = append(p.stack, entry)
		if p.indent < column || p.indent == column && !p.dash() {
			return p.fill(n, height)
		}
		if p.indent > column {
			return nil
		}
		at = p.at
	}
}

// entry reads what follows a dash.
func (p *parser) entry(from, column int) *yaml.Node {
	at := p.spaces(from)
	if at < p.end && p.text[at] != '#' {
		inner := column + at - (from - 1)
		if p.text[at] == '-' && p.ends(at+1) {
			return p.sequence(at, inner)
		}
		if p.keyed(at) {
			return p.mapping(at, inner)
		}
	}
	return p.value(from, column, false)
}

// value reads what follows the mark of an entry whose collection stands at a
// column. Only the value of a mapping may be a sequence at the same column.
func (p *parser) value(from, column int, beside bool) *yaml.Node {
	at := p.spaces(from)
	if p.closed(from) {
		return p.below(from, column, beside)
	}
	switch c := p.text[at]; {
	case at == from:
		return nil
	case c == '|' || c == '>':
		return p.block(at, column)
	case c == '"' || c == '\'' || c == '[' || c == '{':
		n, end := p.delimited(at)
		if n == nil || !p.closed(end) {
			return nil
		}
		if p.next(); p.indent > column {
			return nil
		}
		return n
	}
	return p.plain(at, column)
}

// below reads a value that begins on a line of its own, or is none.
func (p *parser) below(from, column int, beside bool) *yaml.Node {
	line, place := p.number, p.column(from)
	p.next()
	switch {
	case p.indent > column && p.dash(), p.indent == column && beside && p.dash():
		return p.sequence(p.at, p.indent)
	case p.indent > column && p.keyed(p.at):
		return p.mapping(p.at, p.indent)
	case p.indent > column:
		return nil
	}
	none := p.make(yaml.ScalarNode)
	none.Tag, none.Line, none.Column = "!!null", line, place
	return none
}
