package js

import (
	"fmt"
	"strings"
	"testing"
)

// Each of these took minutes, or the whole stack, before it was bounded: that
// the test ends is the proof.
func TestParse_isBounded(t *testing.T) {
	var exports, requires strings.Builder
	for i := range 60_000 {
		fmt.Fprintf(&exports, "exports.a%d='é';", i)
		fmt.Fprintf(&requires, "require('./x%d');", i)
	}
	for name, src := range map[string]string{
		"exports on one line": exports.String(), "requires on one line": requires.String(),
		"sums": strings.Repeat("1+", 500_000) + "1", "commas": strings.Repeat("a,", 500_000) + "1",
		"commas in a function": "function f(){" + strings.Repeat("a,", 500_000) + "1}", "arguments": "f(" + strings.Repeat("a,", 500_000) + "1)",
	} {
		m := Parse("x.js", []byte(src))
		if len(m.Exports) > maxNames || len(m.Imports) > maxNames {
			t.Errorf("%s: %d exports, %d imports", name, len(m.Exports), len(m.Imports))
		}
		if m.Unjudged == "" && m.Complete {
			t.Errorf("%s: called complete", name)
		}
	}
	data := Parse("x.js", []byte("module.exports=["+strings.Repeat("1,", 200_000)+"1]"))
	if data.Unjudged != "" {
		t.Errorf("a long list is no nesting: %s", data.Unjudged)
	}
}

// Places on a long line with wide characters are exact.
func TestParse_placesOnALongLine(t *testing.T) {
	src := "const s='" + strings.Repeat("é😀", 3000) + "';require('./a');"
	m := Parse("x.js", []byte(src))
	if len(m.Imports) != 1 || m.Imports[0].Column != strings.Index(src, "'./a'")+1 {
		t.Errorf("%+v, want column %d", m.Imports, strings.Index(src, "'./a'")+1)
	}
}
