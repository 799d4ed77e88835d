package workflow

import (
	"bytes"
	"errors"
	"io"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"healthaudit/snapshot/analyze/lazyregexp"
)

// What the library says of a line that does not fit into the block around it, and
// of brackets that are not closed where it expects them to be. It names the place
// where the block or the brackets begin, and counts lines from 0 then.
// Source: https://github.com/yaml/go-yaml/blob/v4.0.0-rc.3/internal/libyaml/parser.go
const (
	noKey     = "did not find expected key"
	noDash    = "did not find expected '-' indicator"
	noBracket = "did not find expected ',' or ']'"
	noBrace   = "did not find expected ',' or '}'"
)

// And of what it finds while it reads words.
// Source: https://github.com/yaml/go-yaml/blob/v4.0.0-rc.3/internal/libyaml/scanner.go
const (
	noColon  = "could not find expected ':'"
	noValues = "mapping values are not allowed in this context"
	noToken  = "found character that cannot start any token"
	noAlias  = "did not find expected alphabetic or numeric character"
	noTab    = "found a tab character that violates indentation"
)

// fault returns where and why the file is no YAML: the line to look at, and words
// of our own for what is wrong most often.
func (d *Document) fault(err error) (Pos, string) {
	p, msg := yamlError(err)
	text := d.lines()
	for i, s := range text {
		if conflict().MatchString(s) {
			return Pos{i + 1, 1}, "marks of a merge that was never finished stand in it"
		}
	}
	said := msg
	switch msg {
	case noKey, noDash:
		if line := d.misfit(msg); line > 0 {
			p = beginning(text, line)
			said = "the line stands neither beside nor below what it could belong to"
		}
	case noBracket, noBrace:
		p.Line++
	}
	p.Line = min(p.Line, len(text))
	if cut := cutShort(text, p.Line); cut > 0 {
		return beginning(text, cut), "the text of a block (| or >) ends before this line, which stands further left; indented like the text it belongs to it"
	}
	if at, why := reason(text, p, msg); why != "" {
		return at, why
	}
	return p, said
}

// beginning is the first character of a line.
func beginning(text []string, line int) Pos { return Pos{line, indentOf(text[line-1]) + 1} }

// reason says what is wrong at a place of which the library says a message, or on
// the line above it, if that is clear; else it returns "".
func reason(text []string, p Pos, msg string) (Pos, string) {
	s, above := text[p.Line-1], p.Line-1
	for above > 0 && nothing().MatchString(text[above-1]) {
		above--
	}
	before := ""
	if above > 0 {
		before = text[above-1]
	}
	switch msg {
	case noKey, noDash:
		if closed().MatchString(s) {
			return p, "something follows the closing quote or bracket of a value"
		}
		if glued().MatchString(s) {
			return p, "no space follows the dash of an entry"
		}
	case noBracket, noBrace:
		if strings.Contains(s, "${{") {
			return p, "an expression stands in brackets without quotes, and its braces are YAML's there"
		}
	case noColon:
		if crowded().MatchString(s) {
			return beginning(text, p.Line), "no space follows the colon of a key"
		}
		return beginning(text, p.Line), "the line is neither a key nor an entry of a list"
	case noValues:
		switch {
		case unquoted().MatchString(s):
			return p, "a value without quotes holds a colon and a space, which make it a key"
		case crowded().MatchString(before):
			return beginning(text, above), "no space follows the colon of a key"
		case indentOf(s) > indentOf(before) && hasValue().MatchString(before):
			return beginning(text, p.Line), "the line stands further right than the key above it, which has its value already"
		case before != "" && indentOf(before) == 0 && !strings.Contains(before, ":"):
			return beginning(text, above), "the line is neither a key nor an entry of a list"
		}
	case noToken:
		switch {
		case reserved().MatchString(s):
			return p, "a value that begins with @ or ` must be quoted"
		case strings.HasPrefix(strings.TrimLeft(s, " "), "\t"):
			return beginning(text, p.Line), "the line is indented by a tab"
		}
	case noAlias:
		if asterisk().MatchString(s) {
			return p, "a value that begins with * must be quoted"
		}
	case noTab:
		for i := p.Line; i < len(text); i++ {
			if strings.HasPrefix(strings.TrimLeft(text[i], " "), "\t") {
				return beginning(text, i+1), "the line is indented by a tab"
			}
		}
	}
	return p, ""
}

const keyAt = `^ *(?:- +)*["']?[\w./-]+["']?:`

