package audit

import (
	"fmt"
	"slices"
	"strings"

	"healthaudit/snapshot"
)

// Step is the threshold of R2, R3 and R4: points of an item's score.
const Step = 10

// A Regression is one item that got worse, by one rule. While it is open it
// keeps its original reference, so that the bad state cannot silence it by
// becoming the previous snapshot.
type Regression struct {
	Item      snapshot.Key `json:"item"`
	Code      string       `json:"code"` // R1 to R6, see Regressions
	Was       string       `json:"was"`
	Now       string       `json:"now"`
	Reference Mark         `json:"reference"`           // the snapshot it is compared with
	Since     Mark         `json:"since"`               // when it opened
	WasWorst  Severity     `json:"was_worst,omitempty"` // of R1: the worst severity in the reference
	WasScore  float64      `json:"was_score,omitempty"` // of R2, R3 and R4: the score it is compared with
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
	Trends map[snapshot.Key]string // what the worst finding about a trend of the item says, in a few words
	Left   func(snapshot.Key) bool // of the later side: the item is no longer there; nil: none left
}

func (s Side) score(k snapshot.Key) float64 {
	if v, ok := s.Scores[k]; ok {
		return v
	}
	return 100
}

// A Comparison is all that decides on regressions.
type Comparison struct {
	Open []*Regression // those open so far
	Was  Side          // the reference
	Now  Side

	// Fresh is Now without the findings that only another rule makes (a check
	// that is new, was upgraded or is configured differently, a collector that
	// reads more): what they found is no regression, but an old regression does
	// not end because of them either.
	Fresh Side

	Gone  []Gone
	Base  *Base                    // the pinned baseline; nil: none
	Usual map[snapshot.Key]float64 // what the score of those items usually is whose score is below it, see Trail.Fell
}

// A Base is a pinned snapshot and this one, both by the rules that they share.
type Base struct {
	Then, Now Side
	Added     map[snapshot.Key]Severity // the worst of the findings, medium or worse, that the baseline does not have
}

// fell reports whether an item is worse than in the baseline.
func (b *Base) fell(k snapshot.Key) bool {
	return b.Then.score(k)-b.Now.score(k) >= Step || b.Added[k] > 0
}

// Regressions returns the regressions that are open in a snapshot, new ones
// included, and those that just closed. Items that were not there, or that could
// not be judged on either side, neither regress nor recover; one that left, and
// that nothing misses, has nothing to recover from.
//
//	R1  the level fell, or the worst severity rose to high or above
//	R2  the score fell by Step or more
//	R3  the score is below that of the pinned baseline by Step or more, or there
//	    is a finding, medium or worse, that the baseline does not have
//	R4  the score is far below what it usually is, twice in a row, and no other
//	    regression of the item says so
//	R5  a check that judges numbers over time found a trend
//	R6  the item is missing, and nothing explains it
func Regressions(c Comparison) (still, closed []*Regression) {
	open := map[string]bool{}
	missing := map[snapshot.Key]Gone{}
	for _, g := range c.Gone {
		missing[g.Item] = g
	}
	for _, r := range c.Open {
		if c.recovered(r, missing) {
			r := *r
			r.Closed = &c.Now.Mark
			closed = append(closed, &r)
			continue
		}
		open[r.ID()] = true
		still = append(still, c.refresh(r))
	}
	add := func(r *Regression, ref Mark) {
		if !open[r.ID()] {
			open[r.ID()] = true
			r.Reference, r.Since = ref, c.Now.Mark
			still = append(still, r)
		}
	}
	for _, k := range c.candidates() {
		for _, r := range c.fallen(k) {
			add(r, c.Was.Mark)
		}
		if b := c.Base; b != nil && b.Then.Has(k) && b.fell(k) {
			add(&Regression{Item: k, Code: "R3", Was: points(b.Then.score(k)), Now: b.now(k), WasScore: b.Then.score(k)}, b.Then.Mark)
		}
		if usual, fell := c.Usual[k]; fell && !open["R1 "+string(k)] && !open["R2 "+string(k)] && !open["R3 "+string(k)] {
			add(&Regression{Item: k, Code: "R4", Was: points(usual), Now: points(c.Now.score(k)), WasScore: usual}, c.Was.Mark)
		}
	}
	for _, g := range c.Gone {
		add(&Regression{Item: g.Item, Code: "R6", Was: string(g.Level), Now: "missing"}, c.Was.Mark)
	}
	order := func(a, b *Regression) int {
		return strings.Compare(string(a.Item)+" "+a.Code, string(b.Item)+" "+b.Code)
	}
	slices.SortFunc(still, order)
	slices.SortFunc(closed, order)
	return still, closed
}

