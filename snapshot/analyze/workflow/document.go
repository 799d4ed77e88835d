package workflow

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"

	"healthaudit/snapshot/analyze/lazyregexp"
	"healthaudit/snapshot/analyze/plainyaml"
)

// A Problem is a reason for which GitHub does not load a file.
type Problem struct {
	Pos
	Family  string `json:"f"` // stable name of the kind of problem
	Message string `json:"m"`
}

// A Document is one file, parsed once for its model and its verdict.
type Document struct {
	path     string
	src      []byte
	tree     *yaml.Node // the YAML document; it and root are nil when the file is not parsable
	root     *yaml.Node
	aliases  bool     // something in it stands for something else in it
	text     []string // src by lines, once it is asked for
	problems []Problem
	broken   error // of the YAML library; its place is looked for when the verdict is asked for
	model    *Model
}

var (
	bom   = []byte("\xef\xbb\xbf")
	utf16 = [][]byte{[]byte("\xff\xfe"), []byte("\xfe\xff")}
)

// Parse reads a file. It never fails: what it cannot read is a problem of the
// document, and Model then returns what can be salvaged.
func Parse(path string, src []byte) *Document {
	d := &Document{path: path, src: src}
	if len(src) > MaxSize {
		d.fail("size", Pos{1, 1}, fmt.Sprintf("is larger than %d KiB", MaxSize>>10))
		d.src = nil
		return d
	}
	for _, b := range utf16 {
		if bytes.HasPrefix(src, b) {
			d.fail("encoding", Pos{1, 1}, "is UTF-16; GitHub reads UTF-8")
			d.src = nil
			return d
		}
	}
	d.src = bytes.TrimPrefix(src, bom)
	if at := badByte(d.src); at >= 0 {
		what := "holds bytes that are not UTF-8"
		if d.src[at] == 0 {
			what = "holds a NUL byte"
		}
		d.fail("encoding", posOf(d.src, at), what)
		return d
	}
	d.load()
	return d
}

// Broken reports whether the file could not be parsed at all.
func (d *Document) Broken() bool { return d.root == nil }

func (d *Document) fail(family string, p Pos, message string) {
	d.problems = append(d.problems, Problem{Pos: p, Family: family, Message: message})
}

func (d *Document) load() {
	tree := plainyaml.Parse(d.src)
	var more *yaml.Node
	if tree == nil {
		if tree, more = d.decode(); tree == nil {
			return
		}
	}
	root := tree.Content[0]
	why, aliases := oversized(tree)
	if why != "" {
		d.fail("bomb", Pos{1, 1}, why)
		return
	}
	if root.Kind != yaml.MappingNode {
		d.fail("shape", at(root), "is not a mapping of keys")
		return
	}
	d.tree, d.root, d.aliases = tree, root, aliases
	if more != nil {
		d.fail("documents", at(more), "holds a second YAML document; GitHub loads one")
	}
}

// decode returns the file's YAML document, nil where there is none, and what a
// second one in the file holds.
func (d *Document) decode() (tree, more *yaml.Node) {
	dec := yaml.NewDecoder(bytes.NewReader(d.src))
	var first, second yaml.Node
	err := guarded(func() error { return dec.Decode(&first) })
	switch {
	case errors.Is(err, io.EOF), err == nil && empty(&first):
		d.fail("empty", Pos{1, 1}, "is empty")
		return nil, nil
	case err != nil:
		d.broken = err
		return nil, nil
	}
	if err := guarded(func() error { return dec.Decode(&second) }); err == nil && !empty(&second) {
		more = second.Content[0]
	}
	return &first, more
}

func empty(doc *yaml.Node) bool {
	return len(doc.Content) == 0 || doc.Content[0].Kind == yaml.ScalarNode && doc.Content[0].Tag == "!!null"
}

// guarded turns a panic of a library into an error.
func guarded(f func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = errors.New("the parser gave up on it")
		}
	}()
	return f()
}

func badByte(b []byte) int {
	if i := bytes.IndexByte(b, 0); i >= 0 {
		return i
	}
	if utf8.Valid(b) {
		return -1
	}
	for i := 0; i < len(b); {
		r, n := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && n <= 1 {
			return i
		}
		i += n
	}
	return -1
}

func posOf(b []byte, offset int) Pos {
	before := lines(string(b[:offset]))
	return Pos{len(before), len(before[len(before)-1]) + 1}
}

// lineBreaks are the line breaks of YAML 1.1, which the parser and GitHub count
// by: more than line feeds. Source: https://yaml.org/spec/1.1/#b-generic
var lineBreaks = lazyregexp.New("\r\n|[\n\r\u0085\u2028\u2029]")

// lines are those of the whole file.
func (d *Document) lines() []string {
	if d.text == nil {
		d.text = lines(string(d.src))
	}
	return d.text
}

// lines splits a text where YAML ends a line.
func lines(s string) []string {
	for _, other := range []string{"\r", "\u0085", "\u2028", "\u2029"} {
		if strings.Contains(s, other) {
			return lineBreaks().Split(s, -1)
		}
	}
	return strings.Split(s, "\n")
}

// oversized counts what a document becomes when all aliases are expanded,
// without expanding them: a 535-byte file can grow to gigabytes. It returns
// why the document must not be expanded, or "", and whether it has aliases.
func oversized(doc *yaml.Node) (why string, aliases bool) {
	type cost struct{ nodes, text, depth int }
	const open = -1
	memo := map[*yaml.Node]cost{}
	var count func(n *yaml.Node, depth int) cost
	count = func(n *yaml.Node, depth int) cost {
		if n.Kind == yaml.AliasNode {
			n, aliases = n.Alias, true
		}
		if n.Anchor != "" {
			if c, ok := memo[n]; ok {
				if c.nodes == open { // an alias within its own anchor
					c = cost{nodes: MaxNodes + 1}
				}
				return c
			}
			memo[n] = cost{nodes: open}
		}
		c := cost{nodes: 1, text: len(n.Value)}
		if depth > 2*MaxDepth {
			c.depth = depth
		} else {
			for _, sub := range n.Content {
				s := count(sub, depth+1)
				c.nodes = min(c.nodes+s.nodes, MaxNodes+1)
				c.text = min(c.text+s.text, maxText+1)
				c.depth = max(c.depth, s.depth+1)
			}
		}
		if n.Anchor != "" {
			memo[n] = c
		}
		return c
	}
	switch c := count(doc, 0); {
	case c.depth > MaxDepth:
		why = fmt.Sprintf("is nested deeper than %d levels", MaxDepth)
	case c.nodes > MaxNodes, c.text > maxText:
		why = fmt.Sprintf("holds more than %d values when its aliases are expanded", MaxNodes)
	}
	return why, aliases
}

func at(n *yaml.Node) Pos { return Pos{max(n.Line, 1), max(n.Column, 1)} }
