package pipeline

import (
	"slices"

	"healthaudit/audit"
	"healthaudit/snapshot"
	"healthaudit/snapshot/store"
)

// A reference is what a run is compared with: the snapshots that last judged
// each item, what their scores usually are, and the pinned baseline.
type reference struct {
	*judged
	items  []*snapshot.Item // as they were in the snapshot before
	base   *base            // nil: none is pinned
	trails map[snapshot.Key]audit.Trail
}

// against compares the run with what is known from before: its judgement, and the
// items as they were. An old snapshot is not held against a later baseline.
func (v *View) against(tx *store.Tx, old *judged, items []*snapshot.Item, mark audit.Mark) (err error) {
	if old == nil {
		return nil
	}
	ref := &reference{judged: old, items: items}
	if ref.trails, err = trails(tx, v, old); err != nil {
		return err
	}
	v.flap(old, ref.trails)
	if ref.base, err = loadBase(tx); err != nil {
		return err
	}
	if ref.base != nil && ref.base.mark.Seq >= v.Seq {
		ref.base = nil
	}
	v.regress(ref, mark)
	return nil
}

// trending tells which checks judge numbers over time.
func trending(checks []*audit.Check) func(string) bool {
	return func(id string) bool {
		return slices.ContainsFunc(checks, func(c *audit.Check) bool { return c.ID == id && c.Trend })
	}
}

// regress compares with the reference: regressions and both deltas of the score.
func (v *View) regress(ref *reference, mark audit.Mark) {
	if ref == nil {
		return
	}
	old, left := ref.follow(v.Changes)
	was := make(map[snapshot.Key]bool, len(ref.items))
	for _, it := range ref.items {
		was[it.Key] = it.Unknown == ""
	}
	for _, c := range v.Changes {
		if c.From != "" {
			was[c.Item] = was[c.From]
		}
	}
	judged := func(k snapshot.Key) bool { return was[k] || old.judged[k] > 0 } // in the snapshot before, or in an earlier one
	side := v.side(v.findings)
	side.Mark = mark
	side.Has = func(k snapshot.Key) bool {
		it := v.Snapshot.Item(k)
		return it != nil && !it.Carried && it.Unknown == ""
	}
	side.Left = func(k snapshot.Key) bool { return v.Snapshot.Item(k) == nil }
	fresh, before := v.side(v.comparable(old, ref.items, mark.Seq)), v.side(old.open)
	before.Has = judged
	c := audit.Comparison{Open: old.regressions, Was: before, Now: side, Fresh: fresh, Gone: v.Info.Gone, Usual: map[snapshot.Key]float64{}}
	for k, t := range ref.trails {
		if usual, fell := t.Fell(); fell {
			c.Usual[k] = usual
		}
	}
	if ref.base != nil {
		c.Base = ref.base.compare(v)
	}
	v.Regressions, v.closed = audit.Regressions(c)
	for _, r := range left {
		c := *r
		c.Closed = &mark
		v.closed = append(v.closed, &c)
	}
	for _, r := range v.Regressions {
		if r.Since.Seq == mark.Seq && r.Code != "R3" {
			r.Reference = old.marks[r.Item.System()]
			if m, ok := old.markOf[old.judged[r.Item]]; ok {
				r.Reference = m
			}
		}
	}
	v.Info.Regressions = v.regressed(func(snapshot.System) bool { return true })
	v.delta(old, was)
}

// side is what some findings say of the items.
func (v *View) side(findings []audit.Tracked) audit.Side {
	return audit.Side{Worst: audit.Worst(findings), Scores: audit.ItemScores(findings), Trends: audit.Trends(findings, v.trending)}
}

// comparable returns the findings that count and that the reference would have
// had as well, had things been as they are: it was judged by the same rule, and
// neither another schema nor another tool reads more of an item that is as it was.
func (v *View) comparable(old *judged, before []*snapshot.Item, seq uint64) []audit.Tracked {
	same := make(map[snapshot.Key]*snapshot.Item, len(before))
	for _, it := range before {
		same[it.Key] = it
	}
	rebased := map[snapshot.Key]bool{}
	for _, c := range v.Changes {
		rebased[c.Item] = c.Op == snapshot.OpRebased
	}
	return slices.DeleteFunc(slices.Clone(v.findings), func(t audit.Tracked) bool {
		if !t.Counts() || t.Ended || old.checks[t.Check] != v.checks[t.Check] {
			return true
		}
		fresh := t.Opened.Seq == seq || t.Updated != nil && t.Updated.Seq == seq
		other := old.tools[t.System] != v.Info.Tool && same[t.Item] == v.Snapshot.Item(t.Item)
		return fresh && (rebased[t.Item] || other)
	})
}

// regressed counts the items that regressed: a fall of the level and of the
// score is one regression by two measures.
func (v *View) regressed(of func(snapshot.System) bool) int {
	items := map[snapshot.Key]bool{}
	for _, r := range v.Regressions {
		if of(r.Item.System()) {
			items[r.Item] = true
		}
	}
	return len(items)
}

func (v *View) delta(old *judged, was map[snapshot.Key]bool) {
	if v.Score.Value == nil || old.score == nil {
		return
	}
	v.before = &old.ref
	if slices.Equal(scope(v.Info.Systems), old.scope) {
		d := round(audit.Floor(*v.Score.Value)-*old.score, 10)
		v.Info.Delta = &d
	}
	both := slices.DeleteFunc(slices.Clone(v.Snapshot.Items), func(it *snapshot.Item) bool {
		return !was[it.Key] || it.Carried || it.Unknown != ""
	})
	in := make(map[snapshot.Key]bool, len(both))
	for _, it := range both {
		in[it.Key] = true
	}
	only := func(t audit.Tracked) bool { return !in[t.Item] }
	a := audit.Evaluate(both, slices.DeleteFunc(slices.Clone(old.open), only), v.weighting())
	b := audit.Evaluate(both, slices.DeleteFunc(slices.Clone(v.findings), only), v.weighting())
	if a.Value != nil && b.Value != nil {
		d := round(audit.Floor(*b.Value)-audit.Floor(*a.Value), 10)
		v.Info.DeltaSame = &d
	}
}

// scope is which systems were asked for: scores of different scopes are not compared.
func scope(states []snapshot.SystemState) (out []string) {
	for _, st := range states {
		if st.Status != snapshot.StatusSkipped {
			out = append(out, string(st.System))
		}
	}
	return out
}
