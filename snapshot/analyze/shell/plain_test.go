package shell

import (
	"reflect"
	"strings"
	"testing"

	"mvdan.cc/sh/v3/syntax"
)

// parsed is what the parser itself makes of a text.
func parsed(t testing.TB, src string, d Dialect) []*syntax.Stmt {
	t.Helper()
	out, err := statements([]byte(src), d)
	if err != nil {
		t.Fatalf("%q in %s: %v", src, d, err)
	}
	return out
}

func TestPlainCommands(t *testing.T) {
	for _, src := range []string{"npm ci", "npm ci\n", "  npm\tci --a=b  \n\n\t\nnode ./x/y.mjs --area users @a/b@1.2 %1 a:b,c +x -\n", "true", "a\n b", "\n\na=b", "=", "a=1 b", "x a=1",
		"if", "x if then", "done", "time ls", "export A=1", "x export", "let a", "1", "[", "a\rb", "a#b", "a $b", "echo é", ":", "- x", "eval x", "{", "!", "in x", "alias a", "a\x00b",
		strings.Repeat("a ", maxPlain), strings.Repeat("word ", 800), strings.Repeat("a b\n", 900), "@test x", "foreach", "repeat 3 x", "end", "then", "select x", "coproc x", "function f"} {
		for _, d := range []Dialect{Bash, POSIX, "", Korn, Bats, Zsh} {
			if got, ok := plainCommands([]byte(src), d); ok && !reflect.DeepEqual(got, parsed(t, src, d)) {
				t.Errorf("%q in %q is read otherwise than by the parser", src, d)
			}
		}
	}
	for src, want := range map[string]bool{"npm ci": true, "a\n\nb c\n": true, "node x.mjs --area=users": true, "A=1 b": false, "if x": false, "a b; c": false, "a 'b'": false, "a # b": false, "": false} {
		if _, ok := plainCommands([]byte(src), Bash); ok != want {
			t.Errorf("%q is plain: %v, want %v", src, ok, want)
		}
	}
}

// FuzzPlainCommands: what is read without the parser is what the parser reads.
func FuzzPlainCommands(f *testing.F) {
	for _, src := range []string{"npm run build", "npm ci\n\n  node a.js --x=1\n", "export A=1\nb", "time a", "a\tb"} {
		f.Add(src)
	}
	f.Fuzz(func(t *testing.T, src string) {
		for _, d := range []Dialect{Bash, POSIX} {
			if got, ok := plainCommands([]byte(src), d); ok && !reflect.DeepEqual(got, parsed(t, src, d)) {
				t.Errorf("%q in %q is read otherwise than by the parser", src, d)
			}
		}
	})
}
