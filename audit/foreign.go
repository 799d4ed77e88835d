package audit

import (
	"slices"

	"healthaudit/snapshot"
)

// Foreign is what programs that the configuration names said in a run: plugins
// and hooks. No check starts one; their answers are looked up here.
type Foreign struct {
	Answered map[string]Answer // by the id of a check that a plugin makes; one that is missing did not answer
	Failed   []Failed          // in the order of the configuration
	Unasked  []string          // discriminators of those that were not started this time: whether they work is not known
}

// An Answer is what a plugin found by one check.
type Answer struct {
	Reports  []Report
	Unlooked []snapshot.Key // items that it could not look at
}

// Failed is a program that did not do what it is there for.
type Failed struct {
	Kind string // collector, check or hook
	Name string // of a hook its program and event
	What string // what went wrong, without the subject
	Hint string
	At   Location // where the configuration names it
}

// Found reports whether a check that ran before found something on an item that
// is not hidden. Known is false when nobody could look for it this time.
func (p *Pass) Found(check string, item snapshot.Key) (found, known bool) {
	for _, f := range p.made.check[check] {
		if f.Item == item {
			return true, true
		}
	}
	if d := p.doubts; d != nil && (d.Blind[Sight{check, item}] || d.Doubts[FindingID(item.System(), item, check, "")]) {
		return false, false
	}
	return false, !slices.ContainsFunc(p.crashed, func(c Crash) bool { return c.Check == check && (c.Item == "" || c.Item == item) })
}

// DoubtEverything notes that the check could not look at anything.
func (p *Pass) DoubtEverything() {
	for _, it := range p.Now.Items {
		p.DoubtAll(it.Key)
	}
	for _, sys := range append(slices.Clone(snapshot.Systems), snapshot.Auditor) {
		p.DoubtAll(snapshot.Pseudo(sys))
	}
}
