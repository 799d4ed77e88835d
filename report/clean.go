package report

import (
	"fmt"
	"reflect"
	"sort"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxMarks is how many combining marks may follow one another before the rest
// is taken for an attempt to paint over other lines.
const maxMarks = 8

// Clean returns s fit for one line of a terminal or a document: valid UTF-8
// without control characters, escape sequences, bidirectional controls or
// invisible characters. Each of them is replaced by something that can be seen
// (␛ for a whole escape sequence, ↵ for a line end, <U+202E> for what has no
// picture), so that two different names stay different. Cleaning twice changes
// nothing. Variation selectors and joiners within emoji are dropped.
func Clean(s string) string {
	plain := true
	for i := 0; i < len(s) && plain; i++ {
		plain = s[i] >= 0x20 && s[i] < 0x7f
	}
	if plain {
		return s
	}
	var b strings.Builder
	b.Grow(len(s) + 16)
	prev, marks := rune(-1), 0
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		if r >= 0xfe00 && r <= 0xfe0f || r == 0x200d && emoji(prev) {
			i += n
			continue
		}
		if unicode.Is(unicode.M, r) && !invisible(r) {
			if prev < 0 {
				b.WriteRune('◌') // or it would sit on whatever stands to the left
			}
			if marks++; marks == maxMarks+1 {
				b.WriteRune(utf8.RuneError)
			}
			if marks > maxMarks {
				i += n
				continue
			}
		} else {
			marks = 0
		}
		switch {
		case r == '\x1b' || r == 0x9b || r == 0x9d:
			n = escapeLen(s[i:], n)
			b.WriteRune('␛')
		case strings.HasPrefix(s[i:], "\r\n"):
			n = 2
			b.WriteRune('↵')
		default:
			b.WriteString(picture(r))
		}
		prev = r
		i += n
	}
	return b.String()
}

// cleanLines cleans every line of a text that may have several.
func cleanLines(s string) string {
	lines := strings.Split(strings.ReplaceAll(strings.TrimRight(s, "\r\n"), "\r\n", "\n"), "\n")
	for i, l := range lines {
		lines[i] = strings.TrimRight(Clean(strings.ReplaceAll(l, "\t", "  ")), " ")
	}
	return strings.Join(lines, "\n")
}

// picture returns what stands for a rune; an invalid byte came as U+FFFD.
func picture(r rune) string {
	switch {
	case r == '\n' || r == '\r':
		return "↵"
	case r == '\t':
		return " "
	case r < 0x20:
		return string('␀' + r)
	case r == 0x7f:
		return "␡"
	case invisible(r):
		return fmt.Sprintf("<U+%04X>", r)
	}
	return string(r)
}

// invisible reports whether a rune shows nothing, reorders what is around it,
// or is assigned to nothing. Private use is left to the reader's font.
func invisible(r rune) bool {
	switch r {
	case 0x034f, 0x115f, 0x1160, 0x17b4, 0x17b5, 0x180b, 0x180c, 0x180d, 0x180f, 0x2800, 0x3164, 0xffa0:
		return true // blank although Unicode calls them letters, marks or symbols
	}
	return r >= 0xe0100 && r <= 0xe01ef || !unicode.IsGraphic(r) && !unicode.Is(unicode.Co, r)
}

func emoji(r rune) bool { return unicode.Is(unicode.So, r) || r >= 0x1f3fb && r <= 0x1f3ff }

// escapeLen returns how many bytes of s the escape sequence at its start has
// (ECMA-48 §5.4, §5.6); intro is the length of its first rune. What does not
// end like a sequence is not swallowed: only its introducer goes.
func escapeLen(s string, intro int) int {
	kind, i := byte('['), intro
	switch {
	case strings.HasPrefix(s, "\u009d"):
		kind = ']'
	case s[0] == '\x1b':
		if len(s) == 1 {
			return 1
		}
		kind, i = s[1], 2
	}
	switch kind {
	case '[':
		for i < len(s) && s[i] >= 0x20 && s[i] <= 0x3f {
			i++
		}
		if i < len(s) && s[i] >= 0x40 && s[i] <= 0x7e {
			return i + 1
		}
	case ']', 'P', 'X', '^', '_':
		for ; i < len(s); i++ {
			switch {
			case s[i] == '\a':
				return i + 1
			case strings.HasPrefix(s[i:], "\x1b\\") || strings.HasPrefix(s[i:], "\u009c"):
				return i + 2
			case s[i] == '\x1b' || s[i] == '\n':
				return intro
			}
		}
	}
	return intro
}

// cleaned returns a deep copy of v with every string cleaned and no nil slice
// or map, for formats that a person reads.
func cleaned[T any](v T) T { return rewritten(v, Clean) }

func rewritten[T any](v T, f func(string) string) T {
	out := reflect.New(reflect.TypeOf(&v).Elem()).Elem()
	rewrite(out, reflect.ValueOf(&v).Elem(), f)
	return out.Interface().(T)
}

// rewrite sets dst to a copy of src with f applied to every string.
func rewrite(dst, src reflect.Value, f func(string) string) {
	switch src.Kind() {
	case reflect.String:
		dst.SetString(f(src.String()))
	case reflect.Struct:
		dst.Set(src) // what is not exported, such as in a time, comes along as it is
		for i := range src.NumField() {
			if dst.Field(i).CanSet() {
				rewrite(dst.Field(i), src.Field(i), f)
			}
		}
	case reflect.Slice:
		dst.Set(reflect.MakeSlice(src.Type(), src.Len(), src.Len()))
		for i := range src.Len() {
			rewrite(dst.Index(i), src.Index(i), f)
		}
	case reflect.Map:
		rewriteMap(dst, src, f)
	case reflect.Pointer, reflect.Interface:
		if src.IsNil() {
			dst.SetZero()
			return
		}
		e := reflect.New(src.Elem().Type()).Elem()
		rewrite(e, src.Elem(), f)
		if src.Kind() == reflect.Pointer {
			dst.Set(e.Addr())
		} else {
			dst.Set(e)
		}
	default:
		dst.Set(src)
	}
}

// rewriteMap copies a map in key order, so that of two keys that become one
// always the same stays.
func rewriteMap(dst, src reflect.Value, f func(string) string) {
	dst.Set(reflect.MakeMapWithSize(src.Type(), src.Len()))
	keys := src.MapKeys()
	sort.Slice(keys, func(i, j int) bool { return keys[i].String() < keys[j].String() })
	for _, key := range keys {
		k, v := reflect.New(key.Type()).Elem(), reflect.New(src.Type().Elem()).Elem()
		rewrite(k, key, f)
		rewrite(v, src.MapIndex(key), f)
		dst.SetMapIndex(k, v)
	}
}
