package pipeline

import (
	"encoding/json"
	"slices"
	"time"

	"healthaudit/audit"
	"healthaudit/snapshot"
	"healthaudit/snapshot/store"
)

// A Reading is what one snapshot says of an item in a number; nil: it cannot tell.
type Reading struct {
	Seq   uint64
	At    time.Time
	Value *float64
}

// A Series is one number of an item over its newest snapshots, oldest first.
type Series struct {
	Scores  []Reading
	Metrics map[string][]Reading // each as long as Scores
}

// SeriesOf returns the score and the metrics of an item in the newest snapshots,
// n at most.
func SeriesOf(tx *store.Tx, key snapshot.Key, n int) (Series, error) {
	type header struct {
		seq  uint64
		at   time.Time
		info Info
	}
	var list []header
	var bad error
	err := tx.Headers(tx.Seq(), true, func(seq uint64, h store.Header) bool {
		x := header{seq: seq, at: h.At}
		bad = json.Unmarshal(h.Body, &x.info)
		list = append(list, x)
		return bad == nil && len(list) < n
	})
	if err == nil {
		err = bad
	}
	if err != nil {
		return Series{}, err
	}
	slices.Reverse(list)
	open, err := openings(tx, key, func(uint64) *Moment { return &Moment{} })
	if err != nil {
		return Series{}, err
	}
	s := Series{Metrics: map[string][]Reading{}}
	for i, h := range list {
		r := Reading{Seq: h.seq, At: h.at}
		it, err := itemAt(tx, h.seq, key, &h.info)
		if err != nil {
			return Series{}, err
		}
		if it != nil && !it.Carried {
			worst, score := audit.Severity(0), 100.0
			for _, versions := range open {
				if f := openAt(versions, h.seq); f != nil {
					worst, score = max(worst, f.Severity), score*(1-audit.Penalty[f.Severity])
				}
			}
			if audit.LevelOf(it, worst) != audit.LevelUnknown {
				v := audit.Floor(score)
				r.Value = &v
			}
			for _, m := range it.Metrics {
				if s.Metrics[m.Name] == nil {
					s.Metrics[m.Name] = make([]Reading, i, len(list))
					for k := range i {
						s.Metrics[m.Name][k] = Reading{Seq: list[k].seq, At: list[k].at}
					}
				}
				v := m.Value
				s.Metrics[m.Name] = append(s.Metrics[m.Name], Reading{Seq: h.seq, At: h.at, Value: &v})
			}
		}
		s.Scores = append(s.Scores, r)
		for name, list := range s.Metrics {
			if len(list) == i {
				s.Metrics[name] = append(list, Reading{Seq: h.seq, At: h.at})
			}
		}
	}
	return s, nil
}

// itemAt reads one item of a snapshot with its metrics; nil when it was not there.
func itemAt(tx *store.Tx, seq uint64, key snapshot.Key, info *Info) (*snapshot.Item, error) {
	stored, ok, err := tx.Table(tableItem).Text(seq, string(key))
	if tx.Bear(err) {
		return nil, nil
	}
	if err != nil || !ok {
		return nil, err
	}
	p := &past{tx: tx, seq: seq, info: *info, items: map[snapshot.Key]*snapshot.Item{}, obs: map[snapshot.System]observed{}}
	it, err := p.decode(key, stored)
	if err != nil {
		return nil, err
	}
	_, kept := slices.BinarySearch(info.Kept, key)
	it.Carried = kept || (&snapshot.Snapshot{Systems: info.Systems}).Unread(it)
	return it, nil
}
