package refs

import (
	"sort"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// A word is one word of a command as far as it can be known without running
// anything.
type word struct {
	text         string
	known        bool // nothing in it expands
	rooted       bool // it is a path of the project, wherever the command runs
	quoted       bool // some of it stands in quotes
	args         bool // more words follow, for what it starts
	line, column int  // in the file; 0 unknown
}

// is reports whether the word is known to be one of these.
func (w word) is(texts ...string) bool {
	if w.known {
		for _, t := range texts {
			if w.text == t {
				return true
			}
		}
	}
	return false
}

// with returns the word as what is started with these arguments.
func (w word) with(args []word) word {
	w.args = len(args) > 0
	return w
}

func (w word) option() bool { return w.known && len(w.text) > 1 && w.text[0] == '-' }

// plain reports whether the word can be a path in the project or a name: it is
// known and neither absolute, nor a URL, nor in a home folder.
func (w word) plain() bool {
	return w.known && w.text != "" && len(w.text) < 1024 && w.text[0] != '/' && w.text[0] != '~' && w.text[0] != '-' &&
		!strings.Contains(w.text, "://") && !strings.ContainsAny(w.text, "\n\\\x00")
}

// after returns the word without its first n bytes, at its place.
func (w word) after(n int) word {
	w.text = w.text[n:]
	if w.column > 0 {
		w.column += n
	}
	return w
}

// A source is shell text under way: it knows where it stands in the file.
type source struct {
	w            *walker
	src          []byte
	spans        [][2]int // GitHub expressions
	line, column int
	depth        int
}

func (t *source) word(n *syntax.Word) word {
	out := word{known: true}
	if t.line > 0 {
		out.line = t.line + int(n.Pos().Line()) - 1
		if t.column > 0 {
			out.column = t.column + int(n.Pos().Col()) - 1
		}
	}
	from, to := int(n.Pos().Offset()), int(n.End().Offset())
	i := sort.Search(len(t.spans), func(i int) bool { return t.spans[i][1] > from })
	if i < len(t.spans) && t.spans[i][0] < to {
		if i+1 < len(t.spans) && t.spans[i+1][0] < to {
			return word{line: out.line, column: out.column}
		}
		return t.ofAction(n, t.spans[i], out)
	}
	if len(n.Parts) == 1 {
		if text, ok := verbatim(n.Parts[0]); ok {
			out.text = text
			_, bare := n.Parts[0].(*syntax.Lit)
			out.quoted = !bare
			return out
		}
	}
	var b strings.Builder
	for i, part := range n.Parts {
		switch p := part.(type) {
		case *syntax.Lit:
			out.known = out.known && unquoted(&b, p.Value, i == 0)
		case *syntax.SglQuoted:
			out.known = out.known && !p.Dollar
			out.quoted = true
			b.WriteString(p.Value)
		case *syntax.DblQuoted:
			out.quoted = true
			for _, q := range p.Parts {
				lit, ok := q.(*syntax.Lit)
				if out.known = out.known && ok && !p.Dollar; out.known {
					inQuotes(&b, lit.Value)
				}
			}
		default:
			out.known = false
		}
	}
	if out.known {
		out.text = b.String()
		return out
	}
	return t.rooted(n, out)
}

// verbatim returns the text of a part that says what it says, with nothing in it to
// expand or to unquote.
func verbatim(p syntax.WordPart) (text string, ok bool) {
	switch p := p.(type) {
	case *syntax.Lit:
		return p.Value, !strings.ContainsAny(p.Value, `\*?[{~`)
	case *syntax.SglQuoted:
		return p.Value, !p.Dollar
	case *syntax.DblQuoted:
		if len(p.Parts) == 1 && !p.Dollar {
			if lit, isLit := p.Parts[0].(*syntax.Lit); isLit {
				return lit.Value, !strings.Contains(lit.Value, `\`)
			}
		}
	}
	return "", false
}

// unquoted writes a bare literal as the shell reads it. It returns false when
// the shell would make something else of it: a glob, braces, a home folder; and
// for what is a path of Windows, which npm gives to another shell there.
func unquoted(b *strings.Builder, s string, first bool) bool {
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && i+1 < len(s):
			if i++; i > 1 && (s[i] == '.' || s[i] == '_' || 'a' <= s[i]|0x20 && s[i]|0x20 <= 'z') {
				return false
			}
			if s[i] != '\n' {
				b.WriteByte(s[i])
			}
		case c == '*' || c == '?' || c == '[' && len(s) > 1 && s != "[[" || c == '{' && len(s) > 1 || c == '~' && first && i == 0:
			return false
		default:
			b.WriteByte(c)
		}
	}
	return true
}

// inQuotes writes a literal that stands in double quotes.
func inQuotes(b *strings.Builder, s string) {
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) && strings.IndexByte("$`\"\\\n", s[i+1]) >= 0 {
			if i++; s[i] == '\n' {
				continue
			}
		}
		b.WriteByte(s[i])
	}
}

// An option is one option of a command line.
type option struct {
	name  string // with its dashes
	value word   // known is false when it has none
}

// options splits a command line into its options and the rest. takes lists,
// between spaces, the options whose value is the next word; --name=value works
// for every option. With first, what follows the first word that is no option
// is not looked at. "--" ends the options.
func options(args []word, takes string, first bool) (opts []option, rest []word) {
	for i := 0; i < len(args); i++ {
		a := args[i]
		switch {
		case a.is("--"):
			return opts, append(rest, args[i+1:]...)
		case !a.option():
			rest = append(rest, a)
			if first {
				return opts, append(rest, args[i+1:]...)
			}
		default:
			name, value, has := strings.Cut(a.text, "=")
			o := option{name: name}
			if has {
				o.value = a.after(len(name) + 1)
				o.value.text = value
			} else if strings.Contains(takes, " "+name+" ") && i+1 < len(args) {
				i++
				o.value = args[i]
			}
			opts = append(opts, o)
		}
	}
	return opts, rest
}

// find returns the last of the options with one of these names.
func find(opts []option, names ...string) (option, bool) {
	for i := len(opts) - 1; i >= 0; i-- {
		for _, n := range names {
			if opts[i].name == n {
				return opts[i], true
			}
		}
	}
	return option{}, false
}
