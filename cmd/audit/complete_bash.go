package main

import "strings"

// A typedWord is the last word of a line as it was typed into bash, which replaces
// only a part of it: what follows an open quote, or the last of its word breaks.
type typedWord struct {
	quote rune // that is open: ', " or 0
	kept  int  // bytes of the word, without its quotes, that stay as they are
}

// breaks end a word for readline where they are not quoted (COMP_WORDBREAKS of
// bash, bashline.c); an @ belongs to the word that it begins (rl_special_prefixes).
const breaks = "@><=;|&(:"

// lineWords cuts a line into the words behind the first, without their quotes. The
// last word may be empty.
func lineWords(line string) (words []string, last typedWord) {
	var word strings.Builder
	var escaped, began bool
	outside := 0 // what stays where the open quote is closed again: with it, all is written anew
	for _, r := range line {
		switch {
		case escaped:
			if last.quote == '"' && !strings.ContainsRune("\"\\$`", r) {
				word.WriteRune('\\')
			}
			word.WriteRune(r)
			escaped = false
		case r == '\\' && last.quote != '\'':
			escaped, began = true, true
		case last.quote != 0 && r == last.quote:
			last.quote, last.kept = 0, outside
		case last.quote == 0 && (r == '"' || r == '\''):
			last.quote, outside, began = r, last.kept, true
			last.kept = word.Len()
		case last.quote == 0 && (r == ' ' || r == '\t'):
			if began {
				words = append(words, word.String())
			}
			word.Reset()
			last, began = typedWord{}, false
		default:
			if last.quote == 0 && strings.ContainsRune(breaks, r) {
				if last.kept = word.Len(); r != '@' {
					last.kept++
				}
			}
			word.WriteRune(r)
			began = true
		}
	}
	words = append(words, word.String())
	return words[1:], last
}

// complete is what bash is to write for a word that begins as the typed one. Not
// ok is that its quotes allow no way: in double ones a ! names a line of the past.
func (t typedWord) complete(word string) (text string, ok bool) {
	rest := word[t.kept:]
	switch t.quote {
	case '\'':
		return strings.ReplaceAll(rest, "'", `'\''`), true
	case '"':
		return backslashed(rest, "\"\\$`"), !strings.Contains(rest, "!")
	}
	return backslashed(rest, " ;&|<>()*?[]!~{}#'\"\\$`"), true
}

// backslashed puts a backslash before each of these characters.
func backslashed(s, special string) string {
	var out strings.Builder
	for _, r := range s {
		if strings.ContainsRune(special, r) {
			out.WriteByte('\\')
		}
		out.WriteRune(r)
	}
	return out.String()
}
