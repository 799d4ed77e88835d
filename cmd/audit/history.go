package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"healthaudit/audit"
	"healthaudit/audit/pipeline"
	"healthaudit/report"
	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/refs"
	"healthaudit/snapshot/collect/all"
	"healthaudit/snapshot/store"
)

type historyCmd struct {
	listing
	Item string `arg:"" help:"Key of the item, as reports name it."`
}

func (c *historyCmd) Run(a *App) error {
	return a.reading(func(_ *settings, tx *store.Tx) error {
		key := snapshot.Key(c.Item)
		tx.Forgive()
		t, err := pipeline.History(tx, key, pipeline.Risks(all.Collectors))
		if err != nil {
			return err
		}
		if len(t) == 0 {
			if partly := pipeline.Whole(tx); partly != nil {
				return partly
			}
			return c.other(a, tx)
		}
		v := report.HistoryView{Item: c.Item, System: string(key.System()), Name: c.Item, Entries: []report.HistoryEntry{}}
		for _, e := range t {
			if e.Item != nil {
				v.Name, v.Path = e.Item.Name, e.Item.Path
			}
			row, err := historyEntry(tx, e)
			if tx.Bear(err) {
				continue
			}
			if err != nil {
				return err
			}
			v.Entries = append(v.Entries, row)
		}
		slices.Reverse(v.Entries)
		if v.Now, err = neighbours(tx, key); err != nil {
			return err
		}
		if v.Scores, v.Metrics, err = curves(tx, key); err != nil {
			return err
		}
		return showPartly(a, c.listing, tx, v, report.History)
	})
}

// neighbours returns who starts the item and what it starts in the latest
// snapshot; nil when it is not in that.
func neighbours(tx *store.Tx, key snapshot.Key) (*report.Neighbours, error) {
	s, _, err := pipeline.LoadSnapshot(tx, tx.Seq())
	if err != nil {
		return nil, err
	}
	it := s.Item(key)
	if it == nil {
		return nil, nil
	}
	table := refs.NewTable(s, nil)
	g := table.Graph()
	return &report.Neighbours{StartedBy: texts(g.StartedBy[key]), SetGoingBy: texts(table.Roots(key)), Starts: texts(g.Starts[key]),
		Missing: append([]string{}, table.Missing(it)...)}, nil
}

func texts(keys []snapshot.Key) []string {
	out := make([]string, len(keys))
	for i, k := range keys {
		out[i] = string(k)
	}
	return out
}

// maxCurve is how many snapshots a curve shows: as many as a wide terminal.
const maxCurve = 100

func curves(tx *store.Tx, key snapshot.Key) (scores []report.Point, metrics []report.Line, err error) {
	s, err := pipeline.SeriesOf(tx, key, maxCurve)
	if err != nil {
		return nil, nil, err
	}
	points := func(list []pipeline.Reading) []report.Point {
		out := make([]report.Point, len(list))
		for i, r := range list {
			out[i] = report.Point{Seq: r.Seq, At: r.At.UTC().Truncate(time.Second), Value: r.Value}
		}
		return out
	}
	metrics = []report.Line{}
	for _, name := range slices.Sorted(maps.Keys(s.Metrics)) {
		metrics = append(metrics, report.Line{Name: name, Points: points(s.Metrics[name])})
	}
	return points(s.Scores), metrics, nil
}

// other says which item may be meant: the one with that path, or the nearest key.
func (c *historyCmd) other(a *App, tx *store.Tx) error {
	seq, err := find(tx, "latest", a.Now())
	if err != nil {
		return err
	}
	s, _, err := pipeline.LoadSnapshot(tx, seq)
	if err != nil {
		return err
	}
	for _, it := range s.Items {
		if it.Path == c.Item {
			return &usageError{fmt.Sprintf("there is no item %q", c.Item), "did you mean " + string(it.Key) + "?"}
		}
	}
	if seen, err := pipeline.LastSeen(tx, []string{c.Item}, seq); err != nil {
		return err
	} else if s, ok := seen[c.Item]; ok {
		return &usageError{fmt.Sprintf("there is no item %q", c.Item), "did you mean " + string(s.Item.Key) + "?"}
	}
	return unknownItem(c.Item, s)
}

func historyEntry(tx *store.Tx, e pipeline.Moment) (report.HistoryEntry, error) {
	h, _, err := tx.Header(e.Seq)
	if err != nil {
		return report.HistoryEntry{}, err
	}
	var i pipeline.Info
	if err := json.Unmarshal(h.Body, &i); err != nil {
		return report.HistoryEntry{}, err
	}
	row := report.HistoryEntry{Seq: e.Seq, ID: h.ID, At: h.At.UTC().Truncate(time.Second), Facts: []report.FactChange{}, Files: append([]string{}, e.Files...),
		Opened: brief(e.Opened), Closed: brief(e.Closed), Waived: brief(e.Waived), Counts: brief(e.Counts)}
	if i.Git != nil {
		row.Commit = i.Git.Commit
	}
	if e.Item != nil {
		row.State, row.Level = e.Item.State, string(audit.LevelOf(e.Item, e.Worst))
		if row.Level != string(audit.LevelUnknown) {
			s := audit.Floor(e.Score)
			row.Score = &s
		}
	}
	if e.Change != nil {
		d := pipeline.DocumentChanges([]snapshot.Change{*e.Change})[0]
		row.Op, row.Facts, row.Files = d.Op, d.Facts, d.Files
	}
	return row, nil
}

func brief(list []*audit.Record) []report.FindingShort {
	out := make([]report.FindingShort, 0, len(list))
	for _, r := range list {
		out = append(out, report.FindingShort{ID: r.ID, Check: r.Check, Severity: r.Severity.String(), Item: string(r.Item), Title: r.Title, Message: r.Message})
	}
	return out
}
