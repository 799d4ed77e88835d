package netlify

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestRegenerate(t *testing.T) {
	for _, c := range []struct{ name, old, functions, want string }{
		{"the same names in another order", "{\"generatedAt\":\"2025-01-01\", \"functions\":[\"b\",\"a\"]}", "a b", "{\"generatedAt\":\"2025-01-01\", \"functions\":[\"b\",\"a\"]}"},
		{"a name more", "{\n\t\"x\": {\"functions\": [1]},\n\t\"functions\": [\"b\"], \"y\": 1e3\n}\n", "b a", "{\n\t\"x\": {\"functions\": [1]},\n\t\"functions\": [\n\t  \"a\",\n\t  \"b\"\n\t], \"y\": 1e3\n}\n"},
		{"objects keep what they hold", "{\"functions\": [{\"name\": \"b\", \"k\":  1}, {\"name\": \"gone\"}]}", "a b", "{\"functions\": [\n  { \"name\": \"a\" },\n  {\"name\": \"b\", \"k\":  1}\n]}"},
		{"a mixed list becomes names", "{\"functions\": [\"a\", {\"name\": \"b\"}]}", "a b", "{\"functions\": [\n  \"a\",\n  \"b\"\n]}"},
		{"a name twice", "[\"a\", \"a\"]", "a", "[\n  \"a\"\n]"},
		{"a placeholder", "{\"functions\": []}", "a", "{\"functions\": [\n  \"a\"\n]}"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := Regenerate([]byte(c.old), strings.Fields(c.functions), 0)
			if err != nil || string(got) != c.want {
				t.Errorf("%v\n%s\nwant\n%s", err, got, c.want)
			}
		})
	}
}

func TestRegenerate_refuses(t *testing.T) {
	ten := strings.Fields("a b c d e f g h i j")
	for _, c := range []struct {
		name, old string
		functions []string
		good      int
		collapse  bool
	}{
		{"without functions", `{"functions": []}`, nil, 0, true},
		{"fewer than half", `{"functions": ["a"]}`, ten[:4], 10, true},
		{"what is no JSON", "{\n<<<<<<< HEAD", ten, 10, false},
		{"what holds no list", `{}`, ten, 0, false},
		{"what a build has written", `{"system": {}, "functions": []}`, ten, 0, false},
		{"what is not UTF-8", "{\"x\": \"\xe9\", \"functions\": []}", ten, 0, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := Regenerate([]byte(c.old), c.functions, c.good)
			if err == nil || got != nil || errors.Is(err, ErrCollapse) != c.collapse {
				t.Errorf("%q, %v", got, err)
			}
		})
	}
	if _, err := Regenerate([]byte(`[]`), ten[:5], 10); err != nil {
		t.Errorf("just half: %v", err)
	}
}

// Whatever the old list was: the new one names exactly the functions and has no
// complaint of its own, what stood beside the list is kept byte for byte, and
// doing it again changes nothing.
func TestRegenerate_properties(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	rnd := rand.New(rand.NewPCG(seed, 0))
	pick := func(s ...string) string { return s[rnd.IntN(len(s))] }
	for range 2000 {
		var entries, functions []string
		for range rnd.IntN(8) {
			n := pick("a", "b", "c", "d-e", "ü", `x\ny`)
			entries = append(entries, pick(`"`+n+`"`, `"`+n+`.js"`, `{"name": "`+n+`", "size": 1}`, `null`, `{"nome": 1}`))
		}
		for range 1 + rnd.IntN(5) {
			functions = append(functions, pick("a", "b", "c", "d-e", "ü", "x\ny", "<&>"))
		}
		before, after := pick("", "{\n", "{ \"functions\": 3, "), "\n"
		if before != "" {
			before += pick("", "\"owner\": [1, {\"functions\": [2]}],\n    ", "\"generatedAt\": \"2025-01-01\",\r\n\t") + `"functions":` + pick("", " ", "\n  ")
			after = pick("}", "\n}\n", ", \"z\": \"\\u00e9\"}")
		}
		old := []byte(before + "[" + strings.Join(entries, pick(",", ",\n")) + "]" + after)
		got, err := Regenerate(old, functions, 0)
		if err != nil {
			t.Fatalf("seed %d: %q: %v", seed, old, err)
		}
		slices.Sort(functions)
		functions = slices.Compact(functions)
		m := ParseManifest(got)
		if !slices.Equal(m.Names(), functions) || m.Format == ListMixed {
			t.Fatalf("seed %d: %q\n%q\nlists %q, want %q", seed, old, got, m.Names(), functions)
		}
		if !bytes.HasPrefix(got, []byte(before)) || !bytes.HasSuffix(got, []byte(after)) {
			t.Fatalf("seed %d: %q\nbecame %q", seed, old, got)
		}
		if again, err := Regenerate(got, functions, len(functions)); err != nil || !bytes.Equal(again, got) {
			t.Fatalf("seed %d: %q\nand again %q, %v", seed, got, again, err)
		}
	}
}
