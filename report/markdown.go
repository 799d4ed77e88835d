package report

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// Markdown writes the report for a pull request or a job summary.
var Markdown = &Renderer{
	Name:   "markdown",
	Doc:    "for a comment or a job summary on GitHub: short enough for both, everything escaped",
	Render: renderMarkdown,

	Summary: true,
}

// markdownRoom is how long the report may be in bytes. GitHub takes comments of
// 65,536 characters and step summaries of 1 MiB; the rest is for what others put
// around it.
const markdownRoom = 64000

func renderMarkdown(w io.Writer, d *Document, o Options) error {
	r := &reading{page: newPage(o), Document: legible(d, o), opts: o}
	m := &mdPage{reading: r, room: markdownRoom}
	for _, s := range m.sections() {
		m.add(s)
	}
	_, err := io.WriteString(w, m.String())
	return err
}

// An mdPage is a report in Markdown that has only so much room.
type mdPage struct {
	*reading
	strings.Builder
	room int
}

func (m *mdPage) String() string { return m.Builder.String() }

// An mdSection is one list of the page. What of it is shown depends on the room.
type mdSection struct {
	title string
	fold  bool     // closed at first
	what  string   // its rows are, plural
	heads []string // of the columns; right-aligned ones begin with ">"
	rows  [][]string
	plain string // instead of rows
}

// mdNote is the room kept for what a later section says of itself when there is
// no more: its title, and how much was left out.
const mdNote = 400

// sections are what the page says, the most important first.
func (m *mdPage) sections() []mdSection {
	out := []mdSection{{plain: m.mdHead()}, m.mdSystems(), m.mdRegressions()}
	out = append(out, m.mdFindings()...)
	repaired, left := m.ended()
	deleted, waived := m.departed(), m.accepted()
	lists := []mdSection{
		{title: "Flapping", what: "items", heads: []string{"What goes to and fro"}, rows: mdLines(m.flaps())},
		{title: "Not judged", what: "sources and items", heads: []string{"What", "Why"}, rows: mdPairs(m.unjudged())},
		m.mdRecovery(),
	}
	if !m.opts.New {
		lists = append(lists,
			mdSection{title: "Resolved: " + group(len(repaired)), fold: true, what: "resolved findings", heads: []string{"Resolved"}, rows: mdLines(repaired)},
			mdSection{title: "No longer judged, because nothing starts it or it is gone: " + group(len(left)), fold: true, what: "findings", heads: []string{"No longer judged"}, rows: mdLines(left)},
			mdSection{title: "Deleted: " + group(len(deleted)), fold: true, what: "deleted items", heads: []string{"Deleted"}, rows: mdLines(deleted)},
			mdSection{title: "Waived: " + group(len(waived)), fold: true, what: "waived findings", heads: []string{"Accepted for a while"}, rows: mdLines(waived)})
	}
	if m.opts.Items {
		lists = append(lists, m.mdItems())
	}
	out = slices.DeleteFunc(append(out, lists...), func(s mdSection) bool { return s.plain == "" && len(s.rows) == 0 })
	foot := m.mdFoot()
	m.room -= mdNote*len(out) + len(foot)
	return append(out, mdSection{plain: foot})
}

// add writes a section with as many rows as there is room for.
func (m *mdPage) add(s mdSection) {
	m.room += mdNote
	if s.plain != "" {
		m.put(s.plain)
		return
	}
	low, high := 0, s.atMost(m.room)
	out := m.render(s, high)
	if len(out) > m.room {
		for low < high { // as many as fit, by halves
			if mid := (low + high + 1) / 2; len(m.render(s, mid)) <= m.room {
				low = mid
			} else {
				high = mid - 1
			}
		}
		out = m.render(s, low)
	}
	m.put(out)
}

// atMost is how many rows have room when nothing but their text is written.
func (s mdSection) atMost(room int) int {
	for i, cells := range s.rows {
		for _, c := range cells {
			room -= len(c)
		}
		if room < 0 {
			return i
		}
	}
	return len(s.rows)
}

func (m *mdPage) put(s string) {
	m.Builder.WriteString(s)
	m.room -= len(s)
}

func (m *mdPage) render(s mdSection, n int) string {
	var b strings.Builder
	if s.fold {
		fmt.Fprintf(&b, "<details>\n<summary>%s</summary>\n\n", s.title)
	} else if s.title != "" {
		fmt.Fprintf(&b, "### %s\n\n", s.title)
	}
	if n > 0 {
		b.WriteString(mdTable(s.heads, s.rows[:n]) + "\n\n")
	}
	if n < len(s.rows) {
		b.WriteString(cutNote(n, len(s.rows), s.what, m.see("--format html")) + "\n\n")
	}
	if s.fold {
		b.WriteString("</details>\n\n")
	}
	return b.String()
}

// mdTable writes a table in GitHub's dialect. Cells are Markdown; lines in them
// become breaks.
func mdTable(heads []string, rows [][]string) string {
	tw := table.NewWriter()
	tw.SetStyle(table.Style{Name: "audit", Format: table.FormatOptions{Header: text.FormatDefault, Row: text.FormatDefault}})
	conf, head := make([]table.ColumnConfig, len(heads)), make(table.Row, len(heads))
	for i, h := range heads {
		conf[i] = table.ColumnConfig{Number: i + 1, Align: text.AlignLeft, AlignHeader: text.AlignLeft}
		if h, ok := strings.CutPrefix(h, ">"); ok {
			conf[i].Align, conf[i].AlignHeader, head[i] = text.AlignRight, text.AlignRight, h
			continue
		}
		head[i] = h
	}
	tw.SetColumnConfigs(conf)
	tw.AppendHeader(head)
	for _, cells := range rows {
		row := make(table.Row, len(cells))
		for i, c := range cells {
			row[i] = c
		}
		tw.AppendRow(row)
	}
	return tw.RenderMarkdown()
}

// mdLines makes a column of lines.
func mdLines(lines []string) (rows [][]string) {
	for _, l := range lines {
		rows = append(rows, []string{prose(clip(l, 400))})
	}
	return rows
}

func mdPairs(pairs [][2]string) (rows [][]string) {
	for _, p := range pairs {
		what, todo, _ := strings.Cut(clip(p[1], 600), "\n")
		rows = append(rows, []string{prose(clip(p[0], 200)), strings.TrimSpace(prose(what) + "\n" + prose(todo))})
	}
	return rows
}
