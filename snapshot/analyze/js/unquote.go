package js

import (
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// unquote returns the content of a string literal, or of a template without substitutions.
func unquote(b []byte) string {
	if len(b) < 2 {
		return ""
	}
	s := string(b[1 : len(b)-1])
	if !strings.Contains(s, `\`) {
		return s
	}
	var out strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			out.WriteByte(s[i])
			continue
		}
		i++
		i += unescape(&out, s[i:]) - 1
	}
	return out.String()
}

var escapes = map[byte]byte{'n': '\n', 't': '\t', 'r': '\r', 'b': '\b', 'f': '\f', 'v': '\v', '0': 0}

// unescape writes what the text after a backslash stands for and returns how
// many bytes of it were used.
func unescape(out *strings.Builder, s string) int {
	switch c := s[0]; c {
	case '\n':
		return 1
	case 'x':
		if n, err := strconv.ParseUint(s[1:min(3, len(s))], 16, 8); err == nil && len(s) >= 3 {
			out.WriteRune(rune(n))
			return 3
		}
	case 'u':
		if r, n := unicodeEscape(s); n > 0 {
			if utf16.IsSurrogate(r) && len(s) > n+1 && s[n] == '\\' && s[n+1] == 'u' {
				if r2, n2 := unicodeEscape(s[n+1:]); n2 > 0 {
					out.WriteRune(utf16.DecodeRune(r, r2))
					return n + 1 + n2
				}
			}
			out.WriteRune(r)
			return n
		}
	default:
		if e, ok := escapes[c]; ok {
			out.WriteByte(e)
			return 1
		}
	}
	r, n := utf8.DecodeRuneInString(s)
	out.WriteRune(r)
	return max(n, 1)
}

// unicodeEscape reads u1234 or u{12345}.
func unicodeEscape(s string) (rune, int) {
	if len(s) > 1 && s[1] == '{' {
		if end := strings.IndexByte(s, '}'); end > 0 {
			if n, err := strconv.ParseUint(s[2:end], 16, 21); err == nil {
				return rune(n), end + 1
			}
		}
		return 0, 0
	}
	if len(s) < 5 {
		return 0, 0
	}
	n, err := strconv.ParseUint(s[1:5], 16, 16)
	if err != nil {
		return 0, 0
	}
	return rune(n), 5
}
