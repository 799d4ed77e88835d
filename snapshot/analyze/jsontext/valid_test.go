package jsontext

import (
	"encoding/json"
	"strings"
	"testing"
)

// Valid says what encoding/json says, and does not end the program on brackets
// without end.
func FuzzValid(f *testing.F) {
	for _, s := range []string{
		``, ` `, `null`, ` true `, `tru`, `nul`, `nulll`, `false,`, `""`, `"\u12g4"`, `"\u00e9"`, "\"\xff\"", "\"a\nb\"", `"a`, `"\`, `"\x"`,
		`0`, `-`, `-0`, `01`, `-01`, `1.`, `1.5`, `1e`, `1e+`, `1E-5`, `.5`, `+1`, `NaN`,
		`[]`, `[1,]`, `[,1]`, `[1 2]`, `[1,2] x`, `{}`, `{"a":1,}`, `{"a" 1}`, `{"a":}`, `{a:1}`, `{"a":1 "b":2}`, `{"a":[{"b":{}}]}`, `]`, "\x00", "[\v]",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if got, want := Valid(s), json.Valid([]byte(s)); got != want {
			t.Errorf("%q: %v, want %v", s, got, want)
		}
	})
}

func TestValid_deep(t *testing.T) {
	for s, want := range map[string]bool{
		strings.Repeat("[", 20<<20):                               false, // a gigabyte of stack by recursion
		strings.Repeat("[", 9000) + strings.Repeat("]", 9000):     true,
		"[" + strings.Repeat("{},", maxOpen) + "[]]":              true,
		"[" + strings.Repeat("{},", maxOpen) + "[]":               false,
		strings.Repeat(`{"a":`, 50_000) + strings.Repeat("}", 10): false,
	} {
		if got := Valid(s); got != want {
			t.Errorf("%.20q of %d bytes: %v", s, len(s), got)
		}
	}
}
