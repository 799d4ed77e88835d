package jsontext

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// fail notes a syntax error once, in words for a person. The token before it
// ends at before, the bad one begins at start.
func (r *Reader) fail(before, start int, err error) {
	r.err = err
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		r.Problem(Syntax, "", len(r.src), "the file ends in the middle: a bracket or quote is not closed")
		return
	}
	switch c := r.byteAt(start); {
	case (c == '}' || c == ']') && r.commaBefore(start):
		r.Problem(Syntax, "", r.lastComma(start), fmt.Sprintf("trailing comma before %q", string(c)))
	case bytes.Count(r.src[before:start], []byte(",")) > 1:
		r.Problem(Syntax, "", r.lastComma(start), "one comma too many")
	case c == '/' && (r.byteAt(start+1) == '/' || r.byteAt(start+1) == '*'):
		r.Problem(Syntax, "", start, "comments are not allowed in JSON")
	case c == '\'':
		r.Problem(Syntax, "", start, "single quotes are not allowed in JSON")
	case marker(r.src[start:]):
		r.Problem(Syntax, "", start, "merge conflict marker")
	default:
		if at, ok := badInText(r.src, start); ok {
			r.Problem(Syntax, "", at, "unexpected "+describe(r.byteAt(at))+" in a quoted text")
		} else if c == '"' && !r.commaBefore(start) {
			r.Problem(Syntax, "", start, "a comma or colon is missing before this")
		} else {
			r.Problem(Syntax, "", start, "unexpected "+describe(c))
		}
	}
}

// badInText returns the offset of the byte that may not stand in the quoted
// Text that begins at start.
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

func (r *Reader) byteAt(i int) byte {
	if i >= 0 && i < len(r.src) {
		return r.src[i]
	}
	return 0
}

func (r *Reader) lastComma(at int) int {
	return len(bytes.TrimRight(r.src[:at], " \t\r\n")) - 1
}

func (r *Reader) commaBefore(at int) bool { return r.byteAt(r.lastComma(at)) == ',' }
