package audit

import (
	"slices"
	"time"

	"github.com/bmatcuk/doublestar/v4"

	"healthaudit/snapshot"
)

// An Ignore hides changes of facts for a while: they are counted, and told
// nowhere else. It hides no finding.
type Ignore struct {
	Item   string   `json:"item"` // a key, or a glob over keys
	Fact   string   `json:"fact"` // a name, or a glob over names
	Reason string   `json:"reason"`
	Until  string   `json:"until"` // the last day it holds, as 2006-01-02, in UTC
	At     Location `json:"at"`
}

// Over reports whether the last day of a rule is past.
func (g *Ignore) Over(now time.Time) bool { return over(g.Until, now) }

// fact reports whether the rule is about a fact of that name.
func (g *Ignore) fact(name string) bool {
	ok, _ := doublestar.Match(g.Fact, name)
	return ok || g.Fact == name
}

// Meets reports whether the rule is about anything that is there: a fact of an
// item, or a changed one.
func (g *Ignore) Meets(now *snapshot.Snapshot, changes []snapshot.Change) bool {
	for _, it := range now.Items {
		if matches(g.Item, it.Key) && slices.ContainsFunc(it.Facts.All(), func(f snapshot.Fact) bool { return g.fact(f.Name) }) {
			return true
		}
	}
	return slices.ContainsFunc(changes, func(c snapshot.Change) bool {
		return matches(g.Item, c.Item) && slices.ContainsFunc(c.Facts, func(f snapshot.FactChange) bool { return g.fact(f.Name) })
	})
}

// A Hidden counts what rules hid.
type Hidden struct {
	Changes int // of facts
	Rules   int // that hid some
}

// Hide returns the changes without what rules ignore at a time. A change of which
// nothing is left goes, unless the item has another name since.
func Hide(changes []snapshot.Change, rules []Ignore, now time.Time) ([]snapshot.Change, Hidden) {
	var h Hidden
	rules = slices.DeleteFunc(slices.Clone(rules), func(g Ignore) bool { return g.Over(now) })
	if len(rules) == 0 {
		return changes, h
	}
	used := map[int]bool{}
	out := make([]snapshot.Change, 0, len(changes))
	for _, c := range changes {
		var mine []int
		for i := range rules {
			if matches(rules[i].Item, c.Item) {
				mine = append(mine, i)
			}
		}
		left := slices.DeleteFunc(slices.Clone(c.Facts), func(f snapshot.FactChange) bool {
			i := slices.IndexFunc(mine, func(i int) bool { return rules[i].fact(f.Name) })
			if i >= 0 {
				used[mine[i]] = true
			}
			return i >= 0
		})
		if n := len(c.Facts) - len(left); n > 0 {
			h.Changes += n
			if c.Facts = left; len(left) == 0 && c.From == "" {
				continue
			}
		}
		out = append(out, c)
	}
	h.Rules = len(used)
	return out, h
}
