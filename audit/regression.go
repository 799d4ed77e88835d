package audit

import (
	"fmt"
	"slices"
	"strings"

	"healthaudit/snapshot"
)

// Step is R2's threshold: points of an item's score between two snapshots.
const Step = 10

// A Regression is one item that got worse, by one rule. While it is open it
// keeps its original reference, so that the bad state cannot silence it by
// becoming the previous snapshot.
type Regression struct {
	Item      snapshot.Key `json:"item"`
	Code      string       `json:"code"` // R1 level, R2 step, R6 missing
	Was       string       `json:"was"`
	Now       string       `json:"now"`
	Reference Mark         `json:"reference"`           // the snapshot it is compared with
	Since     Mark         `json:"since"`               // when it opened
	WasWorst  Severity     `json:"was_worst,omitempty"` // of R1: the worst severity in the reference
	WasScore  float64      `json:"was_score,omitempty"` // of R2
	Closed    *Mark        `json:"closed,omitempty"`
}

// ID identifies a regression within the store.
func (r *Regression) ID() string { return r.Code + " " + string(r.Item) }

// A Side is what one snapshot contributes to the comparison.
type Side struct {
	Mark   Mark
	Has    func(snapshot.Key) bool // the item was there and could be judged
	Worst  map[snapshot.Key]Severity
	Scores map[snapshot.Key]float64
	Left   func(snapshot.Key) bool // of the later side: the item is no longer there; nil: none left
}

func (s Side) score(k snapshot.Key) float64 {
	if v, ok := s.Scores[k]; ok {
		return v
	}
	return 100
}

// Regressions compares a snapshot with its reference and with the regressions
// open so far. It returns those that are open now, new ones included, and those
// that just closed. Items that were not there, or that could not be judged on
// either side, neither regress nor recover; one that left, and that nothing
// misses, has nothing to recover from.
//
//	R1  the level fell, or the worst severity rose to high or above
//	R2  the score fell by Step or more
//	R6  the item is missing, and nothing explains it
//
// Fresh is now without the findings that only another rule makes (a check that
// is new, was upgraded or is configured differently): what they found is no
// regression, but an old regression does not end because of them either.
func Regressions(open []*Regression, was, now, fresh Side, gone []Gone) (still, closed []*Regression) {
	have := map[string]bool{}
	missing := map[snapshot.Key]Gone{}
	for _, g := range gone {
		missing[g.Item] = g
	}
	for _, r := range open {
		if recovered(r, now, missing) {
			c := *r
			c.Closed = &now.Mark
			closed = append(closed, &c)
			continue
		}
		have[r.ID()] = true
		still = append(still, refresh(r, now))
	}
	add := func(r *Regression) {
		if !have[r.ID()] {
			have[r.ID()] = true
			r.Reference, r.Since = was.Mark, now.Mark
			still = append(still, r)
		}
	}
	keys := map[snapshot.Key]bool{}
	for k := range fresh.Worst {
		keys[k] = true
	}
	for k := range keys {
		if k.IsPseudo() || !was.Has(k) || !now.Has(k) {
			continue
		}
		if a, b := was.Worst[k], fresh.Worst[k]; worse(a, b) {
			r := &Regression{Item: k, Code: "R1", WasWorst: a, Was: string(a.level()), Now: string(b.level())}
			if r.Was == r.Now {
				r.Was, r.Now = a.String(), b.String()
			}
			add(r)
		}
		if s, t := was.score(k), fresh.score(k); s-t >= Step {
			add(&Regression{Item: k, Code: "R2", Was: points(s), Now: points(t), WasScore: s})
		}
	}
	for _, g := range gone {
		add(&Regression{Item: g.Item, Code: "R6", Was: string(g.Level), Now: "missing"})
	}
	order := func(a, b *Regression) int {
		return strings.Compare(string(a.Item)+" "+a.Code, string(b.Item)+" "+b.Code)
	}
	slices.SortFunc(still, order)
	slices.SortFunc(closed, order)
	return still, closed
}

// recovered reports whether the condition of an open regression is false, with
// hysteresis for the step: half of it must be regained.
func recovered(r *Regression, now Side, missing map[snapshot.Key]Gone) bool {
	if r.Code == "R6" {
		_, is := missing[r.Item]
		return !is
	}
	if now.Left != nil && now.Left(r.Item) {
		_, is := missing[r.Item]
		return !is
	}
	if !now.Has(r.Item) {
		return false
	}
	if r.Code == "R2" {
		return now.score(r.Item) >= r.WasScore-Step/2.0
	}
	return !worse(r.WasWorst, now.Worst[r.Item])
}

// worse is R1's condition between two worst severities, 0 for none.
func worse(was, now Severity) bool {
	return now.level().rank() > was.level().rank() || now > was && now >= High
}

func refresh(r *Regression, now Side) *Regression {
	c := *r
	if now.Has(r.Item) {
		switch r.Code {
		case "R1":
			if c.Now = string(now.Worst[r.Item].level()); c.Now == c.Was {
				c.Now = now.Worst[r.Item].String()
			}
		case "R2":
			c.Now = points(now.score(r.Item))
		}
	}
	return &c
}

func points(v float64) string { return fmt.Sprintf("%.1f", Floor(v)) }