var (
	conflict = lazyregexp.New(`^(?:<{7}|>{7}) `)
	nothing  = lazyregexp.New(`^\s*(?:#.*)?$`)
	closed   = lazyregexp.New(`^ *(?:- +)*(?:["']?[\w./-]+["']?: +)?(?:"(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|\[[^\[\]]*\]|\{[^{}]*\}) *[^ #:]`)
	crowded  = lazyregexp.New(keyAt + `[^ /]`)
	unquoted = lazyregexp.New(keyAt + ` +[^ "'|>&*!#].*: `)
	glued    = lazyregexp.New(`^ *-[A-Za-z][\w-]*:`)
	hasValue = lazyregexp.New(keyAt + ` +[^ |>#]`)
	reserved = lazyregexp.New(`(?::|-) +[@` + "`" + `]`)
	asterisk = lazyregexp.New(`(?::|-) +\*`)
)

// misfit returns the line at which the parser gives up with a message: the last one
// without which it would not. It is 0 where that is not found.
func (d *Document) misfit(msg string) int {
	const most, back = 256 << 10, 20
	if len(d.src) > most || bytes.Count(d.src, []byte{'\n'})+1 != len(d.lines()) {
		return 0
	}
	in := &byteByByte{b: d.src}
	decodes(in)
	read := d.src[:in.at]
	for range back {
		begin := bytes.LastIndexByte(read, '\n') + 1
		if err := decodes(bytes.NewReader(read[:begin])); err == nil || messageOf(err) != msg {
			return bytes.Count(read[:begin], []byte{'\n'}) + 1
		}
		read = read[:max(begin-1, 0)]
	}
	return 0
}

// decodes returns the error of reading one document.
func decodes(r io.Reader) error {
	return guarded(func() error {
		var n yaml.Node
		return yaml.NewDecoder(r).Decode(&n)
	})
}

// A byteByByte gives no more than it is asked for: where it stands when a parser
// gives up, the parser stands.
type byteByByte struct {
	b  []byte
	at int
}

func (r *byteByByte) Read(p []byte) (int, error) {
	if r.at == len(r.b) {
		return 0, io.EOF
	}
	n := copy(p[:min(1, len(p))], r.b[r.at:])
	r.at += n
	return n, nil
}

var (
	blockHeader = lazyregexp.New(`^( *(?:- +)*)["']?[\w./-]+["']?: *[|>][-+0-9]* *(?:#.*)?$`)
	structure   = lazyregexp.New(`^ *- |^ +["']?[\w./-]+["']?:(?: |$)|^["']?(?:name|run-name|on|env|defaults|concurrency|permissions|jobs|inputs|outputs|runs|branding|author|description)["']?:`)
)

// cutShort returns the line that ends the text of a block scalar, because it stands
// further left, if nothing from there to the given line looks as if it were to
// stand outside of that text: a script in a script, or a comment. It is 0 where
// that is not so.
func cutShort(text []string, line int) int {
	for i := 0; i < line; i++ {
		m := blockHeader().FindStringSubmatch(text[i])
		if m == nil {
			continue
		}
		least := len(m[1]) + 1 // column of the text
		for i++; i < line && (blank(text[i]) || indentOf(text[i]) >= least); i++ {
			if least == len(m[1])+1 && !blank(text[i]) {
				least = indentOf(text[i])
			}
		}
		cut := i
		for i < line && !structure().MatchString(text[i]) && !blockHeader().MatchString(text[i]) {
			i++
		}
		if cut < line && i == line && (!comment(text[cut]) || indentOf(text[line-1]) >= least) {
			return cut + 1
		}
		i = cut - 1
	}
	return 0
}

func blank(s string) bool { return strings.TrimSpace(s) == "" }

func comment(s string) bool { return strings.HasPrefix(strings.TrimLeft(s, " "), "#") }

func indentOf(s string) int { return len(s) - len(strings.TrimLeft(s, " ")) }

var (
	quotedText = lazyregexp.New("`[^`]*`|'[^']*'|\"[^\"]*\"")
	yamlPrefix = lazyregexp.New(`^(?:yaml: )?(?:line (\d+)(?:, column (\d+))?: )?`)
)

// yamlError returns the place and the text of a YAML error, without what it
// quotes of the file.
func yamlError(err error) (Pos, string) {
	p, msg := Pos{1, 1}, err.Error()
	var pe *yaml.ParserError
	if errors.As(err, &pe) {
		p, msg = Pos{pe.Line, pe.Column + 1}, pe.Message // it counts columns from 0
	} else if m := yamlPrefix().FindStringSubmatch(msg); m != nil {
		p.Line, _ = strconv.Atoi(m[1])
		p.Column, _ = strconv.Atoi(m[2])
		msg = msg[len(m[0]):]
	}
	msg = quotedText().ReplaceAllStringFunc(msg, func(q string) string {
		if len(q) <= 4 { // a punctuation mark that the parser expected: ':'
			return q
		}
		return "…"
	})
	msg, _, _ = strings.Cut(msg, "\n")
	return Pos{max(p.Line, 1), max(p.Column, 1)}, msg
}

func messageOf(err error) string {
	_, msg := yamlError(err)
	return msg
}
