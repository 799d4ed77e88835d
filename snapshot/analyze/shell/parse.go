package shell

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"mvdan.cc/sh/v3/syntax"

	"healthaudit/snapshot/analyze/lazyregexp"
)

// A Problem is one syntax error. Line and Column are 1-based, Column in bytes;
// they mark what was opened and never closed rather than the end of the text.
type Problem struct {
	Line    int    `json:"line"`
	Column  int    `json:"column"`
	Message string `json:"message"`

	// Sure is false where the parser is known to be stricter than the shell, or
	// where it is not known which shell will run the text.
	Sure bool `json:"sure,omitempty"`
}

// A Text is shell text that was parsed once, for everything that asks of it.
type Text struct {
	Stmts []*syntax.Stmt // up to the first syntax error
	Exprs [][2]int       // byte ranges [from, to) of the GitHub expressions in it
	Err   error          // of Parse

	src []byte
	d   Dialect
}

// Read parses a script.
func Read(src []byte, d Dialect) Text {
	stmts, err := Parse(src, d)
	return Text{Stmts: stmts, Exprs: Expressions(src), Err: err, src: src, d: d}
}

// ReadRun parses the text of a run: key, in which GitHub expressions are words
// that cannot be known.
func ReadRun(src []byte) Text {
	stmts, err := Parse(Neutralize(src), Bash)
	return Text{Stmts: stmts, Exprs: Expressions(src), Err: err, src: src, d: Bash}
}

// Source returns the text as it stands, not to be changed.
func (t Text) Source() []byte { return t.src }

// Problems returns what is wrong with the text: nothing, or its first problem.
// What follows a syntax error could only be guessed, as the shell does not get
// there either.
func (t Text) Problems() []Problem {
	err, src, d := t.Err, t.src, t.d
	if err == nil {
		return nil
	}
	p := Problem{Line: 1, Column: 1, Message: err.Error()}
	var parse syntax.ParseError
	var lang syntax.LangError
	switch {
	case errors.As(err, &parse):
		if p.Sure = (d == Bash || d == POSIX || d == "") && refused(err); p.Sure {
			again := withoutBackquotes(src, d)
			p.Sure = refused(again) && errors.As(again, &parse) // at the place where bash ends too
		}
		p.Line, p.Column, p.Message = int(parse.Pos.Line()), int(parse.Pos.Col()), parse.Text
	case errors.As(err, &lang): // another shell takes it, and sh may well be bash
		p.Line, p.Column = int(lang.Pos.Line()), int(lang.Pos.Col())
		p.Message = strings.TrimPrefix(p.Message, fmt.Sprintf("%d:%d: ", p.Line, p.Column))
	}
	p.Line, p.Column = max(p.Line, 1), max(p.Column, 1)
	return []Problem{p}
}

// refused reports whether bash too ends at an error. It only warns about a
// here-document that the end of the file closes.
func refused(err error) bool {
	var parse syntax.ParseError
	return errors.As(err, &parse) && !strings.Contains(parse.Text, "here-document")
}

// withoutBackquotes parses once more, without what stands between backquotes on
// different lines: bash reads that only when it gets there, so that `bash -n`
// accepts a script with the fences of Markdown in it.
func withoutBackquotes(src []byte, d Dialect) error {
	out := slices.Clone(src)
	open, end, start := -1, "", 0 // end: the last line of the here-document that src is in
	for line := range bytes.Lines(src) {
		text := string(bytes.TrimSpace(line))
		switch {
		case end != "":
			if text == end {
				end = ""
			}
			copy(out[start:], bytes.ReplaceAll(line, []byte("`"), []byte(" ")))
		default:
			open = blank(out, start, line, open)
			if m := hereDocument().FindStringSubmatch(text); m != nil && open < 0 {
				end = m[1]
			}
		}
		start += len(line)
	}
	_, err := Parse(out, d)
	return err
}

var hereDocument = lazyregexp.New(`(?:^|[^<])<<-?\s*['"\\]?([A-Za-z_]\w*)`)

// blank takes out of text what the backquotes in one line of it end, from the one
// that is open since before. It returns the one that is open then, -1 for none.
func blank(text []byte, start int, line []byte, open int) int {
	for i, c := range line {
		switch {
		case c != '`' || i > 0 && line[i-1] == '\\':
		case open < 0:
			open = start + i
		default:
			for j := open; open < start && j <= start+i; j++ {
				if text[j] != '\n' {
					text[j] = ' '
				}
			}
			open = -1
		}
	}
	return open
}

// ErrBound says that a text is too long or too deeply nested to be parsed.
var ErrBound = errors.New("too long or too deeply nested to be read")

// Parse returns the statements of a script up to its first syntax error, and
// that error: a syntax.ParseError, a syntax.LangError or ErrBound. Bytes that
// are not UTF-8 are no error to a shell, nor here.
func Parse(src []byte, d Dialect) ([]*syntax.Stmt, error) {
	if TooMuch(src) {
		return nil, ErrBound
	}
	if out, ok := plainCommands(src, d); ok {
		return out, nil
	}
	src = validText(src)
	for tries := 0; ; tries++ {
		out, err := statements(src, d)
		again, ok := splitParens(src, err)
		if !ok || tries == maxSplits {
			return out, err
		}
		src = again
	}
}

// TooMuch reports whether Parse would refuse a text as ErrBound, which says
// nothing about its syntax.
func TooMuch(src []byte) bool {
	opened := bytes.Count(src, []byte("(")) + bytes.Count(src, []byte("[")) + bytes.Count(src, []byte("{"))
	return len(src) > MaxSize || opened > maxNesting && nesting(src) > maxNesting ||
		len(src) > maxStack/bracketStack && stackNeed(src) > maxStack || len(src) > maxOperators && longest(src) > maxOperators
}

