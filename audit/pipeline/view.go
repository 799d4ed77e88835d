package pipeline

import (
	"fmt"
	"slices"
	"time"

	"healthaudit/audit"
	"healthaudit/report"
	"healthaudit/snapshot"
	"healthaudit/snapshot/collect"
)

// A View is one run, judged: just made or read back from the store. Both give
// the same document.
type View struct {
	Seq         uint64
	Info        *Info
	Snapshot    *snapshot.Snapshot
	Changes     []snapshot.Change
	Score       audit.Score
	Regressions []*audit.Regression // open ones

	findings []audit.Tracked
	closed   []*audit.Regression
	worst    map[snapshot.Key]audit.Severity
	checks   map[string]int // id → version
	compared map[snapshot.System]string
	history  []report.ScorePoint // before this run, oldest first
	derived  *snapshot.Derived
}

// evaluate computes what follows from items and findings.
func (v *View) evaluate() {
	v.Score = audit.Evaluate(v.Snapshot.Items, v.findings, v.weighting())
	v.worst = audit.Worst(v.findings)
	v.Info.Open = map[string]int{}
	for _, t := range v.findings {
		if t.Open() {
			v.Info.Open[t.Severity.String()]++
		}
	}
}

func (v *View) weighting() audit.Weighting {
	c := &Config{Weights: v.Info.Weights, Criticality: v.Info.Criticality}
	return c.weighting(v.Info.Systems)
}

// regress compares with the reference: regressions and both deltas of the score.
func (v *View) regress(old *judged, mark audit.Mark, before []*snapshot.Item) {
	if old == nil {
		return
	}
	// Findings of a check that is new or was changed by an upgrade are no regression.
	comparable := slices.DeleteFunc(slices.Clone(v.findings), func(t audit.Tracked) bool {
		return !t.Open() || old.checks[t.Check] != t.CheckVersion
	})
	was := make(map[snapshot.Key]bool, len(before))
	for _, it := range before {
		was[it.Key] = it.Unknown == ""
	}
	side := audit.Side{
		Mark: mark, Worst: audit.Worst(comparable), Scores: audit.ItemScores(comparable),
		Has: func(k snapshot.Key) bool {
			it := v.Snapshot.Item(k)
			return it != nil && !it.Carried && it.Unknown == ""
		},
		Left: func(k snapshot.Key) bool { return v.Snapshot.Item(k) == nil },
	}
	ref := audit.Side{Worst: audit.Worst(old.open), Scores: audit.ItemScores(old.open), Has: func(k snapshot.Key) bool { return was[k] }}
	v.Regressions, v.closed = audit.Regressions(old.regressions, ref, side, v.Info.Gone)
	for _, r := range v.Regressions {
		if r.Since.Seq == mark.Seq {
			r.Reference = old.marks[r.Item.System()]
		}
	}
	v.Info.Regressions = v.regressed()
	v.delta(old, was)
}

