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

// The two agree where encoding/json ceases to go deeper.
func TestValid_bound(t *testing.T) {
	for _, deep := range []int{9_999, 10_000, 10_001} {
		for _, s := range []string{
			strings.Repeat("[", deep) + strings.Repeat("]", deep),
			strings.Repeat(`{"a":`, deep-1) + "{}" + strings.Repeat("}", deep-1),
			strings.Repeat(`[{"a":`, deep/2) + strings.Repeat("[", deep%2) + "1" + strings.Repeat("]", deep%2) + strings.Repeat("}]", deep/2),
		} {
			want := deep <= 10_000
			if std := json.Valid([]byte(s)); std != want {
				t.Errorf("%d levels of %.6q: encoding/json says %v", deep, s, std)
			}
			if got := Valid(s); got != want {
				t.Errorf("%d levels of %.6q: %v, want %v", deep, s, got, want)
			}
		}
	}
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