// parsers are kept by dialect: making one costs more than reading most texts.
var parsers sync.Map // syntax.LangVariant → *sync.Pool of *syntax.Parser

func parsersOf(v syntax.LangVariant) *sync.Pool {
	pool, ok := parsers.Load(v)
	if !ok {
		pool, _ = parsers.LoadOrStore(v, &sync.Pool{New: func() any { return syntax.NewParser(syntax.Variant(v)) }})
	}
	return pool.(*sync.Pool)
}

func statements(src []byte, d Dialect) (out []*syntax.Stmt, err error) {
	pool := parsersOf(d.variant())
	p := pool.Get().(*syntax.Parser)
	p.StmtsSeq(bytes.NewReader(src))(func(stmt *syntax.Stmt, e error) bool { // no range: it may go on after the error, at which a loop panics
		switch {
		case err != nil:
		case e != nil:
			err = e
		default:
			out = append(out, stmt)
		}
		return err == nil
	})
	pool.Put(p) // not after a panic: its state is then unknown
	return out, err
}

// maxSplits bounds how often one text is parsed again for its "((".
const maxSplits = 8

// splitParens parts the "((" at which the parser failed into "( (". A shell
// tries arithmetic first and then two subshells, as in "((a) && b)"; the parser
// only the former. Columns behind it on that line grow by one.
func splitParens(src []byte, err error) ([]byte, bool) {
	var e syntax.ParseError
	if !errors.As(err, &e) {
		return nil, false
	}
	at := int(e.Pos.Offset())
	if at >= len(src) {
		return nil, false
	}
	// The error points at the opening or somewhere behind it on the same line.
	line := bytes.LastIndexByte(src[:at], '\n') + 1
	end := min(at+3, len(src))
	open := bytes.LastIndex(src[line:end], []byte("(("))
	if open < 0 {
		return nil, false
	}
	return slices.Insert(slices.Clone(src), line+open+1, ' '), true
}

// validText replaces every byte that is not UTF-8 by one that is, in place of it.
func validText(src []byte) []byte {
	if utf8.Valid(src) {
		return src
	}
	out := slices.Clone(src)
	for i := 0; i < len(out); {
		r, n := utf8.DecodeRune(out[i:])
		if r == utf8.RuneError && n == 1 {
			out[i] = '_'
		}
		i += n
	}
	return out
}

// The parser recurses without a bound of its own, and a Go stack that outgrows
// its limit ends the process. The costs are measured, in bytes of stack for each
// thing that may open a level (mvdan.cc/sh v3.14.1, amd64), and rounded up.
const (
	maxStack     = 128 << 20
	bracketStack = 11 << 10
	keywordStack = 4 << 10
	prefixStack  = 1400
	symbolStack  = 600
)

var blockWords = map[string]bool{"if": true, "while": true, "until": true, "for": true, "select": true, "case": true,
	"coproc": true, "function": true, "time": true, "elif": true}

// maxNesting is how many brackets may be open at once. The parser takes time that
// grows with their square, and tries "((" in two ways; real scripts have a dozen.
const maxNesting = 400

// nesting returns how many brackets are open at most, wherever they stand.
func nesting(src []byte) (deepest int) {
	open := 0
	for _, c := range src {
		switch c {
		case '(', '{', '[':
			open++
			deepest = max(deepest, open)
		case ')', '}', ']':
			open = max(open-1, 0)
		}
	}
	return deepest
}

// maxOperators is how many operators may join one statement or one expression.
// The tree is as deep as they are many, and whoever walks it takes a kilobyte
// of stack for each.
const maxOperators = 20_000

// longest returns how many operators, by their bytes, stand in one statement at
// most. It ends at a semicolon or a line break, but within arithmetic, tests and
// after an operator only at the former.
func longest(src []byte) (most int) {
	type bracket struct {
		count int
		lines bool // a line break ends nothing
	}
	open := []bracket{{}}
	last := byte('\n') // but for blanks
	for i, c := range src {
		in := &open[len(open)-1]
		switch c {
		case '(', '[', '{':
			open = append(open, bracket{lines: i > 0 && (src[i-1] == c || c == '{' && src[i-1] == '$')})
		case ')', ']', '}':
			if len(open) > 1 {
				open = open[:len(open)-1]
			}
		case ';':
			in.count = 0
		case '\n':
			if !in.lines && last != '&' && last != '|' && last != '\\' {
				in.count = 0
			}
		case '&', '|', '+', '-', '*', '/', '%', '<', '>', '=', '^', '?', ',', '!', '~':
			in.count++
			most = max(most, in.count)
		}
		if c != ' ' && c != '\t' && c != '\r' && c != '\n' {
			last = c
		}
	}
	return most
}

// stackNeed returns an upper bound of the stack that parsing may take.
func stackNeed(src []byte) int {
	need, word := 0, -1
	for i, c := range src {
		if c >= 'a' && c <= 'z' {
			if word < 0 {
				word = i
			}
			continue
		}
		if word >= 0 && i-word <= len("function") && blockWords[string(src[word:i])] {
			need += keywordStack
		}
		word = -1
		switch c {
		case '(', '{', '[':
			need += bracketStack
		case '?', '!':
			need += prefixStack
		case '|', '&', '=', '*', '-', '~':
			need += symbolStack
		}
	}
	return need
}
