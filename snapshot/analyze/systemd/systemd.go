// Package systemd reads unit files as systemd.syntax(7) has them, with the place
// of every setting. It looks at no other file: no drop-ins, no installed units,
// no specifiers.
package systemd

import (
	"path"
	"strings"
)

// MaxSize is the largest unit, in bytes, that is read; systemd itself refuses lines
// of a megabyte.
const MaxSize = 256 << 10

// maxProblems bounds what is told of one unit.
const maxProblems = 20

// A Unit is what a unit file says.
type Unit struct {
	Settings []Setting
	Problems []Problem
}

// A Setting is one "Key=value" with its section. Line and Column (1-based, in
// bytes) are those of the first byte of the value.
type Setting struct {
	Section, Key, Value string
	Line, Column        int
}

// A Problem is a line that systemd ignores with a warning.
type Problem struct {
	Line, Column int
	Message      string
}

// Is reports whether a file of that name is a unit that runs or starts something.
func Is(p string) bool {
	ext := path.Ext(p)
	return ext == ".service" || ext == ".timer"
}

// Parse reads a unit. It never fails: what is wrong stands in Problems.
func Parse(src []byte) *Unit {
	u := &Unit{}
	section, number := "", 0
	lines := strings.Split(strings.TrimPrefix(string(src), "\ufeff"), "\n")
	for number < len(lines) {
		first := number
		line := strings.TrimRight(lines[number], "\r")
		number++
		for strings.HasSuffix(line, "\\") && !comment(line) && number < len(lines) { // the next line goes on, comments in between are dropped
			next := strings.TrimRight(lines[number], "\r")
			number++
			if !comment(next) {
				line = line[:len(line)-1] + " " + next
			}
		}
		trimmed := strings.TrimSpace(line)
		switch {
		case trimmed == "" || comment(line):
		case trimmed[0] == '[' && trimmed[len(trimmed)-1] == ']':
			section = trimmed[1 : len(trimmed)-1]
		default:
			key, value, ok := strings.Cut(line, "=")
			if !ok || section == "" {
				u.problem(first+1, line, ok)
				continue
			}
			lead := len(value) - len(strings.TrimLeft(value, " \t"))
			u.Settings = append(u.Settings, Setting{Section: section, Key: strings.TrimSpace(key), Value: strings.TrimSpace(value),
				Line: first + 1, Column: len(key) + 1 + lead + 1})
		}
	}
	return u
}

func (u *Unit) problem(number int, line string, setting bool) {
	if len(u.Problems) == maxProblems {
		return
	}
	p := Problem{Line: number, Column: 1 + len(line) - len(strings.TrimLeft(line, " \t")), Message: "neither a section nor a setting: systemd ignores the line"}
	if setting {
		p.Message = "a setting before the first section: systemd ignores it"
	}
	u.Problems = append(u.Problems, p)
}

func comment(line string) bool {
	line = strings.TrimLeft(line, " \t")
	return line != "" && (line[0] == '#' || line[0] == ';')
}

// All returns the settings of that name, in order. An empty one takes back those
// before it.
func (u *Unit) All(section, key string) (out []Setting) {
	for _, s := range u.Settings {
		switch {
		case s.Section != section || s.Key != key:
		case s.Value == "":
			out = nil
		default:
			out = append(out, s)
		}
	}
	return out
}

// Get returns the value of a setting of which the last counts; "" without one.
func (u *Unit) Get(section, key string) string {
	if all := u.All(section, key); len(all) > 0 {
		return all[len(all)-1].Value
	}
	return ""
}

// Command returns the command line of an Exec setting without what systemd reads
// itself: the prefixes "-@:+!|" and specifiers, which become words that nobody
// knows. The text begins skip bytes into the value.
func (s Setting) Command() (text string, skip int) {
	text = strings.TrimLeft(s.Value, "-@:+!|")
	skip = len(s.Value) - len(text)
	return strings.ReplaceAll(text, "%", "$"), skip
}

// Names returns the names that an Environment setting gives values to, which are
// not returned.
func (s Setting) Names() (out []string) {
	for _, w := range words(s.Value) {
		if name, _, ok := strings.Cut(w, "="); ok && name != "" {
			out = append(out, name)
		}
	}
	return out
}

// words splits a value at blanks outside of quotes.
func words(s string) (out []string) {
	var word strings.Builder
	quote := rune(0)
	for _, c := range s + " " {
		switch {
		case quote == 0 && (c == '"' || c == '\''):
			quote = c
		case c == quote:
			quote = 0
		case quote == 0 && (c == ' ' || c == '\t'):
			if word.Len() > 0 {
				out = append(out, word.String())
			}
			word.Reset()
		default:
			word.WriteRune(c)
		}
	}
	return out
}
