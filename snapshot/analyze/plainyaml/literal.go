package plainyaml

import "go.yaml.in/yaml/v4"

// block reads a literal or folded scalar, "|" or ">", below an entry whose
// collection stands at a column. Source of the folding and chomping: scanBlockScalar
// of https://github.com/yaml/go-yaml/blob/v4.0.0-rc.3/internal/libyaml/scanner.go
func (p *parser) block(at, column int) *yaml.Node {
	n := p.node(yaml.ScalarNode, at)
	n.Tag, n.Style = "!!str", yaml.LiteralStyle
	folded := p.text[at] == '>'
	if folded {
		n.Style = yaml.FoldedStyle
	}
	chomp := byte(0)
	if at++; at < p.end && (p.text[at] == '-' || p.text[at] == '+') {
		chomp = p.text[at]
		at++
	}
	if !p.closed(at) {
		return nil
	}
	blanks, indent := p.leading(column)
	if indent < 0 {
		return nil
	}
	p.buf = p.buf[:0]
	breaks, spaced := blanks, false
	for first := true; ; first = false {
		margin := p.begin + indent
		spaces := p.text[margin] == ' ' || p.text[margin] == '\t'
		switch {
		case first:
		case folded && !spaced && !spaces:
			if breaks == 0 {
				p.buf = append(p.buf, ' ')
			}
		default:
			p.buf = append(p.buf, '\n')
		}
		p.buf = lineFeeds(p.buf, breaks)
		p.buf = append(p.buf, p.text[margin:p.end]...)
		spaced, breaks = spaces, 0
		fed := p.end < len(p.text)
		more := p.step()
		for more && p.at == p.end && p.indent <= indent {
			if p.end < len(p.text) {
				breaks++
			}
			more = p.step()
		}
		if more && p.indent >= indent {
			continue
		}
		if more && p.text[p.at] == '\t' {
			return nil
		}
		if fed && chomp != '-' {
			p.buf = append(p.buf, '\n')
		}
		if chomp == '+' {
			p.buf = lineFeeds(p.buf, breaks)
		}
		break
	}
	if !p.ended && p.text[p.at] == '#' {
		p.next()
	}
	if p.indent > column {
		return nil
	}
	n.Value = string(p.buf)
	return n
}

// leading goes to the first line of a block scalar's text. It returns how many
// blank lines stand before it, and its column, which is negative where there is no
// text, or where it is not clear what belongs to it.
func (p *parser) leading(column int) (blanks, indent int) {
	widest := 0
	for p.step() {
		if p.at < p.end {
			if p.indent <= column || p.indent < widest || p.text[p.at] == '\t' {
				break
			}
			return blanks, p.indent
		}
		blanks++
		widest = max(widest, p.indent)
	}
	return 0, -1
}

func lineFeeds(b []byte, n int) []byte {
	for ; n > 0; n-- {
		b = append(b, '\n')
	}
	return b
}
