package js

import (
	"bytes"
	"strings"
	"unsafe"
)

type tokenKind byte

const (
	tokEnd    tokenKind = iota
	tokWord             // identifier, keyword, number
	tokString           // '…', "…", or a regular expression
	tokOpen             // ( [ { and ${ ; a back-tick that begins a template
	tokClose            // ) ] } and the back-tick that ends a template
	tokPunct
)

type token struct {
	kind       tokenKind
	text       string // of words, brackets and punctuation
	start, end int    // byte offsets
}

// operand reports whether an expression may end with the token.
func (t token) operand() bool {
	switch t.kind {
	case tokWord:
		return !operators[t.text]
	case tokString, tokClose:
		return true
	}
	return false
}

// operators are keywords after which an operand, not an operator, is expected.
var operators = set("return", "typeof", "void", "delete", "await", "yield", "new", "in", "instanceof", "of", "case", "do", "else",
	"throw", "if", "for", "while", "with", "keyof", "infer", "readonly", "unique", "asserts", "extends", "as", "satisfies", "is", "async", "export", "default", "import")

// tokens splits JavaScript or TypeScript into rough tokens, without knowing its
// grammar. It decides between division and regular expression by the token
// before, so it may err in odd places; it never fails, and always ends.
type tokens struct {
	src    []byte
	pos    int
	last   token
	braces []bool // open brackets; true: this one is the ${ of a template
	line   int    // offset of the line, as far as white space and comments tell

	commented int // bytes between the comments and the start of their lines
}

func (t *tokens) next() token {
	t.space()
	start := t.pos
	kind, end := t.scan()
	t.pos = end
	t.last = token{kind: kind, start: start, end: end}
	if kind != tokString && end > start {
		t.last.text = unsafe.String(&t.src[start], end-start) // no copy: src does not change
	}
	return t.last
}

func (t *tokens) space() {
	for t.pos < len(t.src) {
		rest := t.src[t.pos:]
		switch {
		case rest[0] == '\n':
			t.pos++
			t.line = t.pos
		case rest[0] <= ' ':
			t.pos++
		case len(rest) > 1 && rest[0] == '/' && rest[1] == '/', t.pos == 0 && len(rest) > 1 && rest[0] == '#' && rest[1] == '!':
			t.pos += index(rest, "\n")
		case len(rest) > 1 && rest[0] == '/' && rest[1] == '*':
			t.commented += t.pos - t.line
			end := min(t.pos+2+index(rest[2:], "*/")+2, len(t.src))
			if i := bytes.LastIndexByte(t.src[t.pos:end], '\n'); i >= 0 {
				t.line = t.pos + i + 1
			}
			t.pos = end
		default:
			return
		}
	}
}

// index is the offset of sep, or the length of b.
func index(b []byte, sep string) int {
	if i := strings.Index(string(b[:min(len(b), 256)]), sep); i >= 0 {
		return i
	}
	for i := 0; i+len(sep) <= len(b); i++ {
		if b[i] == sep[0] && string(b[i:i+len(sep)]) == sep {
			return i
		}
	}
	return len(b)
}

func (t *tokens) scan() (tokenKind, int) {
	if t.pos >= len(t.src) {
		return tokEnd, len(t.src)
	}
	switch c := t.src[t.pos]; {
	case wordByte(c):
		i := t.pos
		for i < len(t.src) && wordByte(t.src[i]) {
			i++
		}
		return tokWord, i
	case c == '"' || c == '\'':
		return t.quoted(c)
	case c == '`':
		t.braces = append(t.braces, false)
		return t.template(t.pos + 1)
	case c == '(' || c == '[' || c == '{':
		t.braces = append(t.braces, false)
		return tokOpen, t.pos + 1
	case c == ')' || c == ']' || c == '}':
		if n := len(t.braces); n > 0 {
			inTemplate := t.braces[n-1]
			t.braces = t.braces[:n-1]
			if c == '}' && inTemplate {
				return t.templateRest()
			}
		}
		return tokClose, t.pos + 1
	case c == '/' && !t.last.operand():
		return t.regexp()
	}
	return tokPunct, t.pos + t.punct()
}

func wordByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '$' || c == '#' || c >= 0x80
}

// quoted ends at the quote or, for what was no string after all (JSX text), after the opening one.
func (t *tokens) quoted(q byte) (tokenKind, int) {
	for i := t.pos + 1; i < len(t.src); i++ {
		switch t.src[i] {
		case '\\':
			i++
		case '\n':
			return tokPunct, t.pos + 1
		case q:
			return tokString, i + 1
		}
	}
	return tokPunct, t.pos + 1
}

// template reads template text: to the end of the template it is one string,
// to a ${ it opens a bracket.
func (t *tokens) template(i int) (tokenKind, int) {
	for ; i < len(t.src); i++ {
		switch {
		case t.src[i] == '\\':
			i++
		case t.src[i] == '`':
			t.braces = t.braces[:max(len(t.braces)-1, 0)]
			return tokString, i + 1
		case t.src[i] == '$' && i+1 < len(t.src) && t.src[i+1] == '{':
			t.braces = append(t.braces[:max(len(t.braces)-1, 0)], true)
			return tokOpen, i + 2
		}
	}
	return tokString, len(t.src)
}

// templateRest goes on after the } of a ${…}: at the end of the template that
// bracket closes; a further ${ keeps it open, as punctuation.
func (t *tokens) templateRest() (tokenKind, int) {
	t.braces = append(t.braces, false)
	kind, end := t.template(t.pos + 1)
	switch kind {
	case tokString:
		return tokClose, end
	default:
		return tokPunct, end
	}
}

func (t *tokens) regexp() (tokenKind, int) {
	class := false
	for i := t.pos + 1; i < len(t.src); i++ {
		switch c := t.src[i]; {
		case c == '\\':
			i++
		case c == '\n':
			return tokPunct, t.pos + t.punct()
		case c == '[':
			class = true
		case c == ']':
			class = false
		case c == '/' && !class:
			for i++; i < len(t.src) && wordByte(t.src[i]); i++ {
			}
			return tokString, i
		}
	}
	return tokPunct, t.pos + t.punct()
}

func (t *tokens) punct() int {
	rest := t.src[t.pos:min(t.pos+2, len(t.src))]
	switch string(rest) {
	case "=>", "**", "++", "--", "</", "/>":
		return 2
	case "==", "!=", "<=", ">=":
		return min(2+boolInt(len(t.src) > t.pos+2 && t.src[t.pos+2] == '='), len(t.src)-t.pos)
	}
	return 1
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}
