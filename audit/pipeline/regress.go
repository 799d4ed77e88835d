package pipeline

import (
	"slices"

	"healthaudit/audit"
	"healthaudit/snapshot"
)

// regress compares with the reference: regressions and both deltas of the score.
func (v *View) regress(old *judged, mark audit.Mark, before []*snapshot.Item) {
	if old == nil {
		return
	}
	old, left := old.follow(v.Changes)
	comparable := slices.DeleteFunc(slices.Clone(v.findings), func(t audit.Tracked) bool {
		return !t.Counts() || t.Ended || old.checks[t.Check] != v.checks[t.Check]
	})
	was := make(map[snapshot.Key]bool, len(before))
	for _, it := range before {
		was[it.Key] = it.Unknown == ""
	}
	for _, c := range v.Changes {
		if c.From != "" {
			was[c.Item] = was[c.From]
		}
	}
	judged := func(k snapshot.Key) bool { return was[k] || old.judged[k] > 0 } // in the snapshot before, or in an earlier one
	side := audit.Side{
		Mark: mark, Worst: v.worst, Scores: audit.ItemScores(v.findings),
		Has: func(k snapshot.Key) bool {
			it := v.Snapshot.Item(k)
			return it != nil && !it.Carried && it.Unknown == ""
		},
		Left: func(k snapshot.Key) bool { return v.Snapshot.Item(k) == nil },
	}
	fresh := side
	fresh.Worst, fresh.Scores = audit.Worst(comparable), audit.ItemScores(comparable)
	ref := audit.Side{Worst: audit.Worst(old.open), Scores: audit.ItemScores(old.open), Has: judged}
	v.Regressions, v.closed = audit.Regressions(old.regressions, ref, side, fresh, v.Info.Gone)
	for _, r := range left {
		c := *r
		c.Closed = &mark
		v.closed = append(v.closed, &c)
	}
	for _, r := range v.Regressions {
		if r.Since.Seq == mark.Seq {
			r.Reference = old.marks[r.Item.System()]
			if m, ok := old.markOf[old.judged[r.Item]]; ok {
				r.Reference = m
			}
		}
	}
	v.Info.Regressions = v.regressed(func(snapshot.System) bool { return true })
	v.delta(old, was)
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
