// Package waiver reads waivers that stand in the audited files themselves:
//
//	# audit: ignore[workflow-lint, script-syntax] reason=vendor's template until=2027-01-31
//
// in any file whose comments begin with #, //, /*, --, ; or <!--. A comment at the
// end of a line is about that line. One on a line of its own is about what
// begins on the next line of code, with all that is indented deeper below it;
// before the first line of code it is about the whole file. The package reads
// text only: whether a waiver is honoured is not its business.
package waiver

import (
	"bytes"
	"slices"
	"strings"

	"healthaudit/snapshot/analyze/lazyregexp"
)

// Max is how many waivers of one file are read; further ones are left alone.
const Max = 1000

// A Comment is one waiver as it is written. Reason and Until are empty where
// they are missing.
type Comment struct {
	Checks       []string // as written, without blanks and empty names; none where the brackets were forgotten
	Reason       string
	Until        string
	Line, Column int // of the word audit; the column counts bytes
	From, To     int // the lines it is about, inclusive; 1 and EndOfFile for a whole file
}

// EndOfFile is the last line of a waiver that is about a whole file.
const EndOfFile = 1<<31 - 1

var marks = [][]byte{[]byte("audit: ignore["), []byte("audit:ignore["), []byte("audit: ignore reason="), []byte("audit: ignore until="),
	[]byte("audit:ignore reason="), []byte("audit:ignore until=")}

// openers begin a comment; one that another ends with stands behind it.
var openers = []string{"#", "//", "/*", "<!--", "--", ";"}

var (
	field  = lazyregexp.New(`\b(reason|until)=`)
	noCode = lazyregexp.New(`^\x{feff}?\s*(?:#.*|//.*|/?\*.*|--.*|;.*|<!--.*)?$`)
)

// In reports whether there may be waivers in a text: what costs next to nothing
// to ask of every file.
func In(src []byte) bool {
	return slices.ContainsFunc(marks, func(m []byte) bool { return bytes.Contains(src, m) })
}

// Parse returns the waivers of a text, in its order.
func Parse(src []byte) []Comment {
	if !In(src) {
		return nil
	}
	lines := strings.Split(string(src), "\n")
	text := reader{lines: lines, code: -1}
	var out []Comment
	code := false // a line of code came before
	for i, line := range lines {
		line = strings.TrimRight(line, "\r")
		if strings.Contains(line, "audit:") && len(out) < Max {
			if at, ok := find(line); ok {
				c := read(line[at.open:at.close], line[at.close+1:])
				c.Line, c.Column = i+1, at.word+1
				switch {
				case strings.TrimSpace(strings.TrimPrefix(line[:at.comment], "\ufeff")) != "":
					c.From, c.To = i+1, i+1
				case !code:
					c.From, c.To = 1, EndOfFile
				default:
					c.From, c.To = text.block(i + 1)
				}
				out = append(out, c)
			}
		}
		code = code || !noCode().MatchString(line)
	}
	return out
}

// Without returns a line without the waiver at its end: what is named by its
// text keeps its name when it is waived.
func Without(line string) string {
	if at, ok := find(line); ok {
		return strings.TrimRight(line[:at.comment], " \t")
	}
	return line
}

// A place is where a waiver stands in its line, in bytes: the comment, the word
// audit in it, and what is between the brackets.
type place struct{ comment, word, open, close int }

// find returns the first waiver of a line. It looks from the word back to the
// comment: a line of megabytes may be nothing but openers.
func find(line string) (place, bool) {
	for from := 0; ; {
		i := strings.Index(line[from:], "audit:")
		if i < 0 {
			return place{}, false
		}
		word := from + i
		from = word + len("audit:")
		rest := strings.TrimPrefix(line[from:], " ")
		names, ok := strings.CutPrefix(rest, "ignore[")
		bare := !ok && (strings.HasPrefix(rest, "ignore reason=") || strings.HasPrefix(rest, "ignore until="))
		before := strings.TrimRight(line[:word], " \t")
		k := slices.IndexFunc(openers, func(o string) bool { return strings.HasSuffix(before, o) })
		if !ok && !bare || k < 0 {
			continue
		}
		if bare { // of no check
			end := len(line) - len(rest) + len("ignore")
			return place{len(before) - len(openers[k]), word, end, end}, true
		}
		open := len(line) - len(names)
		n := strings.IndexByte(names, ']')
		if n < 0 { // nor does any further one end
			return place{}, false
		}
		return place{len(before) - len(openers[k]), word, open, open + n}, true
	}
}

// read reads what stands in the brackets and what follows them.
func read(checks, rest string) (c Comment) {
	for _, id := range strings.Split(checks, ",") {
		if id = strings.TrimSpace(id); id != "" {
			c.Checks = append(c.Checks, id)
		}
	}
	for _, end := range []string{"*/", "-->"} {
		rest, _, _ = strings.Cut(rest, end)
	}
	at := field().FindAllStringSubmatchIndex(rest, -1)
	for n, f := range at {
		value := rest[f[1]:]
		if quoted, ok := unquote(value); ok {
			value = quoted
		} else if n+1 < len(at) {
			value = rest[f[1]:at[n+1][0]]
		}
		value = strings.TrimSpace(value)
		switch name := rest[f[2]:f[3]]; {
		case name == "reason" && c.Reason == "":
			c.Reason = value
		case name == "until" && c.Until == "":
			c.Until, _, _ = strings.Cut(value, " ")
		}
	}
	return c
}

func unquote(s string) (string, bool) {
	if s == "" || s[0] != '"' && s[0] != '\'' {
		return "", false
	}
	text, _, ok := strings.Cut(s[1:], s[:1])
	return text, ok
}

// A reader finds what waivers on lines of their own are about. In a file of
// millions of lines a thousand waivers must not read these a thousand times.
type reader struct {
	lines  []string
	filled []filled // the lines that are not blank, once they are needed
	code   int      // the last line of code that was looked for, as an index of filled
	from   int      // and the first one that is known to lead there
}

type filled struct{ line, depth int }

func (r *reader) fill() {
	if r.filled != nil {
		return
	}
	r.filled = make([]filled, 0, min(len(r.lines), 1<<16))
	for i, line := range r.lines {
		if line = strings.TrimRight(line, " \t\r"); line != "" {
			r.filled = append(r.filled, filled{i, indent(line)})
		}
	}
}

// block returns the lines, counted from 1, of what begins on the first line of
// code at or after the index: that line, and those indented deeper below it. In
// YAML a list may stand below its key without being indented.
func (r *reader) block(i int) (from, to int) {
	r.fill()
	n, _ := slices.BinarySearchFunc(r.filled, i, func(f filled, i int) int { return f.line - i })
	if n < r.from || n > r.code {
		r.from = n
		for r.code = n; r.code < len(r.filled) && noCode().MatchString(strings.TrimRight(r.lines[r.filled[r.code].line], "\r")); r.code++ {
		}
	}
	if n = r.code; n == len(r.filled) {
		return len(r.lines), len(r.lines)
	}
	first := r.filled[n]
	line := strings.TrimRight(r.lines[first.line], " \t\r")
	list := strings.HasSuffix(line, ":") && !strings.HasPrefix(line[first.depth:], "- ")
	from, to = first.line+1, first.line+1
	for _, f := range r.filled[n+1:] {
		if f.depth < first.depth || f.depth == first.depth && !(list && strings.HasPrefix(r.lines[f.line][f.depth:], "-")) {
			break
		}
		to = f.line + 1
	}
	return from, to
}

// indent returns how many blanks a line begins with.
func indent(line string) int { return len(line) - len(strings.TrimLeft(line, " \t")) }
