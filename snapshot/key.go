package snapshot

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A Key names an item for ever: "system/name". It is stable under reordering,
// scaling and moves of the root, holds no control character, and is built from
// parts that were escaped by Escape, EscapePart or EscapeDir.
type Key string

// maxName bounds the name of a key in bytes. A longer one, which no person
// wrote, is cut and told apart by its digest.
const maxName = 1000

// NewKey joins a system and an already escaped name.
func NewKey(sys System, name string) Key {
	if len(name) > maxName {
		sum := Sum([]byte(name))
		name = strings.ToValidUTF8(name[:maxName], "") + "~" + sum[:16]
	}
	return Key(string(sys) + "/" + name)
}

// Pseudo is the key of the pseudo-item that holds what belongs to no single
// item of a system. It weighs like one item only while it has findings.
func Pseudo(sys System) Key { return NewKey(sys, "(system)") }

// Split returns the system and the name of a key; ok is false when there is no slash.
func (k Key) Split() (sys System, name string, ok bool) {
	a, b, ok := strings.Cut(string(k), "/")
	return System(a), b, ok
}

// System returns the part before the first slash.
func (k Key) System() System { s, _, _ := k.Split(); return s }

// Name returns the part after the first slash, still escaped.
func (k Key) Name() string { _, n, _ := k.Split(); return n }

// IsPseudo reports whether the key names a system's pseudo-item.
func (k Key) IsPseudo() bool { return strings.HasSuffix(string(k), "/(system)") }

// Escape percent-encodes what may not stand in the last part of a key: control
// characters, '%', '#', bytes that are not UTF-8, and line or paragraph
// separators. '/' and ':' stay.
func Escape(last string) string { return escape(last, "") }

// EscapePart is Escape for a part before the last one: ':' and '/' are encoded too.
func EscapePart(part string) string { return escape(part, ":/") }

// EscapeDir is Escape for a folder in front of a name: '/' stays a separator,
// ':' is encoded. The root (".") is the empty string, any other folder ends in '/'.
func EscapeDir(dir string) string {
	if dir == "." || dir == "" {
		return ""
	}
	return escape(strings.Trim(dir, "/"), ":") + "/"
}

func escape(s, more string) string {
	clean := true
	for i := 0; i < len(s) && clean; i++ {
		c := s[i]
		clean = c >= 0x20 && c < 0x7f && c != '%' && c != '#' && strings.IndexByte(more, c) < 0
	}
	if clean {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		bad := r == utf8.RuneError && n == 1 || unicode.IsControl(r) || unicode.Is(unicode.Cf, r) ||
			r == '%' || r == '#' || r == '\u2028' || r == '\u2029' || r < utf8.RuneSelf && strings.IndexByte(more, byte(r)) >= 0
		if bad {
			for _, c := range []byte(s[i : i+n]) {
				fmt.Fprintf(&b, "%%%02X", c)
			}
		} else {
			b.WriteString(s[i : i+n])
		}
		i += n
	}
	return b.String()
}
