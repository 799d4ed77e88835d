package shell

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestDialectOf(t *testing.T) {
	for _, tt := range []struct {
		name, src string
		want      Dialect
		ok        bool
	}{
		{"a.sh", "echo", Bash, true},
		{"a.sh", "#!/bin/sh\n", POSIX, true},
		{"a", "#!/bin/bash -e\n", Bash, true},
		{"a", "#! /usr/bin/env bash", Bash, true},
		{"a", "#!/usr/bin/env -S A=b zsh -f\n", Zsh, true},
		{"a", "#!/bin/busybox sh\r\n", POSIX, true},
		{"a.bats", "", Bats, true},
		{"a.sh", "#!/usr/bin/env python3\n", "", false},
		{"a.sh", "#!/usr/bin/fish\n", "", false},
		{"a.py", "", "", false},
		{"a.sh", "#!\n", "", false},
		{"a.sh", "\ufeff#!/bin/sh\n", POSIX, true},
		{"web/.husky/pre-commit", "npm test\n", POSIX, true},
		{".husky/pre-push", "#!/usr/bin/env node\n", "", false},
		{".husky/readme", "npm test\n", "", false},
	} {
		if got, ok := DialectOf(tt.name, []byte(tt.src)); got != tt.want || ok != tt.ok {
			t.Errorf("DialectOf(%q, %q) = %q, %v; want %q, %v", tt.name, tt.src, got, ok, tt.want, tt.ok)
		}
	}
}

func TestSyntax(t *testing.T) {
	for _, tt := range []struct {
		name string
		d    Dialect
		src  string
		line int // 0: no problem
		sure bool
	}{
		{"fine", Bash, "if true; then echo; fi\n", 0, false},
		{"points at what was opened", Bash, "echo\nif true; then\necho\n", 2, true},
		{"unclosed quote", POSIX, "echo 'a\n\n", 1, true},
		{"stray fi", Bash, "echo\n\nfi\n", 3, true},
		{"bash in sh is not sure", POSIX, "a=(1 2)\n", 1, false},
		{"bash in bash", Bash, "a=(1 2); [[ $a =~ ^x(y)$ ]]\n", 0, false},
		{"two subshells that look like arithmetic", Bash, "if ((echo a) && echo b); then :; fi\n", 0, false},
		{"two substitutions that look like arithmetic", Bash, "x=$((echo a) | cat)\n", 0, false},
		{"bytes that are not UTF-8", Bash, "echo 'caf\xe9' # \xff\n", 0, false},
		{"what stands in backquotes is read when it runs", Bash, "f() {\n```\nlocal a\ncat <<EOF\n{\nEOF\n```\n}\n```\n}\n```\n", 10, false},
		{"and in those of a here-document too", Bash, "f() {\ncat <<EOF\n```\n}\nEOF\n```\necho\n```\n}\n", 4, false},
		{"an error outside of backquotes is one", Bash, "f() {\n```\nlocal a\n```\n}\n}\n", 6, true},
		{"unclosed here-document is a warning to bash", Bash, "cat <<EOF\na\n", 1, false},
		{"no final newline", Bash, "echo a", 0, false},
		{"CRLF", Bash, "if true; then\r\n  echo a\r\nfi\r\n", 0, false},
		{"zsh is not sure", Zsh, "if\n", 1, false},
		{"empty", Bash, "", 0, false},
		{"too long", Bash, strings.Repeat("# a comment\n", MaxSize/10), 1, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := Read([]byte(tt.src), tt.d).Problems()
			switch {
			case tt.line == 0 && len(got) > 0:
				t.Errorf("%+v, want no problem", got)
			case tt.line > 0 && (len(got) != 1 || got[0].Line != tt.line || got[0].Sure != tt.sure || got[0].Message == ""):
				t.Errorf("%+v, want one in line %d, sure: %v", got, tt.line, tt.sure)
			}
		})
	}
}

// TestSyntaxIsBounded: without a bound each of these ends the process, or
// takes gigabytes.
func TestSyntaxIsBounded(t *testing.T) {
	for _, unit := range []string{"(", "$(", "\"$(", "{ ", "((", "$((", "${a:-", "x[", "if ", "while ", "f()", "time ", "! ", "a|", "a&&", "coproc "} {
		src := []byte(strings.Repeat(unit, MaxSize/len(unit)))
		Read(src, Bash).Problems()
	}
	for _, unit := range []string{"(", "$(", "((", "$(("} { // few enough for the stack, too many for the time
		Read([]byte(strings.Repeat(unit, 10_000/len(unit))), Bash).Problems()
	}
	for _, start := range []string{"$((", "[[ "} {
		for _, unit := range []string{"~", "- ", "a?", "a=", "2**", "! ", "( "} {
			Read([]byte(start+strings.Repeat(unit, (MaxSize-3)/len(unit))), Bash).Problems()
		}
	}
}

