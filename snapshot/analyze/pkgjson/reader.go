package pkgjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sort"
	"strconv"
	"strings"
)

var errNotKey = errors.New("not a key")

var bom = []byte("\xef\xbb\xbf")

// A reader walks the tokens of a JSON text and knows where they stand. After
// an error it yields nothing more.
type reader struct {
	src      []byte // without the byte order mark
	dec      *json.Decoder
	lines    []int // offset of each line's first byte
	bomLen   int
	err      error
	problems []Problem
}

func newReader(src []byte) *reader {
	r := &reader{src: bytes.TrimPrefix(src, bom), lines: []int{0}}
	r.bomLen = len(src) - len(r.src)
	for i, c := range r.src {
		if c == '\n' {
			r.lines = append(r.lines, i+1)
		}
	}
	r.dec = json.NewDecoder(bytes.NewReader(r.src))
	r.dec.UseNumber()
	if r.bomLen > 0 {
		r.problems = append(r.problems, Problem{Kind: BOM, Line: 1, Column: 1, Message: "starts with a byte order mark"})
	}
	return r
}

// position returns the 1-based line and byte column of an offset; the byte
// order mark counts in the first line's columns.
func (r *reader) position(at int) (line, column int) {
	at = max(min(at, len(r.src)), 0)
	line = sort.Search(len(r.lines), func(i int) bool { return r.lines[i] > at })
	column = at - r.lines[line-1] + 1
	if line == 1 {
		column += r.bomLen
	}
	return line, column
}

func (r *reader) problem(k Kind, name string, at int, message string) {
	if len(r.problems) >= MaxProblems {
		return
	}
	line, col := r.position(at)
	r.problems = append(r.problems, Problem{Kind: k, Name: name, Line: line, Column: col, Message: message})
}

func (r *reader) offset() int { return int(r.dec.InputOffset()) }

// next returns the offset of the first byte of the next token.
func (r *reader) next() int {
	for i := r.offset(); i < len(r.src); i++ {
		switch r.src[i] {
		case ' ', '\t', '\r', '\n', ',', ':':
		default:
			return i
		}
	}
	return len(r.src)
}

// peek returns the first byte of the next token, 0 at the end.
func (r *reader) peek() byte {
	if i := r.next(); r.err == nil && i < len(r.src) {
		return r.src[i]
	}
	return 0
}

func (r *reader) token() (json.Token, bool) {
	if r.err != nil {
		return nil, false
	}
	before, start := r.offset(), r.next()
	t, err := r.dec.Token()
	if err != nil {
		r.fail(before, start, err)
		return nil, false
	}
	return t, true
}

// fail notes a syntax error once, in words for a person. The token before it
// ends at before, the bad one begins at start.
func (r *reader) fail(before, start int, err error) {
	r.err = err
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		r.problem(Syntax, "", len(r.src), "the file ends in the middle: a bracket or quote is not closed")
		return
	}
	switch c := r.byteAt(start); {
	case (c == '}' || c == ']') && r.commaBefore(start):
		r.problem(Syntax, "", r.lastComma(start), fmt.Sprintf("trailing comma before %q", string(c)))
	case bytes.Count(r.src[before:start], []byte(",")) > 1:
		r.problem(Syntax, "", r.lastComma(start), "one comma too many")
	case c == '/' && (r.byteAt(start+1) == '/' || r.byteAt(start+1) == '*'):
		r.problem(Syntax, "", start, "comments are not allowed in JSON")
	case c == '\'':
		r.problem(Syntax, "", start, "single quotes are not allowed in JSON")
	case marker(r.src[start:]):
		r.problem(Syntax, "", start, "merge conflict marker")
	default:
		if at, ok := badInText(r.src, start); ok {
			r.problem(Syntax, "", at, "unexpected "+describe(r.byteAt(at))+" in a quoted text")
		} else if c == '"' && !r.commaBefore(start) {
			r.problem(Syntax, "", start, "a comma or colon is missing before this")
		} else {
			r.problem(Syntax, "", start, "unexpected "+describe(c))
		}
	}
}

