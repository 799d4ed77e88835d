package main

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// What bash writes for a word is read by it as exactly that word, whatever stands
// in it, and wherever and however it was begun: the shell itself is asked.
func TestTypedWord(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("no bash")
	}
	words := []string{"scripts/build.sh", `scripts/a b;c&d|e<f>g(h)i*j?k[l]m!n~o{p}q#r's"t\u$v` + "`w", "~home", "#x", "scripts/x@y:z=ü"}
	var script strings.Builder
	var want []string
	for _, word := range words {
		for at := 0; at <= len(word); at++ {
			if !utf8.ValidString(word[:at]) {
				continue
			}
			for _, open := range []string{"", "'", `"`} {
				typed := open + typedWord{quote: []rune(open + "\x00")[0]}.text(word[:at])
				before, last := lineWords("audit history " + typed)
				if len(before) != 2 || before[1] != word[:at] {
					t.Fatalf("%s is read as %q, want %q", typed, before, word[:at])
				}
				text, ok := last.complete(word)
				if !ok && (open != `"` || !strings.Contains(word, "!")) {
					t.Errorf("%s: no way to %s", typed, word)
				}
				if !ok {
					continue
				}
				script.WriteString("printf '%s\\0' " + (typedWord{quote: last.quote}).open(word[:last.kept], open) + text + open + "\n")
				want = append(want, word)
			}
		}
	}
	out, err := exec.Command(bash, "--norc", "-c", script.String()).Output()
	got := strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%v: %d words, want %d", err, len(got), len(want))
		for i := range min(len(got), len(want)) {
			if got[i] != want[i] {
				t.Fatalf("%q, want %q", got[i], want[i])
			}
		}
	}
	t.Logf("%d words", len(want))
}

// text is a part of a word as somebody types it.
func (t typedWord) text(part string) string {
	if t.quote == '"' { // who types a ! there has it read as one
		return backslashed(part, "\"\\$`")
	}
	s, _ := t.complete(part)
	return s
}

// open is what stands on the line before what is replaced.
func (t typedWord) open(kept, quote string) string {
	return typedWord{}.text(kept) + quote
}

// A line is cut as bash cuts it, and what it would replace is known.
func TestLineWords(t *testing.T) {
	for line, want := range map[string]struct {
		words string
		last  typedWord
	}{
		"audit ":                   {"", typedWord{}},
		"audit run --only=w":       {"run|--only=w", typedWord{0, 7}},
		`audit a\ b`:               {"a b", typedWord{}},
		`audit 'a b`:               {"a b", typedWord{'\'', 0}},
		`audit x'a b`:              {"xa b", typedWord{'\'', 1}},
		`audit "a:b`:               {"a:b", typedWord{'"', 0}},
		`audit "a:"b`:              {"a:b", typedWord{}},
		`audit a:"b:"c`:            {"a:b:c", typedWord{0, 2}},
		`audit a\:b`:               {"a:b", typedWord{}},
		`audit a@b`:                {"a@b", typedWord{0, 1}},
		`audit "" x`:               {"|x", typedWord{}},
		`audit "a\q\"`:             {`a\q"`, typedWord{'"', 0}},
		`audit 'a\`:                {`a\`, typedWord{'\'', 0}},
		`audit a\`:                 {"a", typedWord{}},
		`audit history a b  c ": `: {"history|a|b|c|: ", typedWord{'"', 0}},
	} {
		words, last := lineWords(line)
		if got := strings.Join(words, "|"); got != want.words || last != want.last {
			t.Errorf("%s: %s %+v, want %s %+v", line, got, last, want.words, want.last)
		}
	}
}
