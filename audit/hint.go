package audit

import (
	"strings"

	"healthaudit/snapshot"
)

// hintFor returns the hint of a check for one item: its commands name the item where
// they say ITEM, so that they can be typed as they stand.
func hintFor(hint string, item snapshot.Key) string {
	if item == snapshot.Pseudo(item.System()) {
		return hint
	}
	return strings.ReplaceAll(hint, " ITEM", " "+Quoted(string(item)))
}

// Quoted returns a word as a shell takes it.
func Quoted(word string) string {
	if word == "" || strings.ContainsAny(word, " \t\n'\"$`\\*?[]{}#&|;<>()!") {
		return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
	}
	return word
}
