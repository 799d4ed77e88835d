package shell

import (
	"bytes"
	"slices"
)

// Neutralize replaces every GitHub expression ${{ … }} by an identifier of the
// same length, so that a run: block parses and positions stay. Line breaks
// within an expression stay too. An expression that is never closed is left
// alone. The result shares no bytes with src when anything was replaced.
func Neutralize(src []byte) []byte {
	spans := Expressions(src)
	if len(spans) == 0 {
		return src
	}
	out := slices.Clone(src)
	for _, s := range spans {
		for i := s[0]; i < s[1]; i++ {
			if out[i] != '\n' && out[i] != '\r' {
				out[i] = 'x'
			}
		}
	}
	return out
}

// Expressions returns the byte ranges [from, to) of the GitHub expressions.
// Braces within a quoted string (” is a quote in it) do not end one.
func Expressions(src []byte) [][2]int {
	var out [][2]int
	for from := 0; ; {
		i := bytes.Index(src[from:], []byte("${{"))
		if i < 0 {
			return out
		}
		start := from + i
		end := expressionEnd(src, start+3)
		if end < 0 {
			return out
		}
		out = append(out, [2]int{start, end})
		from = end
	}
}

func expressionEnd(src []byte, i int) int {
	quoted := false
	for ; i < len(src); i++ {
		switch {
		case src[i] == '\'':
			quoted = !quoted
		case !quoted && src[i] == '}' && i+1 < len(src) && src[i+1] == '}':
			return i + 2
		}
	}
	return -1
}