// regressed counts the items that regressed: a fall of the level and of the
// score is one regression by two measures.
func (v *View) regressed() int {
	items := map[snapshot.Key]bool{}
	for _, r := range v.Regressions {
		items[r.Item] = true
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

// gate decides whether the run passes, and the exit code (DESIGN: 1 gate, 3 incomplete).
func (v *View) gate() {
	v.Info.Passed = len(v.reasons()) == 0
	switch {
	case !v.Info.Passed:
		v.Info.Exit = 1
	case slices.ContainsFunc(v.Info.Systems, func(s snapshot.SystemState) bool { return s.Status == snapshot.StatusError }):
		v.Info.Exit = 3
	default:
		v.Info.Exit = 0
	}
}

// reasons says why the gate fails, one line each; empty when it passes.
func (v *View) reasons() []string {
	out := []string{}
	for _, cond := range v.Info.FailOn {
		n, what := 0, ""
		switch cond {
		case "never":
			continue
		case "regression":
			n, what = v.regressed(), "regression"
		case "new":
			what = "new or reopened finding"
			for _, t := range v.findings {
				if s, ok := t.StatusAt(v.Seq); ok && (s == audit.New || s == audit.Reopened) {
					n++
				}
			}
		default:
			min, err := audit.ParseSeverity(cond)
			if err != nil {
				continue
			}
			what = cond + " finding"
			if min < audit.Critical {
				what = "finding of severity " + cond + " or worse"
			}
			for _, t := range v.findings {
				if t.Open() && t.Severity >= min {
					n++
				}
			}
		}
		if n == 1 {
			out = append(out, "1 "+what)
		} else if n > 1 {
			out = append(out, fmt.Sprintf("%d %s", n, plural(what)))
		}
	}
	if u := v.Info.FailUnder; u != nil && v.Score.Value != nil && audit.Floor(*v.Score.Value) < *u {
		out = append(out, fmt.Sprintf("score %.1f is below %g", audit.Floor(*v.Score.Value), *u))
	}
	return out
}

func plural(what string) string {
	if rest, ok := cutPrefix(what, "finding of"); ok {
		return "findings of" + rest
	}
	return what + "s"
}

func cutPrefix(s, p string) (string, bool) {
	if len(s) >= len(p) && s[:len(p)] == p {
		return s[len(p):], true
	}
	return s, false
}

// missing are the items that are gone without explanation: those of this run,
// and those of the runs before that are still gone. A healthy item whose file
// git no longer has, or whose file is there and no longer declares it, was
// removed by a person: a change, not a loss.
func missing(gone []*snapshot.Item, old *judged, now *snapshot.Snapshot, seq uint64) []audit.Gone {
	var out []audit.Gone
	if old == nil {
		return nil
	}
	for _, it := range gone {
		g := audit.Gone{Item: it.Key, Name: it.Name, Path: it.Path, Level: audit.LevelOf(it, old.worst[it.Key]), Since: seq}
		if !explained(g, now.Tree) {
			out = append(out, g)
		}
	}
	for _, g := range old.gone {
		at, ok := old.accepted[g.Item]
		accepted := ok && at >= g.Since // not an acceptance from before it came back
		if now.Item(g.Item) == nil && !explained(g, now.Tree) && !accepted {
			out = append(out, g)
		}
	}
	slices.SortFunc(out, func(a, b audit.Gone) int { return cmpKeys(a.Item, b.Item) })
	return slices.CompactFunc(out, func(a, b audit.Gone) bool { return a.Item == b.Item })
}

func explained(g audit.Gone, tree *snapshot.Tree) bool {
	if g.Path == "" {
		return false
	}
	e, there := tree.At(g.Path)
	if there && e.Kind != snapshot.PathMissing && g.Item == snapshot.NewKey(snapshot.Scripts, snapshot.Escape(g.Path)) {
		return true // the file is where it was, only nothing starts it any more
	}
	if g.Level == audit.LevelFailing || g.Level == audit.LevelDegraded {
		return false
	}
	return there && e.Kind != snapshot.PathMissing || !there && tree.Git
}

func cmpKeys(a, b snapshot.Key) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// override applies the severities of the configuration.
func (c *Config) override(f []audit.Finding) {
	if len(c.Severity) == 0 {
		return
	}
	for i := range f {
		if s, ok := c.Severity[f[i].Check]; ok {
			f[i].Severity = s
		}
	}
	audit.SortFindings(f)
}

func versions(checks []*audit.Check) map[string]int {
	m := make(map[string]int, len(checks))
	for _, c := range checks {
		m[c.ID] = max(c.Version, 1)
	}
	return m
}

// Risks returns the risk functions of the collectors.
func Risks(collectors []*collect.Collector) func(snapshot.System) snapshot.RiskFunc {
	return func(sys snapshot.System) snapshot.RiskFunc {
		for _, c := range collectors {
			if c.System == sys {
				return c.Risk
			}
		}
		return nil
	}
}

// unique drops items whose key was already seen: two sources that list the same
// thing are a collector's business, a crash of the store is not.
func unique(items []*snapshot.Item) []*snapshot.Item {
	seen := make(map[snapshot.Key]bool, len(items))
	return slices.DeleteFunc(items, func(it *snapshot.Item) bool {
		dup := seen[it.Key]
		seen[it.Key] = true
		return dup
	})
}

func uniqueFiles(files []snapshot.File) []snapshot.File {
	slices.SortFunc(files, func(a, b snapshot.File) int { return cmpKeys(snapshot.Key(a.Path), snapshot.Key(b.Path)) })
	return slices.CompactFunc(files, func(a, b snapshot.File) bool { return a.Path == b.Path })
}

func round(v, unit float64) float64 {
	if v < 0 {
		return -round(-v, unit)
	}
	return float64(int64(v*unit+.5)) / unit
}

func ms(d time.Duration) int64 { return d.Milliseconds() }
