package shell

import (
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// maxPlain is the longest text, in bytes, that plainCommands reads: places in it
// are none that the parser could not count.
const maxPlain = 4 << 10

// reserved are words that are no program's name where a command begins, in any
// dialect.
var reserved = map[string]bool{"if": true, "then": true, "elif": true, "else": true, "fi": true, "for": true, "while": true, "until": true, "do": true,
	"done": true, "case": true, "esac": true, "in": true, "function": true, "select": true, "time": true, "coproc": true, "let": true, "declare": true,
	"typeset": true, "local": true, "export": true, "readonly": true, "nameref": true}

// plainCommands returns what the parser makes of lines that are commands of plain
// words, as "npm run build" is: nearly half of what workflows and package.json
// run. The parser takes room for a page of commands to read one.
func plainCommands(src []byte, d Dialect) ([]*syntax.Stmt, bool) {
	if d != Bash && d != POSIX && d != "" || len(src) > maxPlain {
		return nil, false
	}
	words, lines := 0, 0
	text := string(src)
	for line := range strings.SplitSeq(text, "\n") {
		n := plainWords(line)
		if n < 0 {
			return nil, false
		}
		if n > 0 {
			words, lines = words+n, lines+1
		}
	}
	if lines == 0 {
		return nil, false
	}
	r := plainReader{make([]plainWord, words), make([]*syntax.Word, words), make([]plainStmt, lines)}
	out := make([]*syntax.Stmt, 0, lines)
	offset, number := 0, uint(0)
	for line := range strings.SplitSeq(text, "\n") {
		number++
		if s := r.line(line, offset, number); s != nil {
			out = append(out, s)
		}
		offset += len(line) + 1
	}
	return out, true
}

// plainWords returns how many words a line has, -1 where one of them may be
// anything but a plain word.
func plainWords(line string) int {
	n, start := 0, -1
	for i := 0; i <= len(line); i++ {
		if i < len(line) && plainBytes[line[i]] {
			if line[i] == '=' && n == 0 {
				return -1 // an assignment
			}
			if start < 0 {
				start = i
			}
			continue
		}
		if i < len(line) && line[i] != ' ' && line[i] != '\t' {
			return -1
		}
		if start >= 0 {
			if n == 0 && reserved[line[start:i]] {
				return -1
			}
			n, start = n+1, -1
		}
	}
	return n
}

// plainBytes are what plain words consist of.
var plainBytes = func() (is [256]bool) {
	for c := range is {
		is[c] = 'a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9' || strings.IndexByte("_./:@%+,-=", byte(c)) >= 0
	}
	return is
}()

// A plainWord is a word and its only part.
type plainWord struct {
	word  syntax.Word
	parts [1]syntax.WordPart
	lit   syntax.Lit
}

// A plainStmt is a statement and its command.
type plainStmt struct {
	stmt syntax.Stmt
	call syntax.CallExpr
}

// A plainReader has the room for what it reads.
type plainReader struct {
	words []plainWord
	args  []*syntax.Word
	stmts []plainStmt
}

// line reads the words of a line that begins at that offset; nil when it has none.
func (r *plainReader) line(line string, offset int, number uint) *syntax.Stmt {
	n := 0
	for i := 0; i < len(line); {
		if !plainBytes[line[i]] {
			i++
			continue
		}
		from := i
		for i < len(line) && plainBytes[line[i]] {
			i++
		}
		w := &r.words[0]
		r.words = r.words[1:]
		w.lit = syntax.Lit{ValuePos: syntax.NewPos(uint(offset+from), number, uint(from+1)), ValueEnd: syntax.NewPos(uint(offset+i), number, uint(i+1)), Value: line[from:i]}
		w.parts[0] = &w.lit
		w.word.Parts = w.parts[:]
		r.args[n] = &w.word
		n++
	}
	if n == 0 {
		return nil
	}
	s := &r.stmts[0]
	r.stmts = r.stmts[1:]
	s.call.Args, r.args = r.args[:n:n], r.args[n:]
	s.stmt.Cmd, s.stmt.Position = &s.call, s.call.Args[0].Pos()
	return &s.stmt
}
