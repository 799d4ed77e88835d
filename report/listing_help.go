package report

import (
	"io"
	"strings"
)

// Topics writes the topics of audit help.
func Topics(w io.Writer, rows [][2]string, o Options) error {
	p := newPage(o)
	p.line(0, inkNone, "audit COMMAND --help explains a command, audit --help lists them. What concerns several of them:")
	p.WriteByte('\n')
	g := &grid{indent: 2, cols: []column{{max: 26}, {}}}
	for _, r := range rows {
		g.add(plain("audit help "+r[0]), plain(r[1]))
	}
	p.grid(g)
	_, err := w.Write(p.Bytes())
	return err
}

// Topic writes one: paragraphs are wrapped, lines that begin with two blanks are
// not.
func Topic(w io.Writer, title, text string, o Options) error {
	p := newPage(o)
	p.line(0, inkBold, title)
	for part := range strings.SplitSeq(text, "\n\n") {
		p.WriteByte('\n')
		if strings.HasPrefix(part, "  ") {
			p.WriteString(strings.TrimRight(part, "\n") + "\n")
			continue
		}
		p.line(0, inkNone, part)
	}
	_, err := w.Write(p.Bytes())
	return err
}
