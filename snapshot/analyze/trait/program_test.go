package trait

import (
	"regexp"
	"strings"
	"testing"
)

func TestNamed(t *testing.T) {
	want := regexp.MustCompile(`^[A-Za-z0-9_.+:\[-]{1,40}$`)
	words := []string{"", "npm", "[", "[[", "g++", "C:x", "a b", "$x", "é", strings.Repeat("a", 40), strings.Repeat("a", 41), "x\n", "a/b"}
	for c := range 256 {
		words = append(words, string([]byte{byte(c)}), "a"+string(rune(c))+"b")
	}
	for _, w := range words {
		if got := Named(w); got != want.MatchString(w) {
			t.Errorf("Named(%q) = %v", w, got)
		}
	}
}
