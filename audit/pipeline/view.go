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
	hidden   audit.Hidden // what ignore rules took out of Changes
	closed   []*audit.Regression
	worst    map[snapshot.Key]audit.Severity
	seen     map[snapshot.Key]audit.Severity // worst of what is not merely carried
	checks   map[string]string               // id → the rule it was judged by: version and configuration
	compared map[snapshot.System]string
	before   *report.SnapshotRef // the run that the deltas of the score are from; nil: not known
	history  []report.ScorePoint // before this run, oldest first
	derived  *snapshot.Derived
	trending func(check string) bool // see audit.Check.Trend
	known    []*audit.Check          // every check there is, for what they say of themselves

	recs     []*audit.Record     // of all findings of the reference, resolved ones too
	followed map[string]bool     // ids of findings
	journal  []report.JournalRow // the newest entries up to Info.JournalHead

	rechecked *report.Rechecked

	alone     bool                  // what it is to be held against could not be found
	unsure    map[snapshot.Key]bool // items of which this state or the one before is lost
	lost      []report.Error        // what of it the store could not give
	scoreless bool                  // a finding is among it: no item is known to have lost no points

	recovered *Recovered // nil: there are no rules, or they were not asked
}

// evaluate computes what follows from items and findings.
func (v *View) evaluate() {
	v.Score = audit.Evaluate(v.Snapshot.Items, v.findings, v.weighting())
	v.worst = audit.Worst(v.findings)
	v.seen = audit.Worst(slices.DeleteFunc(slices.Clone(v.findings), func(t audit.Tracked) bool { return t.Carried }))
	v.Info.Open = map[string]int{}
	for _, t := range v.findings {
		if t.Counts() {
			v.Info.Open[t.Severity.String()]++
		}
	}
}

// level returns the level of an item. What is merely carried does not judge an
// item that could not be judged.
func (v *View) level(it *snapshot.Item) audit.Level {
	if it.Unknown != "" {
		return audit.LevelOf(it, v.seen[it.Key])
	}
	return audit.LevelOf(it, v.worst[it.Key])
}

func (v *View) weighting() audit.Weighting {
	c := &Config{Weights: v.Info.Weights, Criticality: v.Info.Criticality}
	return c.weighting(v.Info.Systems)
}

// missing are the items that are gone without explanation: those of this run,
// and those of the runs before that are still gone. Was is the tree of the
// reference; it is asked for only when something is gone.
func missing(gone []*snapshot.Item, old *judged, now *snapshot.Snapshot, seq uint64, was func() (*snapshot.Tree, error)) ([]audit.Gone, error) {
	if old == nil || len(gone)+len(old.gone) == 0 {
		return nil, nil
	}
	before, err := was()
	if err != nil {
		return nil, err
	}
	var out []audit.Gone
	for _, it := range gone {
		if it.Kind == "instance" { // how many there are is a fact of the app
			continue
		}
		g := audit.Gone{Item: it.Key, Name: it.Name, Path: it.Path, Level: audit.LevelOf(it, old.worst[it.Key]), Since: seq}
		if !explained(g, before, now.Tree, old.deleted) {
			g.Commit = old.deleted.by[g.Path]
			out = append(out, g)
		}
	}
	for _, g := range old.gone {
		at, ok := old.accepted[g.Item]
		accepted := ok && at >= g.Since // not an acceptance from before it came back
		if now.Item(g.Item) == nil && !explained(g, before, now.Tree, old.deleted) && !accepted {
			out = append(out, g)
		}
	}
	slices.SortFunc(out, func(a, b audit.Gone) int { return cmpKeys(a.Item, b.Item) })
	return slices.CompactFunc(out, func(a, b audit.Gone) bool { return a.Item == b.Item }), nil
}

// explained reports whether a person removed the item: its file is there and no
// longer declares it, or it was healthy and its file went with a commit, not only
// from the disk or the index. What
// was failing must be accepted, so that nobody mends a score by deleting.
func explained(g audit.Gone, before, now *snapshot.Tree, d deletions) bool {
	if g.Path == "" {
		return false
	}
	if now.HasFile(g.Path) {
		itself := g.Item == snapshot.NewKey(snapshot.Scripts, snapshot.Escape(g.Path)) // only nothing starts it any more
		return itself || g.Level != audit.LevelFailing
	}
	if g.Level == audit.LevelFailing || g.Level == audit.LevelDegraded {
		return false
	}
	_, listed := now.At(g.Path)
	e, was := before.At(g.Path)
	if d.by[g.Path] != "" {
		return !listed
	}
	return now.Git && !listed && was && e.State == snapshot.Tracked && d.committed(g.Path)
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

// rulesOf says by which rule each check judges: its version, and what the
// configuration changes of it. Another rule's findings are not compared.
func (c *Config) rulesOf(checks []*audit.Check) map[string]string {
	m := make(map[string]string, len(checks))
	for _, k := range checks {
		rule := fmt.Sprint(max(k.Version, 1))
		if s, ok := c.Severity[k.ID]; ok {
			rule += " " + s.String()
		}
		for _, l := range k.Limits {
			if v, ok := c.Limits[k.ID+"."+l.Name]; ok {
				rule += fmt.Sprintf(" %s=%g", l.Name, v)
			}
		}
		m[k.ID] = rule
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
		if sys, name, ok := it.Key.Split(); ok { // the key of an instance is made of another key
			it.Key = snapshot.NewKey(sys, name)
		}
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

// significant rounds a loss to 0.01, and one of less than a point to three digits:
// what thousands of findings share sums to what is missing of the score.
func significant(loss float64) float64 {
	unit := 100.0
	for loss > 0 && loss*unit < 100 && unit < 1e9 {
		unit *= 10
	}
	return round(loss, unit)
}

func ms(d time.Duration) int64 { return d.Milliseconds() }
