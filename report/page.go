package report

import (
	"bytes"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// An ink is the parameter of an ANSI SGR sequence (ECMA-48 §8.3.117).
type ink string

const (
	inkNone   ink = ""
	inkBold   ink = "1"
	inkDim    ink = "2"
	inkRed    ink = "31"
	inkGreen  ink = "32"
	inkYellow ink = "33"
	inkCyan   ink = "36"
	inkAlarm  ink = "1;31"
)

// A page collects what a person will read, at most width columns wide.
type page struct {
	bytes.Buffer
	width int
	color bool
	links bool
}

func newPage(o Options) *page {
	fixWidths()
	return &page{width: o.columns(), color: o.Color, links: o.Links}
}

// paint colours one line, if the reader shows colours.
func (p *page) paint(c ink, s string) string {
	if !p.color || c == inkNone || s == "" {
		return s
	}
	return "\x1b[" + string(c) + "m" + s + "\x1b[0m"
}

// line writes a text, wrapped, with the same indent on every line.
func (p *page) line(indent int, c ink, s string) { p.hang(indent, indent, c, s) }

// hang writes a text, wrapped, with another indent from the second line on. An
// empty text is no line.
func (p *page) hang(first, rest int, c ink, s string) {
	if strings.TrimSpace(s) == "" {
		return
	}
	indent := first
	for _, l := range wrapHang(s, p.width-first, p.width-rest) {
		p.WriteString(strings.Repeat(" ", indent) + p.paint(c, l) + "\n")
		indent = rest
	}
}

// title writes the heading of a section after an empty line.
func (p *page) title(c ink, s string) {
	p.WriteByte('\n')
	p.line(0, c, s)
}

// A column of a grid. Max 0 takes what the others leave.
type column struct {
	head  string
	max   int
	right bool
}

// A cell may have several lines; each is wrapped to the column.
type cell struct {
	text string
	ink  ink
}

// A grid is a table without frame: columns two spaces apart, wrapped to the page.
type grid struct {
	indent int
	cols   []column
	rows   [][]cell
}

func (g *grid) add(cells ...cell) { g.rows = append(g.rows, cells) }

func plain(s string) cell { return cell{text: s} }

// grid writes the table; without rows it writes nothing.
func (p *page) grid(g *grid) {
	if len(g.rows) == 0 {
		return
	}
	tw := table.NewWriter()
	tw.SetStyle(table.Style{
		Name:    "audit",
		Box:     table.BoxStyle{PaddingRight: "  "},
		Options: table.OptionsNoBordersAndSeparators,
	})
	widths := g.widths(p.width)
	conf := make([]table.ColumnConfig, len(g.cols))
	head, named := make(table.Row, len(g.cols)), false
	for i, c := range g.cols {
		conf[i] = table.ColumnConfig{Number: i + 1}
		if c.right {
			conf[i].Align, conf[i].AlignHeader = text.AlignRight, text.AlignRight
		}
		head[i] = p.paint(inkDim, c.head)
		named = named || c.head != ""
	}
	tw.SetColumnConfigs(conf)
	if named {
		tw.AppendHeader(head)
	}
	for _, cells := range g.rows {
		row := make(table.Row, len(cells))
		for i, c := range cells {
			row[i] = p.cell(c, widths[i])
		}
		tw.AppendRow(row)
	}
	for l := range strings.Lines(tw.Render() + "\n") {
		l = strings.TrimRight(l, " \n")
		if l != "" {
			l = strings.Repeat(" ", g.indent) + l
		}
		p.WriteString(l + "\n")
	}
}

func (p *page) cell(c cell, n int) string {
	lines := strings.Split(wrapLines(c.text, n), "\n")
	for i, l := range lines {
		lines[i] = p.paint(c.ink, l)
	}
	return strings.Join(lines, "\n")
}

// wrapLines wraps each line of a text; what follows on a line begins as far in
// as the line itself.
func wrapLines(s string, n int) string {
	var lines []string
	for part := range strings.SplitSeq(s, "\n") {
		text := strings.TrimLeft(part, " ")
		indent := part[:min(len(part)-len(text), n/3)]
		for _, l := range wrap(text, n-len(indent)) {
			lines = append(lines, indent+l)
		}
	}
	return strings.Join(lines, "\n")
}

// widths gives every column its widest line up to its maximum, and what is then
// left to the columns without one; if that is too little, the widest give way.
func (g *grid) widths(total int) []int {
	out := make([]int, len(g.cols))
	avail, open := total-g.indent-2*(len(g.cols)-1), 0
	fixed := 0
	for i, c := range g.cols {
		if c.max == 0 {
			open++
			continue
		}
		out[i] = width(c.head)
		for _, row := range g.rows {
			for part := range strings.SplitSeq(row[i].text, "\n") {
				out[i] = max(out[i], width(part))
			}
		}
		out[i] = min(out[i], c.max)
		fixed += out[i]
	}
	for ; fixed > avail-minOpen*open; fixed-- {
		widest := 0
		for i := range out {
			if out[i] > out[widest] {
				widest = i
			}
		}
		out[widest]--
	}
	for i, c := range g.cols {
		if c.max == 0 {
			out[i] = (avail - fixed) / open
			fixed += out[i]
			open--
		}
	}
	return out
}

// minOpen is the least a column without a maximum gets.
const minOpen = 8
