package report

import (
	"fmt"
	"io"
	"math"
	"strings"
)

// Snapshots writes what audit list shows, in the order given.
func Snapshots(w io.Writer, rows []SnapshotRow, o Options) error {
	if len(rows) == 0 {
		return say(w, o, "No snapshots yet: audit run makes the first.")
	}
	wide := o.columns() >= 100
	cols := []column{{head: "#", max: 6, right: true}, {head: "TIME (UTC)", max: 16}, {head: "SCORE", max: 7, right: true}}
	deltas := o.columns() >= 80
	if deltas {
		cols = append(cols, column{head: "CHANGE", max: 6, right: true})
	}
	cols = append(cols, column{head: "C/H/M/L", max: 12})
	if wide {
		cols = append(cols, column{head: "ID", max: 10}, column{head: "ITEMS", max: 6, right: true})
	}
	cols = append(cols, column{head: "GATE"})
	err := stream(w, o.columns(), cols, func(add func(...string) error) error {
		for _, r := range cleaned(rows) {
			c := r.Findings
			cells := []string{fmt.Sprint(r.Seq), stamp(r.At), scored(r.Score, r.Grade)}
			if deltas {
				cells = append(cells, moved(r.Delta))
			}
			cells = append(cells, fmt.Sprintf("%d/%d/%d/%d", c.Critical, c.High, c.Medium, c.Low))
			if wide {
				cells = append(cells, prefix(r.ID, 10), group(r.Items))
			}
			if err := add(append(cells, gateCell(r))...); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil || len(rows) < 2 {
		return err
	}
	return trend(w, rows, o)
}

// moved writes a delta with its sign, "" for none.
func moved(delta *float64) string {
	if delta == nil || math.Abs(*delta) < .05 {
		return ""
	}
	return fmt.Sprintf("%+.1f", *delta)
}

// trend draws the scores of the runs that are listed.
func trend(w io.Writer, rows []SnapshotRow, o Options) error {
	all := make([]Point, len(rows))
	for i, r := range rows {
		all[i] = Point{Seq: r.Seq, At: r.At, Value: r.Score}
	}
	p := newPage(o)
	shown := newest(all, p.width/2)
	p.WriteByte('\n')
	p.line(0, inkNone, fmt.Sprintf("Score %s %s", spark(shown, 0, 100), extent(shown, points)))
	_, err := w.Write(p.Bytes())
	return err
}

func gateCell(r SnapshotRow) string {
	parts := []string{"passed"}
	if !r.Passed {
		parts[0] = "failed"
	}
	if r.Exit > 1 {
		parts = append(parts, fmt.Sprintf("exit %d", r.Exit))
	}
	if r.Regressions > 0 {
		parts = append(parts, plural(r.Regressions, "regression"))
	}
	return strings.Join(append(parts, r.Flags...), ", ")
}

// say writes one sentence.
func say(w io.Writer, o Options, text string) error {
	p := newPage(o)
	p.line(0, inkNone, text)
	_, err := w.Write(p.Bytes())
	return err
}

// Journal writes what audit journal shows, in the order given.
func Journal(w io.Writer, rows []JournalRow, o Options) error {
	if len(rows) == 0 {
		return say(w, o, "The journal is empty: nothing has been done yet.")
	}
	cols := []column{{head: "#", max: 6, right: true}, {head: "TIME (UTC)", max: 16}, {head: "RESULT", max: 8}, {head: "WHAT"}}
	return stream(w, o.columns(), cols, func(add func(...string) error) error {
		for _, r := range cleaned(rows) {
			what := strings.TrimSpace(r.Action + " " + r.Item)
			if r.Detail != "" {
				what += ": " + r.Detail
			}
			if r.Actor != "" {
				what += " (" + r.Actor + ")"
			}
			if err := add(fmt.Sprint(r.Seq), stamp(r.At), r.Result, what); err != nil {
				return err
			}
		}
		return nil
	})
}

// Checks writes what audit check list shows, in the order given.
func Checks(w io.Writer, rows []CheckRow, o Options) error {
	cols := []column{{head: "CHECK", max: 30}, {head: "SEVERITY", max: 8}, {head: "FINDS"}}
	return stream(w, o.columns(), cols, func(add func(...string) error) error {
		for _, r := range cleaned(rows) {
			if err := add(r.ID, r.Severity, r.Title); err != nil {
				return err
			}
		}
		return nil
	})
}

func (v RestoreView) totals() string {
	n, order := map[string]int{}, []string{}
	for _, f := range v.Files {
		if n[f.Action] == 0 {
			order = append(order, f.Action)
		}
		n[f.Action]++
	}
	if len(order) == 0 {
		return "no files"
	}
	for i, a := range order {
		order[i] = plural(n[a], "file") + " " + a
	}
	return strings.Join(order, ", ")
}

// String returns the number and time of the snapshot.
func (r SnapshotRef) String() string { return fmt.Sprintf("#%d (%s UTC)", r.Seq, stamp(r.At)) }

// Stats writes what the store holds.
func Stats(w io.Writer, v StatsView, o Options) error {
	v = cleaned(v)
	p := newPage(o)
	g := &grid{cols: []column{{max: 14}, {}}}
	row := func(name, value string) { g.add(plain(name), plain(value)) }
	row("Store", v.Path)
	row("File", size(v.FileBytes)+", "+size(v.InUseBytes)+" in use")
	row("Snapshots", group(v.Snapshots))
	if v.Oldest != nil && v.Newest != nil {
		row("", fmt.Sprintf("from %s to %s", v.Oldest, v.Newest))
	}
	row("Items", group(v.Items)+" in the newest")
	row("Blobs", fmt.Sprintf("%s, %s", group(v.Blobs), size(v.BlobBytes)))
	row("Analyses", size(v.CacheBytes)+", which can be made again")
	row("Journal", strings.Replace(plural(v.Journal, "entry"), "entrys", "entries", 1))
	p.grid(g)
	_, err := w.Write(p.Bytes())
	return err
}
