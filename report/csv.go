package report

import (
	"encoding/csv"
	"io"
	"strconv"
	"time"
)

// CSV writes one record per finding, resolved and waived ones too, then one for
// each thing that could not be read, without a severity: an empty sheet would pass
// for health (RFC 4180, but lines end in LF). What a spreadsheet would take for a
// formula gets an apostrophe in front.
var CSV = &Renderer{
	Name:   "csv",
	Doc:    "the findings for a spreadsheet, one a line",
	Render: renderCSV,

	Summary: true,
}

func renderCSV(w io.Writer, d *Document, o Options) error {
	if o.New {
		d = d.OnlyNew()
	}
	out := csv.NewWriter(w)
	write := func(rec []string) {
		for i := range rec {
			rec[i] = inert(rec[i])
		}
		out.Write(rec)
	}
	out.Write([]string{"severity", "status", "regression", "fails_gate", "system", "item", "check", "title", "message", "hint", "path", "line", "column",
		"loss", "confidence", "carried", "first_seen", "waived_until", "waived_reason", "waived_by", "id"})
	for _, f := range d.Findings {
		place := []string{"", "", ""}
		if l := f.Location; l != nil {
			place = []string{Clean(l.Path), strconv.Itoa(l.Line), strconv.Itoa(l.Column)}
		}
		waived := []string{"", "", ""}
		if x := f.Waiver; x != nil {
			waived = []string{Clean(x.Until), Clean(x.Reason), Clean(x.By)}
		}
		rec := []string{f.Severity, f.Status, strconv.FormatBool(f.Regression), strconv.FormatBool(f.FailsGate),
			f.System, Clean(f.Item), f.Check, Clean(f.Title), Clean(f.Message), cleanLines(f.Hint)}
		rec = append(rec, place...)
		rec = append(rec, strconv.FormatFloat(f.Loss, 'f', -1, 64), f.Confidence, strconv.FormatBool(f.Carried), f.FirstSeen.At.UTC().Format(time.RFC3339))
		rec = append(append(rec, waived...), f.ID)
		write(rec)
	}
	for _, e := range d.Errors {
		what := Clean(e.Message)
		if e.Source != "" {
			what = Clean(e.Source) + ": " + what
		}
		rec := []string{"", "unread", "false", "false", e.System, "", "", "not read or not done", what, cleanLines(e.Hint)}
		write(append(rec, "", "", "", "", "", "false", "", "", "", "", ""))
	}
	out.Flush()
	return out.Error()
}
