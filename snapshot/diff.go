package snapshot

import (
	"bytes"
	"sort"
)

// An Op is what happened to an item between two snapshots.
type Op string

const (
	OpAdded   Op = "added"
	OpRemoved Op = "removed"
	OpChanged Op = "changed"
	OpRebased Op = "rebased" // its collector's schema epoch differs: facts are not comparable
)

// A Risk says in which direction a changed fact moves the danger.
type Risk string

const (
	RiskUp      Risk = "up"
	RiskDown    Risk = "down"
	RiskNeutral Risk = "neutral"
)

// A RiskFunc judges one changed fact; old or new is nil when the fact appeared
// or went away. A nil RiskFunc says neutral.
type RiskFunc func(fact string, old, new *Value) Risk

// A FactChange is one fact that differs. Old is nil when it appeared, New when
// it went away. For facts of class Secret both only say that they differ.
type FactChange struct {
	Name string
	Old  *Value
	New  *Value
	Risk Risk
}

// A Change is what happened to one item.
type Change struct {
	Item  Key
	From  Key // of OpChanged: the key it had, when it was renamed
	Op    Op
	Facts []FactChange // of OpChanged, sorted by name
	Files []string     // paths of own files whose bytes or mode differ, sorted
}

// Compare returns the change of one item between two snapshots, or nil when
// nothing that means anything differs. Either may be nil, for added and removed.
// Files alone are no change: a comment or formatting change has no meaning.
func Compare(old, new *Item, sameEpoch bool, risk RiskFunc) *Change {
	switch {
	case old == nil && new == nil:
		return nil
	case old == nil:
		return &Change{Item: new.Key, Op: OpAdded, Files: filesChanged(nil, new.Files)}
	case new == nil:
		return &Change{Item: old.Key, Op: OpRemoved, Files: filesChanged(old.Files, nil)}
	case !sameEpoch && bytes.Equal(old.Encode(), new.Encode()):
		return nil
	case !sameEpoch:
		return &Change{Item: new.Key, Op: OpRebased}
	}
	facts := compareFacts(old, new, risk)
	if len(facts) == 0 {
		return nil
	}
	return &Change{Item: new.Key, Op: OpChanged, Facts: facts, Files: filesChanged(old.Files, new.Files)}
}

// Diff compares two complete snapshots. Carried items (source unread) are
// neither added, removed nor changed; a workflow that was renamed is changed, and
// told where it was; a system that is not listed in new has no
// changes. Removal needs a conclusive source: what has none must be in new, carried.
func Diff(old, new *Snapshot, risk func(System) RiskFunc) []Change {
	var out []Change
	add := func(a, b *Item) {
		sys := System("")
		if b != nil {
			if b.Carried {
				return
			}
			sys = b.System()
		} else {
			sys = a.System()
		}
		if !new.System(sys).Status.Listed() {
			return
		}
		if c := Compare(a, b, old.epoch(sys) == new.System(sys).Epoch, riskOf(risk, sys)); c != nil {
			out = append(out, *c)
		}
	}
	var olds []*Item
	if old != nil {
		olds = old.Items
	}
	i, j := 0, 0
	for i < len(olds) || j < len(new.Items) {
		switch {
		case j == len(new.Items) || i < len(olds) && olds[i].Key < new.Items[j].Key:
			add(olds[i], nil)
			i++
		case i == len(olds) || new.Items[j].Key < olds[i].Key:
			add(nil, new.Items[j])
			j++
		default:
			if olds[i] != new.Items[j] {
				add(olds[i], new.Items[j])
			}
			i++
			j++
		}
	}
	if old.epoch(Workflows) != new.System(Workflows).Epoch {
		return out
	}
	return followRenames(out, old, new, risk)
}

func (s *Snapshot) epoch(sys System) int {
	if s == nil {
		return 0
	}
	return s.System(sys).Epoch
}

func compareFacts(old, new *Item, risk RiskFunc) []FactChange {
	var out []FactChange
	note := func(name string, class Class, a, b *Value) {
		if class == Volatile || class == Detail || b == nil && new.partial() || a == nil && old.partial() {
			return
		}
		r := RiskNeutral
		if risk != nil {
			r = risk(name, a, b)
		}
		if class == Secret {
			if a != nil {
				v := Text("(secret)")
				a = &v
			}
			if b != nil {
				v := Text("(another secret)")
				if a == nil {
					v = Text("(secret)")
				}
				b = &v
			}
		}
		out = append(out, FactChange{Name: name, Old: a, New: b, Risk: r})
	}
	if old.State != new.State {
		a, b := Text(old.State), Text(new.State)
		note("state", Semantic, &a, &b)
	}
	if old.Facts.same(new.Facts) {
		return out
	}
	was, is := old.Facts.All(), new.Facts.All()
	i, j := 0, 0
	for i < len(was) || j < len(is) {
		switch {
		case j == len(is) || i < len(was) && was[i].Name < is[j].Name:
			note(was[i].Name, was[i].Class, &was[i].Value, nil)
			i++
		case i == len(was) || is[j].Name < was[i].Name:
			note(is[j].Name, is[j].Class, nil, &is[j].Value)
			j++
		default:
			if !was[i].Value.Equal(is[j].Value) {
				note(is[j].Name, is[j].Class, &was[i].Value, &is[j].Value)
			}
			i++
			j++
		}
	}
	if new.System() == Workflows {
		out = sameSteps(old, new, out)
	}
	return out
}

func filesChanged(old, new []File) []string {
	was := map[string]File{}
	for _, f := range old {
		if f.Role != Shared {
			was[f.Path] = f
		}
	}
	var out []string
	for _, f := range new {
		if f.Role == Shared {
			continue
		}
		if o, ok := was[f.Path]; !ok || o.SHA256 != f.SHA256 || o.Mode != f.Mode || o.Link != f.Link {
			out = append(out, f.Path)
		}
		delete(was, f.Path)
	}
	for p := range was {
		out = append(out, p)
	}
	sort.Strings(out)
	return out
}
