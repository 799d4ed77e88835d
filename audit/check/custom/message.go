package custom

import (
	"fmt"
	"strings"

	"healthaudit/snapshot"
)

// A Message is the sentence of a finding, with {name}, {key}, {path} and {state}
// for those of the item.
type Message string

var placeholders = []string{"{name}", "{key}", "{path}", "{state}"}

// Problem says what is wrong with a message; empty when nothing is.
func (m Message) Problem() string {
	for rest := string(m); ; {
		open := strings.IndexByte(rest, '{')
		if open < 0 {
			return ""
		}
		rest = rest[open:]
		end := strings.IndexByte(rest, '}')
		word := rest[:max(end+1, 1)]
		known := false
		for _, p := range placeholders {
			known = known || p == word
		}
		if !known {
			return fmt.Sprintf("holds %s: it may hold %s", word, strings.Join(placeholders, ", "))
		}
		rest = rest[end+1:]
	}
}

// of is the sentence about an item.
func (m Message) of(it *snapshot.Item) string {
	return strings.NewReplacer("{name}", it.Name, "{key}", string(it.Key), "{path}", it.Path, "{state}", it.State).Replace(string(m))
}
