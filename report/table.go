package report

import (
	"cmp"
	"io"
	"slices"
)

// Table writes the report for a person, 60 to 200 columns wide.
var Table = &Renderer{
	Name:   "table",
	Doc:    "for a person: verdict, systems, regressions, findings, worst first",
	Render: renderTable,

	Summary: true,
}

func renderTable(w io.Writer, d *Document, o Options) error {
	p := newPage(o)
	r := &reading{page: p, Document: legible(d, o), opts: o}
	r.verdict()
	r.systems()
	r.first()
	r.regressions()
	r.flapping()
	r.findings()
	r.resolved()
	r.deleted()
	r.waived()
	r.notJudged()
	if o.Items {
		r.inventory()
	}
	r.ending()
	_, err := w.Write(p.Bytes())
	return err
}

// A reading is one document on its way to a person.
type reading struct {
	*page
	*Document
	opts Options
}

// legible returns a cleaned copy of the document, with only those items that
// the table is going to name.
func legible(d *Document, o Options) *Document {
	c := *d
	if !o.Items {
		c.Items = nil
		for _, it := range d.Items {
			if it.Level == "unknown" || it.Flapping != nil {
				c.Items = append(c.Items, it)
			}
		}
	} else {
		c.Items = slices.Clone(d.Items)
	}
	for i := range c.Items { // never shown, and by far the most
		c.Items[i].Facts, c.Items[i].Metrics, c.Items[i].Files = nil, nil, nil
	}
	c = cleaned(c)
	for i, f := range d.Findings { // a hint may show lines to write into a file
		c.Findings[i].Hint = cleanLines(f.Hint)
	}
	return &c
}

// open returns the findings that count: not resolved, not waived.
func (r *reading) open() []Finding {
	var out []Finding
	for _, f := range r.Document.Findings {
		if f.Status != "resolved" && f.Waiver == nil {
			out = append(out, f)
		}
	}
	return out
}

// systems writes one row per system.
func (r *reading) systems() {
	if len(r.Systems) == 0 {
		return
	}
	r.WriteByte('\n')
	g := &grid{cols: []column{
		{head: "SYSTEM", max: 12}, {head: "ITEMS", max: 7, right: true}, {head: "SCORE", max: 8, right: true},
		{head: "CRIT", max: 6, right: true}, {head: "HIGH", max: 6, right: true}, {head: "MED", max: 6, right: true},
		{head: "LOW", max: 6, right: true}, {head: "CHANGES"},
	}}
	for _, s := range r.Systems {
		score := cell{text: scored(s.Score.Value, s.Score.Grade)}
		switch s.Status {
		case "error":
			score = cell{"failed", inkAlarm}
		case "absent", "skipped":
			score = cell{s.Status, inkDim}
		}
		g.add(plain(s.System), plain(dash(s.Items)), score,
			counted(s.Counts.Critical, inkAlarm), counted(s.Counts.High, inkRed), counted(s.Counts.Medium, inkYellow),
			counted(s.Counts.Low, inkNone), cell{r.changesOf(s), inkNone})
	}
	r.grid(g)
}

func dash(n int) string {
	if n == 0 {
		return "-"
	}
	return group(n)
}

// counted paints a number; there is nothing alarming in none.
func counted(n int, c ink) cell {
	if n == 0 {
		c = inkNone
	}
	return cell{dash(n), c}
}

// untold reports whether nobody knows what changed of a system: it was seen before
// this run, and what it was compared to is not there any more.
func (r *reading) untold(s System) bool {
	added := func(c Change) bool { return c.System == s.System && c.Op == "added" }
	return s.ComparedTo == nil && (r.Run.Seq > 1 || r.Run.Past == "lost") && s.Items > 0 && !slices.ContainsFunc(r.Changes, added)
}

// changesOf counts what happened to the items of a system.
func (r *reading) changesOf(s System) string {
	if s.ComparedTo == nil {
		switch {
		case s.Status != "ok" && s.Status != "partial":
			return ""
		case r.untold(s):
			return "not known"
		}
		return "first seen"
	}
	switch s.Status {
	case "error", "skipped":
		return "not known"
	case "absent":
		if !slices.ContainsFunc(r.Changes, func(c Change) bool { return c.System == s.System }) {
			return ""
		}
	}
	of := slices.DeleteFunc(slices.Clone(r.Changes), func(c Change) bool { return c.System != s.System })
	return cmp.Or(counts(of), "none")
}