// What joins too many operators is not read: its tree is as deep.
func TestParse_boundsOperators(t *testing.T) {
	for _, c := range []struct {
		before, unit, after string
		refused             bool
	}{
		{"", "a && ", "a", true}, {"", "a || ", "a", true}, {"", "a |\n", "a", true}, {"", "a && \\\n", "a", true}, {"{ ", "a && ", "a; }", true},
		{"[[ a", " && a", " ]]", true}, {"[[ a", "\n|| a", " ]]", true}, {"((a", "+a", "))", true}, {"((a", "\n*a", "))", true}, {"let a", "+1", "", true},
		{"", "a && b\n", "", false}, {"", "a | b;", "", false}, {"cat <<E\n", "a+b/c=\n", "E\n", false}, {"f() {\n", "a --b --c && d | e\n", "}\n", false},
		{"((a))\n", "a --b | c\n", "", false},
	} {
		src := []byte(c.before + strings.Repeat(c.unit, 300_000/len(c.unit)) + c.after)
		_, err := Parse(src, Bash)
		if refused := errors.Is(err, ErrBound); refused != c.refused || err != nil && !refused {
			t.Errorf("%s%s…: %v, want refused %v", c.before, c.unit, err, c.refused)
		}
	}
}

// The size alone answers for most texts; at the bounds it must say the same.
func TestTooMuch_atItsBounds(t *testing.T) {
	for _, c := range []struct {
		text string
		want bool
	}{
		{strings.Repeat("(", maxNesting), false}, {strings.Repeat("(", maxNesting+1), true}, {strings.Repeat("[ ]", maxNesting+1), false},
		{strings.Repeat("{ }\n", maxStack/bracketStack), false}, {strings.Repeat("()\n", maxStack/bracketStack+1), true},
		{"a" + strings.Repeat("+a", maxOperators), false}, {"a" + strings.Repeat("+a", maxOperators+1), true},
	} {
		if got := TooMuch([]byte(c.text)); got != c.want {
			t.Errorf("%.12s… of %d bytes: %v", c.text, len(c.text), got)
		}
	}
}

// The parser goes on after this error, which a loop over its statements does not survive.
func TestParse_survivesAnUnclosedHereDocumentAtTheEnd(t *testing.T) {
	if _, err := Parse([]byte("<<a;<<a;\n"), Bash); err == nil {
		t.Error("no error")
	}
}

func TestNeutralize(t *testing.T) {
	for _, tt := range []struct{ src, want string }{
		{"echo ${{ a }}", "echo xxxxxxxx"},
		{"a ${{ b }} c ${{d}} e", "a xxxxxxxx c xxxxxx e"},
		{"${{ format('}}', a) }} b", strings.Repeat("x", 22) + " b"},
		{"${{ 'it''s }}' }}.", strings.Repeat("x", 17) + "."},
		{"${{ a\n }} b", "xxxxx\nxxx b"},
		{"echo ${{ a", "echo ${{ a"},
		{"echo ${a} $(b)", "echo ${a} $(b)"},
	} {
		src := []byte(tt.src)
		if got := string(Neutralize(src)); got != tt.want {
			t.Errorf("Neutralize(%q) = %q, want %q", tt.src, got, tt.want)
		}
		if string(src) != tt.src {
			t.Errorf("Neutralize changed its argument to %q", src)
		}
	}
}

func FuzzSyntax(f *testing.F) {
	for _, s := range []string{"if ((a) && b); then\nfi", "echo ${{ x }}", "cat <<EOF\n$(a)\nEOF", "f() { a; }", "x=$((1+(2)))", "((((", "\xff'"} {
		for _, d := range []Dialect{Bash, POSIX, Korn, Bats, Zsh} {
			f.Add([]byte(s), string(d))
		}
	}
	f.Fuzz(func(t *testing.T, src []byte, d string) {
		clean := Neutralize(src)
		if len(clean) != len(src) || bytes.Count(clean, []byte("\n")) != bytes.Count(src, []byte("\n")) {
			t.Fatalf("Neutralize(%q) = %q", src, clean)
		}
		if utf8.Valid(src) && !utf8.Valid(clean) {
			t.Fatalf("Neutralize(%q) is not UTF-8", src)
		}
		lines := bytes.Count(src, []byte("\n")) + 1
		for _, p := range Read(src, Dialect(d)).Problems() {
			if p.Line < 1 || p.Line > lines || p.Column < 1 || p.Message == "" {
				t.Fatalf("%+v in a text of %d lines", p, lines)
			}
		}
	})
}
