package plainyaml

import (
	"strings"

	"go.yaml.in/yaml/v4"
)

// indicators cannot begin a plain scalar. Source: https://yaml.org/spec/1.1/#c-indicator
// ("-", "?" and ":" may where no space follows; the last two are left to the library).
const indicators = "?:,[]{}#&*!|>'\"%@`"

// key reads the key of a mapping's entry, and returns the offset of its colon.
func (p *parser) key(at int) (*yaml.Node, int) {
	end, colon := at, at
	var n *yaml.Node
	if c := p.text[at]; c == '"' || c == '\'' {
		n, end = p.quoted(at)
		colon = end
	} else if end, colon = p.scan(at); colon >= 0 {
		n = p.plainNode(at, p.text[at:end])
	}
	if n == nil || colon >= p.end || p.text[colon] != ':' || !p.ends(colon+1) || colon-at > maxKey {
		return nil, 0
	}
	return n, colon
}

// keyed reports whether an entry of a mapping begins at an offset.
func (p *parser) keyed(at int) bool {
	if c := p.text[at]; c == '"' || c == '\'' {
		end := p.closing(at)
		return end > 0 && end < p.end && p.text[end] == ':' && p.ends(end+1)
	}
	_, colon := p.scan(at)
	return colon >= 0
}

// scan goes over a plain scalar on its line. It returns its end, and the offset of
// the colon that makes it a key, or -1. The end is 0 where this is no plain scalar.
func (p *parser) scan(at int) (end, colon int) {
	c := p.text[at]
	if strings.IndexByte(indicators, c) >= 0 || c == '-' && p.ends(at+1) {
		return 0, -1
	}
	for end = at; end < p.end; end++ {
		switch p.text[end] {
		case '\t':
			return 0, -1
		case ':':
			if p.ends(end + 1) {
				colon = end
				return p.trim(at, end), colon
			}
		case '#':
			if p.text[end-1] == ' ' {
				return p.trim(at, end), -1
			}
		}
	}
	return p.trim(at, end), -1
}

// trim returns the end of what stands between two offsets, without spaces.
func (p *parser) trim(at, end int) int {
	for end > at && p.text[end-1] == ' ' {
		end--
	}
	return end
}

// plain reads a plain scalar that is a value: its line, and those below that stand
// further in than the collection.
func (p *parser) plain(at, column int) *yaml.Node {
	end, colon := p.scan(at)
	if end == 0 || colon >= 0 {
		return nil
	}
	first := p.text[at:end]
	n := p.node(yaml.ScalarNode, at)
	open := p.spaces(end) == p.end // no comment ended it
	p.buf = p.buf[:0]
	for breaks := 0; ; {
		if !p.step() {
			break
		}
		if p.at == p.end {
			breaks++
			continue
		}
		if p.text[p.at] == '#' {
			p.next()
			open = false
		}
		if p.indent <= column {
			break
		}
		if !open || p.text[p.at] == '\t' {
			return nil
		}
		end, ok := p.continued(p.at)
		if !ok {
			return nil
		}
		if len(p.buf) == 0 {
			p.buf = append(p.buf, first...)
		}
		if breaks == 0 {
			p.buf = append(p.buf, ' ')
		}
		for ; breaks > 0; breaks-- {
			p.buf = append(p.buf, '\n')
		}
		p.buf = append(p.buf, p.text[p.at:end]...)
		open = p.spaces(end) == p.end
	}
	if len(p.buf) > 0 {
		first = string(p.buf)
	}
	return resolved(n, first)
}

// continued returns the end of a further line of a plain scalar, and whether it
// can be one. Any character may begin it.
func (p *parser) continued(at int) (end int, ok bool) {
	for end = at; end < p.end; end++ {
		switch c := p.text[end]; {
		case c == '\t', c == ':' && p.ends(end+1):
			return 0, false
		case c == '#' && p.text[end-1] == ' ':
			return p.trim(at, end), true
		}
	}
	return p.trim(at, end), true
}

func (p *parser) plainNode(at int, value string) *yaml.Node {
	return resolved(p.node(yaml.ScalarNode, at), value)
}

// resolved gives a plain scalar its value, and the tag that the library reads from it.
func resolved(n *yaml.Node, value string) *yaml.Node {
	if value == "<<" {
		return nil
	}
	n.Value = strings.Clone(value) // else a short text would keep the whole file
	n.Tag = "!!str"
	if strings.IndexByte("+-.0123456789yYnNtTfFoO~", value[0]) >= 0 {
		n.Tag = ""
		n.Tag = n.ShortTag()
	}
	return n
}

// quoted reads a quoted scalar that ends on its line, and returns the offset behind it.
func (p *parser) quoted(at int) (*yaml.Node, int) {
	end := p.closing(at)
	if end == 0 {
		return nil, 0
	}
	n := p.node(yaml.ScalarNode, at)
	n.Tag, n.Value, n.Style = "!!str", strings.Clone(p.text[at+1:end-1]), yaml.DoubleQuotedStyle
	if p.text[at] == '\'' {
		n.Style = yaml.SingleQuotedStyle
	}
	return n, end
}

// closing returns the offset behind a quoted scalar that begins at an offset, or 0
// where it does not end on its line, or is more than what stands between its quotes.
func (p *parser) closing(at int) int {
	quote := p.text[at]
	n := strings.IndexByte(p.text[at+1:p.end], quote)
	if n < 0 {
		return 0
	}
	value, end := p.text[at+1:at+1+n], at+n+2
	if strings.IndexByte(value, '\t') >= 0 || quote == '"' && strings.IndexByte(value, '\\') >= 0 || end < p.end && p.text[end] == quote {
		return 0
	}
	return end
}
