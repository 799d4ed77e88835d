// Package python reads what can be read of Python without Python: which local
// modules a script imports. Its syntax can only be judged by the interpreter
// (the parsers written in Go reject 85 % of real files); Program is what a
// collector gives it to do so, and Sure says how far its verdict goes.
//
// Invariants: nothing is executed; bounded time; equal bytes give equal results.
package python

import (
	_ "embed"
	"strings"
)

// Program is a Python 3 program that compiles many files to syntax trees and
// runs none of them. It reads, per file, a line with the number of bytes and
// the bytes; it writes first its version ("3.11.7"), then per file a line of
// JSON: null when the file parses, else [line, column, message]. Its argument
// is the processor time, in seconds, that one file may take; where the platform
// can tell, a file that takes more ends the program.
//
//go:embed syntax.py
var Program string

// An Import is a module that a script imports by a plain top-level statement.
// Line is 1-based.
type Import struct {
	Module string // dotted; relative imports begin with dots
	Line   int
}

// MaxImports is how many imports of one file are told.
const MaxImports = 200

// Imports returns the imports at the beginning of lines outside strings, in
// order. Conditional ones (indented) are left out: they may be optional.
func Imports(src []byte) []Import {
	var out []Import
	quote := ""
	number := 0
	for line := range strings.Lines(string(src)) {
		number++
		if quote == "" && len(out) < MaxImports {
			out = append(out, imported(strings.TrimRight(line, "\r\n"), number)...)
		}
		quote = openQuote(line, quote)
	}
	return out
}

func imported(line string, number int) []Import {
	if rest, ok := strings.CutPrefix(line, "from "); ok {
		module, _, ok := strings.Cut(strings.TrimSpace(rest), " import")
		if ok && isModule(strings.TrimLeft(strings.TrimSpace(module), ".")) {
			return []Import{{strings.TrimSpace(module), number}}
		}
		return nil
	}
	rest, ok := strings.CutPrefix(line, "import ")
	if !ok {
		return nil
	}
	rest, _, _ = strings.Cut(rest, "#")
	var out []Import
	for part := range strings.SplitSeq(rest, ",") {
		module, _, _ := strings.Cut(strings.TrimSpace(part), " ")
		if isModule(module) {
			out = append(out, Import{module, number})
		}
	}
	return out
}

func isModule(s string) bool {
	for part := range strings.SplitSeq(s, ".") {
		if part == "" || part[0] >= '0' && part[0] <= '9' {
			return false
		}
		for _, c := range []byte(part) {
			if c != '_' && (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
				return false
			}
		}
	}
	return true
}

// openQuote returns the triple quote that is open at the end of a line, given
// the one open at its start.
func openQuote(line, quote string) string {
	for i := 0; i < len(line); i++ {
		if quote != "" {
			if line[i] == '\\' {
				i++
			} else if strings.HasPrefix(line[i:], quote) {
				i += 2
				quote = ""
			}
			continue
		}
		switch line[i] {
		case '#':
			return ""
		case '"', '\'':
			q := line[i : i+1]
			if triple := strings.Repeat(q, 3); strings.HasPrefix(line[i:], triple) {
				quote = triple
				i += 2
				continue
			}
			i = endOfText(line, i+1, q[0])
		}
	}
	return quote
}

func endOfText(line string, i int, quote byte) int {
	for ; i < len(line) && line[i] != quote; i++ {
		if line[i] == '\\' {
			i++
		}
	}
	return i
}

// sure are beginnings of messages that no other version of Python 3 would take back.
var sure = []string{
	"unterminated string literal", "unterminated triple-quoted string literal", "EOL while scanning", "EOF while scanning",
	"'(' was never closed", "'[' was never closed", "'{' was never closed", "unmatched ", "closing parenthesis ",
	"unexpected indent", "unindent does not match", "expected an indented block", "inconsistent use of tabs",
	"unexpected character after line continuation", "invalid non-printable character", "source code string cannot contain null bytes",
	"source code cannot contain null bytes",
}

// Sure reports whether a syntax error with that message means that no version
// of Python 3 reads the file. Others may only mean that the interpreter is
// older or newer than the script.
func Sure(message string) bool {
	for _, s := range sure {
		if strings.HasPrefix(message, s) {
			return true
		}
	}
	return false
}
