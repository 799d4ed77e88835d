// Package plainyaml reads YAML as most people write it: mappings and sequences in
// block style, scalars, short collections in brackets. Of such a text it makes the
// nodes that go.yaml.in/yaml/v4 makes, several times as fast; parsing was a quarter
// of the work on a project's first audit. Of everything else (anchors, tags, tabs,
// brackets over several lines, whatever it is not sure of, whatever is wrong) it
// makes nothing, and the library has the word.
//
// What it leaves out are comments: its nodes carry none.
package plainyaml

import (
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

const (
	maxDepth = 64   // of nesting
	maxKey   = 1000 // bytes of a key; the library takes 1,024 characters
)

// Parse returns the document node of a text, with the kinds, styles, tags, values
// and places that the library gives its nodes. It is nil where the text is not
// plain, is not valid, or holds anything but one mapping.
func Parse(src []byte) *yaml.Node {
	legible, ascii := look(src)
	if !legible {
		return nil
	}
	p := &parser{text: string(src), ascii: ascii, stack: make([]*yaml.Node, 0, 64)}
	if !p.next() {
		return nil
	}
	doc := p.node(yaml.DocumentNode, p.at)
	if p.rest(p.at) == "---" && p.indent == 0 && !p.next() {
		return nil
	}
	if p.indent != 0 || p.dash() {
		return nil
	}
	root := p.mapping(p.at, 0)
	if root == nil || !p.ended {
		return nil
	}
	doc.Content = []*yaml.Node{root}
	return doc
}

// look reports whether a text is UTF-8 of nothing but printable characters, tabs
// and line feeds, and whether it is all ASCII. The other line breaks of YAML, and
// byte order marks, are left to the library.
func look(src []byte) (legible, ascii bool) {
	ascii = true
	for i := 0; i < len(src); {
		c := src[i]
		if c >= utf8.RuneSelf {
			r, n := utf8.DecodeRune(src[i:])
			if r < 0xa0 || r == utf8.RuneError || r == '\u2028' || r == '\u2029' || r == '\ufeff' || 0xfffe <= r && r <= 0xffff {
				return false, false
			}
			ascii = false
			i += n
			continue
		}
		if c < ' ' && c != '\n' && c != '\t' || c == 0x7f {
			return false, false
		}
		i++
	}
	return true, ascii
}

// A parser goes over a text line by line. Its methods that return a node return
// nil where the text is none of theirs, which ends the whole.
type parser struct {
	text  string
	ascii bool
	depth int

	// The line that it is at: the last one that says something.
	number     int // from 1
	begin, end int // offsets, without the line feed
	after      int // where the next line begins
	at, indent int // its first character: as an offset, as a column from 0
	ended      bool

	stack []*yaml.Node // children of collections that are not complete
	nodes []yaml.Node
	lists []*yaml.Node
	buf   []byte
}

// step goes to the next line, whatever it holds.
func (p *parser) step() bool {
	if p.after >= len(p.text) {
		p.ended, p.indent = true, -1
		return false
	}
	p.number++
	p.begin, p.end = p.after, len(p.text)
	if n := strings.IndexByte(p.text[p.begin:], '\n'); n >= 0 {
		p.end = p.begin + n
	}
	p.after = p.end + 1
	p.at = p.spaces(p.begin)
	p.indent = p.at - p.begin
	return true
}

// next goes to the next line that holds more than a comment.
func (p *parser) next() bool {
	for p.step() {
		if p.at < p.end && p.text[p.at] != '#' {
			return true
		}
	}
	return false
}

// spaces returns the offset of the first character from an offset on that is no
// space, or the line's end.
func (p *parser) spaces(at int) int {
	for at < p.end && p.text[at] == ' ' {
		at++
	}
	return at
}

// rest is what stands on the line from an offset on, without spaces at its end.
func (p *parser) rest(at int) string { return strings.TrimRight(p.text[at:p.end], " ") }

// closed reports whether the line holds nothing more from an offset on, but
// perhaps a comment.
func (p *parser) closed(at int) bool {
	s := p.spaces(at)
	return s == p.end || s > at && p.text[s] == '#'
}

// ends reports whether a mark (":", "-") that stands before an offset is one: it is
// followed by a space or nothing.
func (p *parser) ends(at int) bool { return at >= p.end || p.text[at] == ' ' }

// dash reports whether the line is an entry of a sequence.
func (p *parser) dash() bool { return p.at < p.end && p.text[p.at] == '-' && p.ends(p.at+1) }

// marker reports whether the line begins or ends a document.
func (p *parser) marker() bool {
	s := p.text[p.begin:p.end]
	return (strings.HasPrefix(s, "---") || strings.HasPrefix(s, "...")) && p.ends(p.begin+3)
}

// node makes a node whose text begins at an offset of the line.
func (p *parser) node(kind yaml.Kind, at int) *yaml.Node {
	n := p.make(kind)
	n.Line, n.Column = p.number, p.column(at)
	switch kind {
	case yaml.MappingNode:
		n.Tag = "!!map"
	case yaml.SequenceNode:
		n.Tag = "!!seq"
	}
	return n
}

// make makes nodes in blocks: a file has hundreds, and they come and go together.
func (p *parser) make(kind yaml.Kind) *yaml.Node {
	if len(p.nodes) == 0 {
		p.nodes = make([]yaml.Node, 32)
	}
	n := &p.nodes[0]
	p.nodes = p.nodes[1:]
	n.Kind = kind
	return n
}

// column is that of an offset of the line, in characters from 1.
func (p *parser) column(at int) int {
	if p.ascii {
		return at - p.begin + 1
	}
	return utf8.RuneCountInString(p.text[p.begin:at]) + 1
}

// fill gives a collection the children that were stacked from a height on.
func (p *parser) fill(n *yaml.Node, height int) *yaml.Node {
	children := p.stack[height:]
	if len(p.lists) < len(children) {
		p.lists = make([]*yaml.Node, max(len(children), 64))
	}
	n.Content = p.lists[:len(children):len(children)]
	p.lists = p.lists[len(children):]
	copy(n.Content, children)
	p.stack = p.stack[:height]
	return n
}