// badInText returns the offset of the byte that may not stand in the quoted
// text that begins at start.
func badInText(src []byte, start int) (int, bool) {
	if start >= len(src) || src[start] != '"' {
		return 0, false
	}
	for i := start + 1; i < len(src); i++ {
		switch c := src[i]; {
		case c == '"':
			return 0, false
		case c < 0x20:
			return i, true
		case c == '\\':
			i++
			if i == len(src) || !strings.ContainsRune(`"\/bfnrtu`, rune(src[i])) {
				return i, true
			}
			for n := 0; src[i] == 'u' && n < 4; n++ {
				if i+1+n >= len(src) || !strings.ContainsRune("0123456789abcdefABCDEF", rune(src[i+1+n])) {
					return i + 1 + n, true
				}
			}
		}
	}
	return 0, false
}

func marker(b []byte) bool {
	for _, m := range []string{"<<<<<<<", "=======", ">>>>>>>"} {
		if bytes.HasPrefix(b, []byte(m)) {
			return true
		}
	}
	return false
}

// describe names one byte without telling more of the text.
func describe(c byte) string {
	switch {
	case c == 0:
		return "end of the file"
	case c == '\n' || c == '\r':
		return "end of line"
	case c == '\t':
		return "tab"
	case c < 0x20 || c >= 0x7f:
		return fmt.Sprintf("byte 0x%02x", c)
	}
	return strconv.QuoteRune(rune(c))
}

func (r *reader) byteAt(i int) byte {
	if i >= 0 && i < len(r.src) {
		return r.src[i]
	}
	return 0
}

func (r *reader) lastComma(at int) int {
	return len(bytes.TrimRight(r.src[:at], " \t\r\n")) - 1
}

func (r *reader) commaBefore(at int) bool { return r.byteAt(r.lastComma(at)) == ',' }

// skip passes over one value of any depth.
func (r *reader) skip() {
	depth := 0
	for {
		t, ok := r.token()
		if !ok {
			return
		}
		if d, ok := t.(json.Delim); ok {
			if d == '{' || d == '[' {
				depth++
			} else {
				depth--
			}
		}
		if depth <= 0 {
			return
		}
	}
}

// object calls each for every key of the object that comes next; each consumes
// the value. Anything but an object is a shape problem and skipped.
func (r *reader) object(path string, each func(key string)) {
	if c := r.peek(); c != '{' && c != 0 {
		start := r.next()
		r.skip()
		if r.err == nil && (c != 'n' || path == "") { // null is as good as nothing
			r.problem(Shape, path, start, what(path)+" is not an object")
		}
		return
	}
	if _, ok := r.token(); !ok {
		return
	}
	seen := map[string]int{}
	for r.err == nil {
		if r.peek() == '}' && !r.commaBefore(r.next()) {
			r.token()
			return
		}
		at := r.next()
		t, ok := r.token()
		if !ok {
			return
		}
		key, ok := t.(string)
		if !ok {
			r.fail(at, at, errNotKey)
			return
		}
		full := strings.TrimPrefix(path+"."+key, ".")
		if first, dup := seen[key]; dup {
			line, _ := r.position(first)
			r.problem(Duplicate, full, at, fmt.Sprintf("%q stands twice in %s, first on line %d: only this one counts", key, what(path), line))
		}
		seen[key] = at
		each(key)
	}
}

func what(path string) string {
	if path == "" {
		return "the file"
	}
	return strconv.Quote(path)
}

// text reads a string; anything else is a shape problem and skipped.
func (r *reader) text(path string) (string, bool) {
	start := r.next()
	if c := r.peek(); c != '"' {
		r.skip()
		if r.err == nil && c != 'n' {
			r.problem(Shape, path, start, what(path)+" is not a text")
		}
		return "", false
	}
	t, ok := r.token()
	s, isText := t.(string)
	return s, ok && isText
}

// list reads the texts of a list and passes over the rest.
func (r *reader) list(path string) (out []string) {
	if _, ok := r.token(); !ok {
		return nil
	}
	for r.err == nil {
		switch r.peek() {
		case ']':
			r.token()
			return out
		case '"':
			if s, ok := r.text(path); ok {
				out = append(out, s)
			}
		default:
			r.skip()
		}
	}
	return out
}

// end notes anything but white space behind the document.
func (r *reader) end() {
	if r.err != nil {
		return
	}
	if at := r.next(); at < len(r.src) {
		r.problem(Syntax, "", at, "text after the end of the document")
		return
	}
	if rest := bytes.TrimLeft(r.src[r.offset():], " \t\r\n"); len(rest) > 0 {
		r.problem(Syntax, "", len(r.src)-len(rest), "text after the end of the document")
	}
}