// candidates are the items of which anything was found, and that were judged
// before and now.
func (c *Comparison) candidates() (out []snapshot.Key) {
	for k := range c.Fresh.Worst {
		if !k.IsPseudo() && c.Was.Has(k) && c.Now.Has(k) {
			out = append(out, k)
		}
	}
	slices.Sort(out)
	return out
}

// fallen compares an item with the reference.
func (c *Comparison) fallen(k snapshot.Key) (out []*Regression) {
	if a, b := c.Was.Worst[k], c.Fresh.Worst[k]; worse(a, b) {
		r := &Regression{Item: k, Code: "R1", WasWorst: a, Was: string(a.level()), Now: string(b.level())}
		if r.Was == r.Now {
			r.Was, r.Now = a.String(), b.String()
		}
		out = append(out, r)
	}
	if s, t := c.Was.score(k), c.Fresh.score(k); s-t >= Step {
		out = append(out, &Regression{Item: k, Code: "R2", Was: points(s), Now: points(t), WasScore: s})
	}
	if is, was := c.Fresh.Trends[k], c.Was.Trends[k]; is != "" && was == "" {
		out = append(out, &Regression{Item: k, Code: "R5", Was: "as usual", Now: is})
	}
	return out
}

// recovered reports whether the condition of an open regression is false, with
// hysteresis for scores: half of the step must be regained.
func (c *Comparison) recovered(r *Regression, missing map[snapshot.Key]Gone) bool {
	_, gone := missing[r.Item]
	if r.Code == "R6" || c.Now.Left != nil && c.Now.Left(r.Item) {
		return !gone
	}
	if r.Code == "R3" && (c.Base == nil || c.Base.Then.Mark.Seq != r.Reference.Seq) {
		return true // it is compared with another baseline now, or with none
	}
	if !c.Now.Has(r.Item) {
		return false
	}
	switch r.Code {
	case "R2", "R4":
		return c.Now.score(r.Item) >= r.WasScore-Step/2.0
	case "R3":
		return c.Base.Added[r.Item] == 0 && c.Base.Now.score(r.Item) >= c.Base.Then.score(r.Item)-Step/2.0
	case "R5":
		return c.Now.Trends[r.Item] == ""
	}
	return !worse(r.WasWorst, c.Now.Worst[r.Item])
}

// worse is R1's condition between two worst severities, 0 for none.
func worse(was, now Severity) bool {
	return now.level().rank() > was.level().rank() || now > was && now >= High
}

// refresh brings the words of an open regression up to date.
func (c *Comparison) refresh(r *Regression) *Regression {
	n := *r
	if !c.Now.Has(r.Item) {
		return &n
	}
	switch r.Code {
	case "R1":
		if n.Now = string(c.Now.Worst[r.Item].level()); n.Now == n.Was {
			n.Now = c.Now.Worst[r.Item].String()
		}
	case "R2", "R4":
		n.Now = points(c.Now.score(r.Item))
	case "R3":
		n.Now = c.Base.now(r.Item)
	case "R5":
		n.Now = c.Now.Trends[r.Item]
	}
	return &n
}

// now says how an item is, compared with the baseline.
func (b *Base) now(k snapshot.Key) string {
	s := points(b.Now.score(k))
	if sev := b.Added[k]; sev > 0 && b.Then.score(k)-b.Now.score(k) < Step {
		s += " with another " + sev.String() + " finding"
	}
	return s
}

func points(v float64) string { return fmt.Sprintf("%.1f", Floor(v)) }
