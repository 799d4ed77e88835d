// Package jsontext walks the tokens of a JSON text and knows where they stand,
// so that what is wrong with a file that people edit can be told with its line.
//
// Invariants: no panic and bounded time on any bytes; positions lie inside the
// text; what was read before an error stays.
package jsontext

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"sort"
	"strconv"
	"strings"
)

var errNotKey = errors.New("not a key")

var bom = []byte("\xef\xbb\xbf")

// MaxProblems is how many problems of one file are told.
const MaxProblems = 20

// A Kind says what is wrong with a file.
type Kind string

const (
	Syntax    Kind = "syntax"    // no JSON
	Shape     Kind = "shape"     // JSON, but not of the form that is expected there
	Duplicate Kind = "duplicate" // a name stands twice: the earlier definition is silently lost
	BOM       Kind = "bom"       // byte order mark: strict readers refuse it
)

// A Problem is one thing wrong with the file. Line and Column are 1-based,
// Column in bytes. The message holds names, never values.
type Problem struct {
	Kind    Kind   `json:"kind"`
	Name    string `json:"name,omitempty"` // path of the key it is about: "scripts.build"
	Line    int    `json:"line"`
	Column  int    `json:"column"`
	Message string `json:"message"`
}

// A Reader walks the tokens of a JSON text. After an error it yields nothing
// more.
type Reader struct {
	src      []byte // without the byte order mark
	dec      *json.Decoder
	lines    []int // offset of each line's first byte
	bomLen   int
	err      error
	problems []Problem
}

// NewReader returns a reader of a whole file.
func NewReader(src []byte) *Reader {
	r := &Reader{src: bytes.TrimPrefix(src, bom), lines: []int{0}}
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

// Position returns the 1-based line and byte column of an offset; the byte
// order mark counts in the first line's columns.
func (r *Reader) Position(at int) (line, column int) {
	at = max(min(at, len(r.src)), 0)
	line = sort.Search(len(r.lines), func(i int) bool { return r.lines[i] > at })
	column = at - r.lines[line-1] + 1
	if line == 1 {
		column += r.bomLen
	}
	return line, column
}

// Problem notes what is wrong at an offset.
func (r *Reader) Problem(k Kind, name string, at int, message string) {
	if len(r.problems) >= MaxProblems {
		return
	}
	line, col := r.Position(at)
	r.problems = append(r.problems, Problem{Kind: k, Name: name, Line: line, Column: col, Message: message})
}

// Offset returns the offset behind the last token.
func (r *Reader) Offset() int { return int(r.dec.InputOffset()) }

// Next returns the offset of the first byte of the next token.
func (r *Reader) Next() int {
	for i := r.Offset(); i < len(r.src); i++ {
		switch r.src[i] {
		case ' ', '\t', '\r', '\n', ',', ':':
		default:
			return i
		}
	}
	return len(r.src)
}

// Peek returns the first byte of the next token, 0 at the end.
func (r *Reader) Peek() byte {
	if i := r.Next(); r.err == nil && i < len(r.src) {
		return r.src[i]
	}
	return 0
}

func (r *Reader) token() (json.Token, bool) {
	if r.err != nil {
		return nil, false
	}
	before, start := r.Offset(), r.Next()
	t, err := r.dec.Token()
	if err != nil {
		r.fail(before, start, err)
		return nil, false
	}
	return t, true
}

// Skip passes over one value of any depth.
func (r *Reader) Skip() {
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

// Object calls each for every key of the object that comes next; each consumes
// the value. Anything but an object is a shape problem and skipped.
func (r *Reader) Object(path string, each func(key string)) {
	if c := r.Peek(); c != '{' && c != 0 {
		start := r.Next()
		r.Skip()
		if r.err == nil && (c != 'n' || path == "") { // null is as good as nothing
			r.Problem(Shape, path, start, what(path)+" is not an object")
		}
		return
	}
	if _, ok := r.token(); !ok {
		return
	}
	seen := map[string]int{}
	for r.err == nil {
		if r.Peek() == '}' && !r.commaBefore(r.Next()) {
			r.token()
			return
		}
		at := r.Next()
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
			line, _ := r.Position(first)
			r.Problem(Duplicate, full, at, fmt.Sprintf("%q stands twice in %s, first on line %d: only this one counts", key, what(path), line))
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

// Text reads a string; anything else is a shape problem and skipped.
func (r *Reader) Text(path string) (string, bool) {
	start := r.Next()
	if c := r.Peek(); c != '"' {
		r.Skip()
		if r.err == nil && c != 'n' {
			r.Problem(Shape, path, start, what(path)+" is not a text")
		}
		return "", false
	}
	t, ok := r.token()
	s, isText := t.(string)
	return s, ok && isText
}

// List reads the texts of a list and passes over the rest.
func (r *Reader) List(path string) (out []string) {
	r.Each(func() {
		if r.Peek() != '"' {
			r.Skip()
		} else if s, ok := r.Text(path); ok {
			out = append(out, s)
		}
	})
	return out
}

// Each calls each for every element of the list that comes next; each consumes
// the value.
func (r *Reader) Each(each func()) {
	if _, ok := r.token(); !ok {
		return
	}
	for r.err == nil {
		if r.Peek() == ']' {
			r.token()
			return
		}
		each()
	}
}

// End notes anything but white space behind the document.
func (r *Reader) End() {
	if r.err != nil {
		return
	}
	if at := r.Next(); at < len(r.src) {
		r.Problem(Syntax, "", at, "text after the end of the document")
		return
	}
	if rest := bytes.TrimLeft(r.src[r.Offset():], " \t\r\n"); len(rest) > 0 {
		r.Problem(Syntax, "", len(r.src)-len(rest), "text after the end of the document")
	}
}

// Problems returns what is wrong with the text, in the order in which it was met.
func (r *Reader) Problems() []Problem { return r.problems }

// Failed reports whether the text is no JSON as far as it was read.
func (r *Reader) Failed() bool { return r.err != nil }

// Empty reports whether there is nothing but white space.
func (r *Reader) Empty() bool { return len(bytes.TrimSpace(r.src)) == 0 }

// Since returns the bytes from an offset to the end of the last token.
func (r *Reader) Since(start int) []byte { return r.src[start:r.Offset()] }
