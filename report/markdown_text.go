package report

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// What becomes of a foreign text in Markdown. GitHub looks for mentions,
// references and emoji after it has made HTML, so that escaping them changes
// nothing: only in code does it let them be.

// mdEntities are the characters that Markdown, HTML or mathematics begin with
// (https://github.github.com/gfm/#entity-and-numeric-character-references).
var mdEntities = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "|", "&#124;", "*", "&#42;", "_", "&#95;", "`", "&#96;",
	"~", "&#126;", "[", "&#91;", "]", "&#93;", "\\", "&#92;", "$", "&#36;")

// prose writes a clean text as words. A word in which GitHub would see a
// mention, a reference, a link, an emoji or mathematics becomes code.
func prose(s string) string {
	words := strings.Split(s, " ")
	for i, w := range words {
		from, to := trimmed(w)
		if core := w[from:to]; alive(core) {
			words[i] = mdEntities.Replace(w[:from]) + code(core) + mdEntities.Replace(w[to:])
			continue
		}
		words[i] = mdEntities.Replace(w)
	}
	return strings.Join(words, " ")
}

// trimmed leaves out the punctuation around a word.
func trimmed(w string) (from, to int) {
	from = len(w) - len(strings.TrimLeft(w, `([{"'`))
	return from, max(from, len(strings.TrimRight(w, `)]}"'.,;!?`)))
}

// alive reports whether GitHub makes something of a word although its Markdown
// is escaped.
func alive(w string) bool {
	if strings.ContainsAny(w, "$") || strings.Contains(w, "://") {
		return true
	}
	low := strings.ToLower(w)
	if strings.Contains(low, "www.") || colons(low) {
		return true
	}
	return before(w, "@", alphanumeric) || before(w, "#", digit) || before(low, "gh-", digit)
}

// before reports whether a mark stands in front of such a character.
func before(w, mark string, is func(byte) bool) bool {
	for {
		_, rest, found := strings.Cut(w, mark)
		if !found {
			return false
		}
		if rest != "" && is(rest[0]) {
			return true
		}
		w = rest
	}
}

// colons reports whether two colons stand around something that may be the name
// of an emoji.
func colons(w string) bool {
	parts := strings.Split(w, ":")
	return len(parts) > 2 && slices.ContainsFunc(parts[1:len(parts)-1], func(p string) bool { return p != "" })
}

func digit(c byte) bool { return c >= '0' && c <= '9' }
func alphanumeric(c byte) bool {
	return digit(c) || c|0x20 >= 'a' && c|0x20 <= 'z' || c >= utf8.RuneSelf
}

// code writes a clean text as a code span, whose fence is longer than any
// backticks in it (https://spec.commonmark.org/0.31.2/#code-spans).
func code(s string) string {
	if strings.TrimSpace(s) == "" {
		return ""
	}
	longest, run := 0, 0
	for _, r := range s {
		if run++; r != '`' {
			run = 0
		}
		longest = max(longest, run)
	}
	fence := strings.Repeat("`", longest+1)
	if strings.HasPrefix(s, "`") || strings.HasSuffix(s, "`") || strings.HasPrefix(s, " ") && strings.HasSuffix(s, " ") {
		s = " " + s + " "
	}
	return fence + s + fence
}

// mdHint writes what to do: words, and below them lines for a file as code.
func mdHint(s string) string {
	if s == "" {
		return ""
	}
	lines := strings.Split(clip(s, 600), "\n")
	lines[0] = prose(lines[0])
	for i, l := range lines[1:] {
		own := strings.TrimLeft(l, " ")
		lines[i+1] = strings.Repeat("&nbsp;", len(l)-len(own)) + code(own)
	}
	return strings.Join(lines, "\n")
}

// mdPlace names item and place of a finding, as code.
func mdPlace(f Finding) string {
	item, at := placed(f)
	if item, at = code(clip(item, 200)), code(clip(at, 200)); item == "" || at == "" {
		return item + at
	}
	return item + " at " + at
}

// cutNote says that a list is not whole.
func cutNote(shown, of int, what, see string) string {
	return fmt.Sprintf("Left out for want of room: %s of %s %s. All of them: %s.", group(of-shown), group(of), what, code(see))
}
