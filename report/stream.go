package report

import (
	"io"
	"strings"

	"github.com/olekukonko/tablewriter"
	"github.com/olekukonko/tablewriter/renderer"
	"github.com/olekukonko/tablewriter/tw"
)

// stream writes a uniform listing row by row. The widths are given and the
// cells, clean ones, come wrapped, so that nothing is cut. Without rows it
// writes nothing.
func stream(w io.Writer, width int, cols []column, rows func(add func(...string) error) error) error {
	fixWidths()
	widths, align := tw.NewMapper[int, int](), make([]tw.Align, len(cols))
	left := width - 2*(len(cols)-1)
	for i, c := range cols {
		left -= c.max
		align[i] = tw.AlignLeft
		if c.right {
			align[i] = tw.AlignRight
		}
	}
	head, size := make([]string, len(cols)), make([]int, len(cols))
	for i, c := range cols {
		size[i] = c.max
		if c.max == 0 {
			size[i] = left
		}
		head[i] = c.head
		widths.Set(i, size[i]+2)
	}
	out := &trimmer{w: w}
	t := newStream(out, widths, align)
	started := false
	add := func(cells ...string) error {
		if !started {
			started = true
			if err := t.Start(); err != nil {
				return err
			}
			t.Header(head)
		}
		for i := range cells {
			cells[i] = wrapLines(cells[i], size[i])
		}
		if err := t.Append(cells); err != nil {
			return err
		}
		return out.err
	}
	if err := rows(add); err != nil || !started {
		return err
	}
	if err := t.Close(); err != nil {
		return err
	}
	return out.err
}

func newStream(w io.Writer, widths tw.Mapper[int, int], align []tw.Align) *tablewriter.Table {
	gap := tw.CellPadding{Global: tw.Padding{Left: tw.Empty, Right: "  ", Overwrite: true}}
	format := tw.CellFormatting{AutoWrap: tw.WrapNone, AutoFormat: tw.Off}
	cell := tw.CellConfig{Formatting: format, Padding: gap, Alignment: tw.CellAlignment{PerColumn: align}}
	return tablewriter.NewTable(w,
		tablewriter.WithRenderer(renderer.NewBlueprint(tw.Rendition{
			Borders: tw.BorderNone,
			Settings: tw.Settings{
				Separators: tw.Separators{ShowHeader: tw.Off, ShowFooter: tw.Off, BetweenRows: tw.Off, BetweenColumns: tw.Off},
				Lines:      tw.LinesNone,
			},
			Streaming: true,
		})),
		tablewriter.WithConfig(tablewriter.Config{
			Header: cell, Row: cell,
			Widths:   tw.CellWidth{PerColumn: widths},
			Behavior: tw.Behavior{TrimSpace: tw.Off},
		}),
		tablewriter.WithStreaming(tw.StreamConfig{Enable: true}), // after WithConfig, which forgets it
	)
}

// trimmer drops the spaces at the ends of lines. It keeps the first error,
// which the table does not hand on.
type trimmer struct {
	w    io.Writer
	line []byte
	err  error
}

func (t *trimmer) Write(b []byte) (int, error) {
	t.line = append(t.line, b...)
	for {
		l, rest, ok := strings.Cut(string(t.line), "\n")
		if !ok {
			return len(b), nil
		}
		if t.err == nil {
			_, t.err = io.WriteString(t.w, strings.TrimRight(l, " ")+"\n")
		}
		t.line = append(t.line[:0], rest...)
	}
}
